//! Set-up that some scenarios need and no target has by itself: declared by its owner, never guessed.
//!
//! Each capability is a promise about the target in fixed words: fields of a schema, namespaces with handlers,
//! tokens of an authorizer. The built-in endpoint keeps them all (`reference::trial`). A scenario whose capability
//! is not declared does not apply.

use std::collections::BTreeMap;
use std::fmt;

macro_rules! capabilities {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal;)*) => {
        /// Set-up that a target may have.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Capability {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Capability {
            /// Every capability.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its public name, in kebab-case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What the target promises by declaring it.
            pub fn promise(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_start()),* }
            }

            /// What a report says where it is not declared.
            pub const fn undeclared(self) -> &'static str {
                match self { $(Self::$variant => concat!("the target does not declare ", $name)),* }
            }
        }
    };
}

capabilities! {
    /// GraphQL: the type `Item`, `putItem`, and `onItem(filter)` with an enhanced filter that is the JSON text of its
    /// argument.
    EnhancedFilters "enhanced-filters";
    /// GraphQL: `onShelf(shelf, guard)` hears `putItem` of that shelf and sets the invalidation filter that is the JSON
    /// text of `guard`, if it is not null; `endShelf(shelf)` invalidates it with the payload `{shelf}`, and `endShelfOften(shelf)` six times.
    Invalidation "invalidation";
    /// GraphQL: `onGreeted` has a resolver that returns a greeting, and hears `greet`.
    SubscriptionResolver "subscription-resolver";
    /// GraphQL: the resolver of `moveItem(shelf, text)` puts the item on the shelf `elsewhere`; `onMoved(shelf)` hears
    /// it.
    ChangingResolver "changing-resolver";
    /// GraphQL: the resolver of `breakItem(text)` fails with the type `Broken` and the information `{"code":1}`.
    FailingResolver "failing-resolver";
    /// GraphQL: the Lambda authorizer denies the field `Query.dummy` to the token that is given for it.
    DeniedQuery "denied-query";
    /// Events: `onPublish` of the namespace `transform` sets the member `changed` of every event to true.
    HandlerTransform "handler-transform";
    /// Events: `onPublish` of the namespace `drop` drops events whose member `drop` is true.
    HandlerDrop "handler-drop";
    /// Events: `onPublish` of the namespace `event-error` sets the error `not this one` on events whose member `fail`
    /// is true.
    HandlerEventError "handler-event-error";
    /// Events: `onPublish` of the namespace `reject` calls `util.error("not today")`.
    HandlerReject "handler-reject";
    /// Events: `onPublish` of the namespace `unauthorized` calls `util.unauthorized()`.
    HandlerUnauthorized "handler-unauthorized";
    /// Events: `onPublish` of the namespace `grow` adds 240 KB to every event.
    HandlerGrow "handler-grow";
    /// Events: `onPublish` of the namespace `delay` takes two seconds.
    HandlerDelay "handler-delay";
    /// Events: `onPublish` of the namespace `stall` takes longer than 30 s.
    HandlerStall "handler-stall";
    /// Events: `onPublish` of the namespace `fail` fails by an exception with the text `connection to db-7 lost`.
    HandlerFail "handler-fail";
    /// Events: `onPublish` of the namespaces `lambda-error` and `lambda-throws` is a direct Lambda integration that
    /// returns the error `not by this function`, or throws.
    LambdaIntegration "lambda-integration";
    /// Events: `onSubscribe` of the namespaces `subscribe-reject`, `subscribe-unauthorized`, `subscribe-fail` and
    /// `subscribe-delay` calls `util.error("no more seats")`, calls `util.unauthorized()`, fails, takes a second.
    SubscribeHandlers "subscribe-handlers";
    /// Events: handlers tell of the context that they are given: `onPublish` of the namespace `context` sets the member
    /// `context` of each event to `{identity, info, request}`, and `onSubscribe` of the namespace `subscribe-context`
    /// rejects with the text of `info.channel.path`.
    HandlerContext "handler-context";
    /// Events: in the namespace `publish-iam` only IAM may publish, in `subscribe-iam` only IAM may subscribe.
    NamespaceModes "namespace-modes";
    /// The Lambda authorizer fails on the token `syncspec-authorizer-fails`.
    AuthorizerFails "authorizer-fails";
    /// The Lambda authorizer allows each token that begins with `syncspec-once-` when it is asked about it for the
    /// first time, and never again; its answer on `syncspec-once-kept-...` is cached for 5 minutes, others are not.
    AuthorizerCaches "authorizer-caches";
    /// A connection may hold 200 subscriptions, which is the quota of an account until it is raised.
    DefaultQuotas "default-quotas";
    /// The API key `da2-syncspecexpiredapikey00000` was good and has expired.
    ExpiredApiKey "expired-api-key";
}

impl Capability {
    /// The capability of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|capability| capability.name() == name)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is said of the capabilities of a target. What nobody speaks of it has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    said: BTreeMap<Capability, bool>,
}

impl Capabilities {
    /// Everything is declared.
    pub fn all() -> Self {
        Self { said: Capability::ALL.iter().map(|capability| (*capability, true)).collect() }
    }

    /// The same with this one declared.
    #[must_use]
    pub fn declare(mut self, capability: Capability) -> Self {
        self.said.insert(capability, true);
        self
    }

    /// The same with this one denied, whatever was said before.
    #[must_use]
    pub fn deny(mut self, capability: Capability) -> Self {
        self.said.insert(capability, false);
        self
    }

    /// Whether it is declared and not denied.
    pub fn has(&self, capability: Capability) -> bool {
        self.said.get(&capability).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_in_kebab_case() {
        for capability in Capability::ALL {
            let name = capability.name();
            assert_eq!(Capability::named(name), Some(*capability));
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
        }
        assert_eq!(Capability::named("Invalidation"), None);
    }

    #[test]
    fn a_denial_outweighs_and_silence_is_none() {
        let said = Capabilities::all().deny(Capability::HandlerDrop);

        assert!(said.has(Capability::HandlerGrow));
        assert!(!said.has(Capability::HandlerDrop));
        assert!(!Capabilities::default().has(Capability::HandlerDrop));
        assert!(Capabilities::default().declare(Capability::HandlerDrop).has(Capability::HandlerDrop));
    }
}
