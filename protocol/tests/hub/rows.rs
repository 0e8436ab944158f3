//! Every check of the policy as a script: what a client hears with it and without it.

use appsync_protocol::server::Check;

/// What a script's last line causes with a check and without it.
///
/// A script that starts with `2; ` has two connections of Events and no answers to publishes.
pub(crate) struct Row {
    pub(crate) check: Check,
    pub(crate) script: &'static str,
    pub(crate) with: &'static str,
    pub(crate) without: &'static str,
}

const fn row(check: Check, script: &'static str, with: &'static str, without: &'static str) -> Row {
    Row { check, script, with, without }
}

const CONNECTION: &[Row] = &[
    row(Check::InitAnswered, "1 graphql; 1> connection_init", "1< connection_ack 300000, 1< ka", ""),
    row(Check::AckNamesTimeout, "1 events; 1> connection_init", "1< connection_ack 300000", "1< connection_ack"),
    row(
        Check::FirstKeepAlive,
        "1 graphql; 1> connection_init",
        "1< connection_ack 300000, 1< ka",
        "1< connection_ack 300000",
    ),
    row(Check::KeepAlives, "1 events open; +60s", "1< ka", ""),
    row(Check::KeepAlives, "1 graphql open; +60s", "1< ka", ""),
    row(
        Check::CloseAfterRefusal,
        "1 events refused",
        "1< connection_error UnauthorizedException, 1< (close 1000)",
        "1< connection_error UnauthorizedException",
    ),
    row(
        Check::ErrorKeepsConnection,
        "1 events open; 1> unsubscribe x",
        "1< unsubscribe_error x UnknownOperationError",
        "1< unsubscribe_error x UnknownOperationError, 1< (close 1011)",
    ),
    row(Check::RefusalAnswered, "1 events open; 1> unsubscribe x", "1< unsubscribe_error x UnknownOperationError", ""),
    row(Check::UnknownWordAnswered, "1 events open; 1> nope", "1< error UnsupportedOperation", ""),
    row(Check::UnknownWordAnswered, "1 graphql open; 1> nope", "1< error UnsupportedOperation", ""),
    row(Check::UnreadableAnswered, "1 events open; 1> {", "1< error BadRequestException", ""),
    row(Check::UnreadableAnswered, "1 graphql open; 1> (binary)", "1< error UnsupportedOperation", ""),
    row(
        Check::CloseFreesIds,
        "1 events; 2 events; 1> subscribe a /default/a; 1> (close); 2> publish p /default/a 1",
        "2< publish_success p ok 0 failed none",
        "2< publish_success p ok 0 failed none, 1< data a 1",
    ),
    row(Check::InitOptional, "1 events; 1> subscribe a /default/a", "1< subscribe_success a", ""),
];

const SUBSCRIPTIONS: &[Row] = &[
    row(
        Check::OperationCarriesCredentials,
        "1 events; 1> subscribe(bare) a /default/a",
        "1< subscribe_error a UnauthorizedException",
        "1< subscribe_success a",
    ),
    row(
        Check::OperationCarriesCredentials,
        "1 graphql open; 1> start(bare) a onNote",
        "1< error a UnauthorizedException",
        "1< start_ack a",
    ),
    row(
        Check::OperationCredentials,
        "1 events; 1> publish(wrong) p /default/a 1",
        "1< publish_error p UnauthorizedException",
        "1< publish_success p ok 0 failed none",
    ),
    row(
        Check::DuplicateId,
        "1 graphql open; 1> start a onNote; 1> start a onNote",
        "1< error a DuplicatedOperationError",
        "1< start_ack a",
    ),
    row(
        Check::DuplicateId,
        "1 events; 1> subscribe a /default/a; 1> subscribe a /default/b",
        "1< subscribe_error a DuplicatedOperationError",
        "1< subscribe_success a",
    ),
    row(Check::SubscribeAnswered, "1 events; 1> subscribe a /default/a", "1< subscribe_success a", ""),
    row(Check::UnsubscribeAnswered, "1 graphql open; 1> start a onNote; 1> stop a", "1< complete a", ""),
    row(
        Check::UnsubscribeEnds,
        "1 graphql open; 1> start a onNote +text; 1> stop a; ! onNote {\"text\":\"hi\"}",
        "",
        r#"1< data a {"onNote":{"text":"hi"}}"#,
    ),
    row(
        Check::UnsubscribeSparesOthers,
        "1 graphql open; 1> start a onNote +text; 1> start b onNote +text; 1> stop a; ! onNote {\"text\":\"hi\"}",
        r#"1< data b {"onNote":{"text":"hi"}}"#,
        "",
    ),
    row(
        Check::UnknownUnsubscribe,
        "1 events; 1> unsubscribe x",
        "1< unsubscribe_error x UnknownOperationError",
        "1< unsubscribe_success x",
    ),
    row(
        Check::SubscriptionLimit,
        "1 events; 1> subscribe a /default/a; 1> subscribe b /default/a; 1> subscribe c /default/a",
        "1< subscribe_error c MaxSubscriptionsReachedError",
        "1< subscribe_success c",
    ),
    row(
        Check::OperationIdSyntax,
        "1 events; 1> subscribe a.b /default/a",
        "1< subscribe_error a.b BadRequestException",
        "1< subscribe_success a.b",
    ),
];

const FIELDS: &[Row] = &[
    row(
        Check::ArgumentsMatch,
        "1 graphql open; 1> start a onNote author=1 +author; ! onNote {\"author\":2}",
        "",
        r#"1< data a {"onNote":{"author":2}}"#,
    ),
    row(
        Check::ArgumentEnd,
        r#"1 graphql open; 1> start a onNote author="x" +author; ! onNote {"author":"xy"}"#,
        "",
        r#"1< data a {"onNote":{"author":"xy"}}"#,
    ),
    row(
        Check::ArgumentOfNothing,
        r#"1 graphql open; 1> start a onNote author="" +author; ! onNote {"author":"x"}"#,
        "",
        r#"1< data a {"onNote":{"author":"x"}}"#,
    ),
    row(
        Check::SubscribeIdExact,
        "1 graphql open; 1> start a_1 onNote; 1> start A-1 onNote",
        "1< start_ack A-1",
        "1< error A-1 DuplicatedOperationError",
    ),
    row(
        Check::UnsubscribeIdExact,
        "1 events; 1> subscribe a_1 /default/a; 1> unsubscribe A-1",
        "1< unsubscribe_error A-1 UnknownOperationError",
        "1< unsubscribe_success A-1",
    ),
    row(
        Check::NullArgument,
        "1 graphql open; 1> start a onNote author=null +author; ! onNote {\"author\":2}",
        "",
        r#"1< data a {"onNote":{"author":2}}"#,
    ),
    row(
        Check::EveryArgument,
        "1 graphql open; 1> start a onNote author=1 id=2 +id; ! onNote {\"author\":1,\"id\":3}",
        "",
        r#"1< data a {"onNote":{"id":3}}"#,
    ),
    row(
        Check::SelectionCut,
        "1 graphql open; 1> start a onNote +text; ! onNote {\"text\":\"hi\",\"secret\":1}",
        r#"1< data a {"onNote":{"text":"hi"}}"#,
        r#"1< data a {"onNote":{"secret":1,"text":"hi"}}"#,
    ),
    row(
        Check::FieldMatch,
        "1 graphql open; 1> start a onNote +text; ! onOther {\"text\":\"hi\"}",
        "",
        r#"1< data a {"onNote":{"text":"hi"}}"#,
    ),
    row(Check::DocumentChecked, "1 graphql open; 1> start a nope", "1< error a FieldUndefined", "1< start_ack a"),
    row(
        Check::SubscriptionsOnly,
        "1 graphql open; 1> start a query onNote",
        "1< error a UnsupportedOperation",
        "1< start_ack a",
    ),
];

const CHANNELS: &[Row] = &[
    row(Check::ChannelMatch, "2; 1> subscribe a /default/a; 2> publish p /default/b 1", "", "1< data a 1"),
    row(Check::ChannelCase, "2; 1> subscribe a /default/a; 2> publish p /default/A 1", "", "1< data a 1"),
    row(
        Check::NamespaceEnd,
        "2; 1> subscribe a /default/*; 2> publish p /default2/b 1",
        "2< publish_error p UnauthorizedException",
        "1< data a 1",
    ),
    row(Check::ChannelEnd, "2; 1> subscribe a /default/a; 2> publish p /default/ab 1", "", "1< data a 1"),
    row(Check::WildcardSegment, "2; 1> subscribe a /default/a/*; 2> publish p /default/ab/c 1", "", "1< data a 1"),
    row(Check::WildcardDepth, "2; 1> subscribe a /default/*; 2> publish p /default/b/c 1", "1< data a 1", ""),
    row(Check::WildcardSparesPrefix, "2; 1> subscribe a /default/a/*; 2> publish p /default/a 1", "", "1< data a 1"),
    row(
        Check::EverySubscription,
        "2; 1> subscribe a /default/a; 1> subscribe b /default/*; 2> publish p /default/a 1",
        "1< data a 1, 1< data b 1",
        "1< data a 1",
    ),
    row(
        Check::DeliveredOnce,
        "2; 1> subscribe a /default/a; 2> publish p /default/a 1",
        "1< data a 1",
        "1< data a 1, 1< data a 1",
    ),
    row(Check::EchoToPublisher, "2; 1> subscribe a /default/a; 1> publish p /default/a 1", "1< data a 1", ""),
    row(
        Check::ChannelSyntax,
        "2; 1> subscribe a /default/a_b",
        "1< subscribe_error a BadRequestException",
        "1< subscribe_success a",
    ),
    row(
        Check::NamespaceExists,
        "2; 1> subscribe a /nowhere/a",
        "1< subscribe_error a UnauthorizedException",
        "1< subscribe_success a",
    ),
];

const PUBLISHES: &[Row] = &[
    row(
        Check::WildcardPublish,
        "1 events; 1> publish p /default/* 1",
        "1< publish_error p BadRequestException",
        "1< publish_success p ok 0 failed none",
    ),
    row(
        Check::EventCount,
        "1 events; 1> publish p /default/a 1 2 3 4 5 6",
        "1< publish_error p InvalidInputError",
        "1< publish_success p ok 0+1+2+3+4+5 failed none",
    ),
    row(
        Check::EventsPresent,
        "1 events; 1> publish p /default/a",
        "1< publish_error p BadRequestException",
        "1< publish_success p ok none failed none",
    ),
    row(
        Check::EventsAreStrings,
        "1 events; 1> publish p /default/a =7",
        "1< publish_error p BadRequestException",
        "1< publish_success p ok 0 failed none",
    ),
    row(
        Check::EventsAreJson,
        "1 events; 1> publish p /default/a {",
        "1< publish_error p InvalidEventException",
        "1< publish_success p ok 0 failed none",
    ),
    row(
        Check::EventSize,
        "1 events; 1> publish p /default/a 1 big:245761",
        "1< publish_success p ok 0 failed 1",
        "1< publish_success p ok 0+1 failed none",
    ),
    row(
        Check::PublishSize,
        "1 events; 1> publish p /default/a big:245760 big:245760 big:245760 big:245760 big:216961",
        "1< publish_error p BadRequestException",
        "1< publish_success p ok 0+1+2+3+4 failed none",
    ),
    row(Check::PublishAnswered, "1 events; 1> publish p /default/a 1", "1< publish_success p ok 0 failed none", ""),
];

/// The rows of every check.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [CONNECTION, SUBSCRIPTIONS, FIELDS, CHANNELS, PUBLISHES].into_iter().flatten()
}
