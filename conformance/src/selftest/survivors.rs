//! Derived saboteurs that survive, by class: nobody outside can see the difference, or the protocol allows it.
//!
//! A name that no derived saboteur has, one that is listed twice, and one whose saboteur is killed after all are
//! defects of the list and fail the selftest.

/// Derived saboteurs that survive for one reason.
pub struct Class {
    /// Why nothing counts against them: what nobody can see, or what allows it.
    pub why: &'static str,
    /// Requirements and ambiguities that the reason rests on.
    pub cites: &'static [&'static str],
    /// Names of the saboteurs.
    pub names: &'static [&'static str],
}

/// Every class.
pub const REASONS: &[Class] = &[
    Class {
        why: "What has to be there is judged; how it is worded is not.",
        cites: &["GQL-ERR-025", "GQL-ERR-001", "EVT-ERR-002", "EVT-PUB-010"],
        names: &[
            "graphql/connection_error/alter/payload.errors.0.message",
            "graphql/error/alter/payload.errors.0.message",
            "events/connection_error/alter/errors.0.message",
            "events/subscribe_error/alter/errors.0.message",
            "events/unsubscribe_error/alter/errors.0.message",
            "events/publish_error/alter/errors.0.message",
            "events/error/alter/errors.0.message",
        ],
    },
    Class {
        why: "An error of Events may do without a message, and null says that there is none.",
        cites: &["EVT-ERR-002", "EVT-A-05", "EVT-HTTP-007"],
        names: &[
            "events/connection_error/remove/errors.0.message",
            "events/connection_error/null/errors.0.message",
            "events/subscribe_error/remove/errors.0.message",
            "events/subscribe_error/null/errors.0.message",
            "events/unsubscribe_error/remove/errors.0.message",
            "events/unsubscribe_error/null/errors.0.message",
            "events/error/remove/errors.0.message",
            "events/error/null/errors.0.message",
            "events/http-400/remove/errors.0.message",
            "events/http-400/null/errors.0.message",
            "events/http-401/remove/errors.0.message",
            "events/http-401/null/errors.0.message",
        ],
    },
    Class {
        why: "An error may do without a code, null says that there is none, and nothing says which code it is, \
              nor in GraphQL that it is a number.",
        cites: &["GQL-ERR-013", "GQL-ERR-001", "EVT-ERR-003", "EVT-A-05"],
        names: &[
            "graphql/connection_error/remove/payload.errors.0.errorCode",
            "graphql/connection_error/null/payload.errors.0.errorCode",
            "graphql/error/remove/payload.errors.0.errorCode",
            "graphql/error/alter/payload.errors.0.errorCode",
            "graphql/error/null/payload.errors.0.errorCode",
            "events/connection_error/remove/errors.0.errorCode",
            "events/connection_error/alter/errors.0.errorCode",
            "events/connection_error/null/errors.0.errorCode",
            "events/subscribe_error/remove/errors.0.errorCode",
            "events/subscribe_error/alter/errors.0.errorCode",
            "events/subscribe_error/null/errors.0.errorCode",
            "events/unsubscribe_error/remove/errors.0.errorCode",
            "events/unsubscribe_error/alter/errors.0.errorCode",
            "events/unsubscribe_error/null/errors.0.errorCode",
            "events/publish_error/remove/errors.0.errorCode",
            "events/publish_error/alter/errors.0.errorCode",
            "events/publish_error/null/errors.0.errorCode",
            "events/error/remove/errors.0.errorCode",
            "events/error/alter/errors.0.errorCode",
            "events/error/null/errors.0.errorCode",
            "graphql/connection_error/retype/payload.errors.0.errorCode",
            "graphql/error/retype/payload.errors.0.errorCode",
        ],
    },
    Class {
        why: "The connection ends after the first refusal, so that there never is a second one on it.",
        cites: &["GQL-ERR-024", "GQL-INIT-008", "EVT-CLOSE-008"],
        names: &[
            "graphql/connection_error/drop-second",
            "graphql/connection_error/drop-later",
            "graphql/connection_error/duplicate-second",
            "graphql/connection_error/duplicate-later",
            "events/connection_error/drop-second",
            "events/connection_error/drop-later",
            "events/connection_error/duplicate-second",
            "events/connection_error/duplicate-later",
        ],
    },
    Class {
        why: "A keep-alive may come at any time, and one may be missing as long as the next comes within the \
              timeout that was promised: no interval is exact.",
        cites: &["GQL-KA-001", "GQL-KA-003", "GQL-KA-004", "GQL-A-17", "EVT-KA-001"],
        names: &[
            "limit/keep-alive+1s",
            "limit/keep-alive-1s",
            "graphql/ka/duplicate-every",
            "graphql/ka/duplicate-first",
            "graphql/ka/drop-second",
            "graphql/ka/duplicate-second",
            "graphql/ka/duplicate-later",
            "events/ka/duplicate-every",
            "events/ka/drop-first",
            "events/ka/duplicate-first",
            "events/ka/drop-second",
            "events/ka/duplicate-second",
            "events/ka/duplicate-later",
        ],
    },
    Class {
        why: "A day is no exact time for whom the network adds to it: one second more or less is not told apart.",
        cites: &["GQL-LIMIT-001", "EVT-LIMIT-011"],
        names: &["limit/lifetime+1s", "limit/lifetime-1s"],
    },
    Class {
        why: "What counts as a KB, and which bytes are counted, is open: sizes are judged well below and well \
              above every reading.",
        cites: &["EVT-A-12", "EVT-LIMIT-002", "EVT-LIMIT-003", "GQL-LIMIT-005"],
        names: &[
            "limit/event-bytes-max+1",
            "limit/event-bytes-max-1",
            "limit/publish-bytes-max+1",
            "limit/publish-bytes-max-1",
        ],
    },
    Class {
        why: "Five events of the largest size are no more than a publish may have by one reading, so that a \
              publish which is too large has an event which is, and is refused for that.",
        cites: &["EVT-LIMIT-001", "EVT-LIMIT-002", "EVT-LIMIT-003", "EVT-A-12"],
        names: &["skip/PublishSize"],
    },
    Class {
        why: "A handler that takes longer than thirty seconds has failed; one that is given up a second earlier was longer \
              than that as well.",
        cites: &["EVT-LIMIT-014", "GQL-LIMIT-015"],
        names: &["limit/request-max-1s"],
    },
    Class {
        why: "A publish without events may be refused, or be answered with success without entries.",
        cites: &["EVT-PUB-005", "EVT-A-25"],
        names: &["skip/EventsPresent"],
    },
    Class {
        why: "Whether a wildcard covers its own prefix is disputed: the report says which, and nothing counts \
              against it.",
        cites: &["EVT-CHANNEL-012", "EVT-A-11"],
        names: &["skip/WildcardSparesPrefix"],
    },
    Class {
        why: "The subscriptions of a connection that is gone have nobody to tell, and ids belong to their \
              connection: nobody outside can see it.",
        cites: &["GQL-CLOSE-001", "GQL-CLOSE-007"],
        names: &["skip/CloseFreesIds"],
    },
    Class {
        why: "Virtual time has no accept value. Over sockets the saboteur events-plus-in-the-key-misread, which \
              is bent like this, is tried and caught.",
        cites: &["EVT-HANDSHAKE-019"],
        names: &["door/AcceptValue"],
    },
    Class {
        why: "A grant does not promise that the very next event arrives, so that every scenario waits for a \
              first one before it counts.",
        cites: &["GQL-SUB-022", "EVT-SUB-013"],
        names: &["graphql/data/drop-first", "events/data/drop-first"],
    },
    Class {
        why: "Nothing forbids an acknowledgement that was not asked for, and a second connection_init may be \
              answered or ignored.",
        cites: &["EVT-INIT-005", "EVT-INIT-006", "EVT-A-07"],
        names: &[
            "events/connection_ack/duplicate-every",
            "events/connection_ack/duplicate-first",
            "events/connection_ack/drop-second",
            "events/connection_ack/duplicate-second",
            "events/connection_ack/drop-later",
            "events/connection_ack/duplicate-later",
        ],
    },
    Class {
        why: "The acknowledgement names a timeout, and 300001 ms is one.",
        cites: &["EVT-INIT-002"],
        names: &["events/connection_ack/alter/connectionTimeoutMs"],
    },
    Class {
        why: "The message answers no operation and has no id, so that there is none to change; an id of null is \
              none.",
        cites: &["EVT-A-17", "EVT-ERR-006"],
        names: &[
            "events/connection_error/other-id",
            "events/connection_error/remove/id",
            "events/connection_error/alter/id",
            "events/connection_error/null/id",
            "events/error/remove/id",
            "events/error/alter/id",
            "events/error/null/id",
            "events/connection_error/other-id-second",
            "events/connection_error/mangle-id",
            "events/connection_error/mangle-unusual-id",
            "events/connection_error/retype/id",
            "events/error/mangle-unusual-id",
        ],
    },
    Class {
        why: "Only that a refused connection names a type is required, not which.",
        cites: &["EVT-A-05", "EVT-INIT-010"],
        names: &["events/connection_error/alter/errors.0.errorType"],
    },
    Class {
        why: "An identifier is any text that the server made.",
        cites: &["EVT-PUB-009", "EVT-A-32"],
        names: &[
            "events/publish_success/alter/successful.0.identifier",
            "events/publish_success/alter/failed.0.identifier",
        ],
    },
    Class {
        why: "Answers over HTTP have no id, and one more member is ignored.",
        cites: &["EVT-HTTP-004"],
        names: &["events/http-200/remove/id", "events/http-200/null/id", "events/http-200/retype/id"],
    },
    Class {
        why: "The timeout is compared with five minutes for information only, and a keep-alive comes well within it.",
        cites: &["GQL-INIT-004"],
        names: &[
            "limit/silence-limit-ms+1",
            "limit/silence-limit-ms-1",
            "graphql/connection_ack/alter/payload.connectionTimeoutMs",
        ],
    },
    Class {
        why: "Only the first connection_init has to be acknowledged; what answers another one is an open question (GQL-P-02).",
        cites: &["GQL-INIT-002", "GQL-INIT-013"],
        names: &[
            "graphql/connection_ack/drop-second",
            "graphql/connection_ack/duplicate-second",
            "graphql/connection_ack/drop-later",
            "graphql/connection_ack/duplicate-later",
        ],
    },
    Class {
        why: "The end of a refused connection is due, and not silence until then.",
        cites: &["GQL-ERR-024", "EVT-CLOSE-008"],
        names: &[
            "graphql/connection_error/duplicate-every",
            "graphql/connection_error/duplicate-first",
            "events/connection_error/duplicate-every",
            "events/connection_error/duplicate-first",
        ],
    },
];

/// Why this one survives.
pub fn reason(name: &str) -> Option<&'static str> {
    REASONS.iter().find(|class| class.names.contains(&name)).map(|class| class.why)
}

/// Every name that is listed.
pub fn names() -> impl Iterator<Item = &'static str> {
    REASONS.iter().flat_map(|class| class.names.iter().copied())
}

/// Whether only scenarios that last a day can see it.
pub fn may_need_a_day(name: &str) -> bool {
    name.contains("lifetime") || name.contains("KeepAlive") || name.contains("/ka/") || name.contains("keep-alive")
}
