//! Choices of operations that take more of a target than the protocol: credentials, set-up, filters.

use serde::{Deserialize, Serialize};

choices!(
    /// Credentials of a kind. What a target lacks cannot be tried on it.
    Proof {
        /// The usual ones.
        Main,
        /// An AWS signature.
        Iam,
        /// A JWT of an OpenID Connect provider.
        Oidc,
        /// A JWT of a Cognito user pool.
        Cognito,
        /// A token for a Lambda authorizer.
        Lambda,
        /// A signature that covers host and date alone.
        FewHeaders,
        /// A JWT behind `Bearer ` (GraphQL).
        Bearer,
        /// An API key, and a token that nobody knows (Events).
        KeyAndToken,
        /// A token that the authorizer allows once.
        Once,
        /// A token that the authorizer allows once, and whose answer is kept.
        Kept,
        /// A wrong key.
        Wrong,
        /// A signature of the day before.
        OldSignature,
        /// A signature for another region.
        ForeignRegion,
        /// A signature for another service.
        ForeignService,
        /// A signature whose last digit is another.
        WrongDigit,
        /// A signature of something else.
        OtherBody,
        /// A signature over type and id too (Events).
        WholeMessage,
        /// The signature of a connection, for an operation.
        OfConnection,
        /// A JWT with another signature.
        Forged,
        /// A JWT with another subject.
        OtherSubject,
        /// A JWT with the algorithm none.
        Unsigned,
        /// A token that the authorizer does not know.
        UnknownToken,
        /// An empty token (GraphQL).
        EmptyToken,
        /// An API key that has expired (GraphQL).
        ExpiredKey,
        /// A token on which the authorizer fails (Events).
        Failing,
        /// A signature that does not cover the host (Events).
        HostUnsigned,
        /// A signature that does not cover the date (Events).
        DateUnsigned,
        /// The API key with one character more.
        LongerKey,
        /// The API key with one character less.
        ShorterKey,
        /// The API key in another case.
        TurnedKey,
        /// The token for the Lambda authorizer with one character more.
        LongerToken,
        /// That token with one character less.
        ShorterToken,
        /// That token in another case.
        TurnedToken,
        /// That token without its first character.
        HeadlessToken,
        /// That token behind another character.
        PrefixedToken,
    }
);

choices!(
    /// Where credentials of a connection travel.
    Carriage {
        /// Where they usually do.
        Usual,
        /// In a token of the subprotocol.
        Subprotocol,
        /// In header fields.
        Headers,
        /// In the query (GraphQL).
        Query,
    }
);

choices!(
    /// What decides on an operation: handlers, modes of namespaces (Events), resolvers, invalidation (GraphQL).
    Setup {
        /// A room.
        Room,
        /// A handler that changes events (Events); a resolver that changes the item (GraphQL).
        Transform,
        /// A handler that drops events (Events); the argument that the resolver changed (GraphQL).
        DropSome,
        /// A handler that sets an error on events (Events); a subscription with a resolver (GraphQL).
        EventError,
        /// A handler that rejects publishes (Events); a shelf with an invalidation filter (GraphQL).
        Reject,
        /// A handler that authorizes no publish (Events); a shelf without one (GraphQL).
        Unauthorized,
        /// A handler that makes events too long (Events); a field that is denied to a mode (GraphQL).
        Grow,
        /// A handler that takes two seconds (Events); the end of a shelf (GraphQL).
        Delay,
        /// A handler that takes too long (Events); the end of a shelf six times (GraphQL).
        Stall,
        /// A handler that fails (Events); a resolver that fails (GraphQL).
        Fail,
        /// A function that throws (Events); a query that is denied to a mode (GraphQL).
        LambdaThrows,
        /// A function that returns an error.
        LambdaError,
        /// A handler that tells of its context.
        Context,
        /// A handler that rejects subscribes.
        SubscribeReject,
        /// A handler that authorizes no subscribe.
        SubscribeUnauthorized,
        /// A handler of subscribes that fails.
        SubscribeFail,
        /// A handler of subscribes that takes a second.
        SubscribeDelay,
        /// A handler of subscribes that tells of its context.
        SubscribeContext,
        /// A namespace to which only AWS signatures may publish.
        PublishIam,
        /// A namespace of which only AWS signatures may subscribe.
        SubscribeIam,
    }
);

choices!(
    /// An enhanced filter (GraphQL): an operator on a field, several of them, or one beyond a limit.
    Sieve {
        /// Equal texts.
        EqText,
        /// Equal whole numbers.
        EqCount,
        /// Equal fractions.
        EqRatio,
        /// Equal truths.
        EqDone,
        /// Other texts.
        NeText,
        /// Other whole numbers.
        NeCount,
        /// Other fractions.
        NeRatio,
        /// Less.
        LtCount,
        /// Not more.
        LeCount,
        /// More.
        GtCount,
        /// Not less.
        GeCount,
        /// A smaller fraction.
        LtRatio,
        /// Texts that come later.
        GtText,
        /// Texts that have a part.
        ContainsText,
        /// Texts that have it not.
        NotContainsText,
        /// Lists with a member.
        ContainsTag,
        /// Texts that begin so.
        BeginsWith,
        /// One of five texts.
        InText,
        /// None of five numbers.
        NotInCount,
        /// Numbers within a range.
        BetweenCount,
        /// Texts within a range.
        BetweenText,
        /// Lists with one of several members.
        ContainsAny,
        /// Two conditions that both have to hold.
        Both,
        /// Two conditions of which one has to hold.
        Either,
        /// A nested field.
        Near,
        /// A field four levels down.
        Far,
        /// A filter beside an argument that nothing fits.
        BesideArguments,
        /// Five fields.
        FiveFields,
        /// Ten filters.
        TenGroups,
        /// A text of 256 characters.
        LongestText,
        /// Twenty values of containsAny.
        TwentyOfAny,
        /// Six values of in.
        SixOfIn,
        /// Six values of notIn.
        SixOfNotIn,
        /// Twenty-one values of containsAny.
        ManyOfAny,
        /// Six fields.
        SixFields,
        /// Eleven filters.
        ElevenGroups,
        /// Eleven values of in.
        ElevenValues,
        /// A text of 257 characters.
        TooLongText,
        /// The name of an operator in capitals.
        LoudOperator,
    }
);
