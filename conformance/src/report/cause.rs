//! What usually causes a breach, in one place.
//!
//! Only where it is known: from servers that were judged, from the notes of the register, or because there is one
//! way to get it wrong that most take. A row names a requirement, or the area of one; the requirement comes first.
//! Where nothing is known, nothing is said.

/// Requirement or area, and what usually is behind a breach: one clause, lower case, without a full stop.
const CAUSES: &[(&str, &str)] = &[
    // GraphQL: opening
    ("GQL-HANDSHAKE-006", "the server selects the last offered subprotocol, or echoes the whole list of them"),
    ("GQL-HANDSHAKE-007", "the WebSocket library accepts an upgrade without a subprotocol by itself"),
    ("GQL-HANDSHAKE-008", "the library answers an unknown subprotocol with an HTTP status before the server sees it"),
    ("GQL-HANDSHAKE-009", "the query is decoded as base64url, or before its percent-encoding is undone"),
    ("GQL-HANDSHAKE-011", "only the query string is read for credentials; newer clients send a subprotocol token"),
    ("GQL-HANDSHAKE-013", "only the query string is read for credentials, not the headers of the upgrade"),
    ("GQL-HANDSHAKE-019", "a plus sign in the query is taken for a space, as in a form"),
    ("GQL-HANDSHAKE-022", "the upgrade is refused by an HTTP status, which browsers do not show to a client"),
    ("GQL-INIT-003", "the property is missing, has another name (connectionTimeout), or is a text instead of a number"),
    ("GQL-INIT-005", "messages are handled without looking whether connection_init has come"),
    ("GQL-INIT-012", "all answers are built by one function that always writes an id"),
    // GraphQL: keep-alive
    ("GQL-KA-001", "the timer is started once and not again, or not at all"),
    ("GQL-KA-002", "the first keep-alive waits for a whole interval"),
    ("GQL-KA-004", "interval and advertised timeout are configured apart from each other"),
    ("GQL-KA-010", "the timer belongs to the subscriptions and not to the connection"),
    // GraphQL: subscriptions
    ("GQL-SUB-007", "the start is acknowledged before its document is validated"),
    ("GQL-SUB-009", "the subscription is registered before the acknowledgement is queued"),
    ("GQL-SUB-013", "the result is serialized twice and arrives as a text"),
    ("GQL-SUB-014", "the result of the mutation is sent as it is, not cut to the selection set of the subscriber"),
    ("GQL-SUB-015", "fields are resolved anew for the subscriber instead of taken from the mutation's result"),
    ("GQL-SUB-017", "subscriptions are kept in a map by connection or by client, so one replaces another"),
    ("GQL-SUB-020", "events are queued for clients that are away, or a topic keeps its last event"),
    ("GQL-SUB-021", "the subscription is executed like a query at its start, and the result is sent"),
    ("GQL-SUB-024", "stop is handled without an answer, as in protocols where the client ends alone"),
    ("GQL-SUB-026", "the subscription is removed after complete has been sent, and not before"),
    ("GQL-SUB-028", "stop removes everything of the connection, or the entry at a wrong index"),
    ("GQL-SUB-029", "the count of subscriptions goes up at a start and never down at a stop"),
    ("GQL-SUB-030", "the server closes a connection that has become idle"),
    ("GQL-SUB-034", "the kind of the operation is not looked at before the start is acknowledged"),
    ("GQL-FILTER", "arguments are compared as texts, or a missing argument is taken for one that is null"),
    // GraphQL: the rest
    ("GQL-AUTH-016", "credentials are decoded and not compared with anything"),
    ("GQL-FRAME-006", "an own loop reads frames and leaves control frames unanswered"),
    ("GQL-FRAME-008", "the server parses each frame for itself and ignores the continuation bit"),
    ("GQL-FRAME-010", "the text is parsed outside of the block that handles errors"),
    ("GQL-HTTP-003", "credentials are checked at the WebSocket endpoint only"),
    ("GQL-HTTP-004", "any key is accepted at the HTTP endpoint"),
    ("GQL-HTTP-008", "the body parser of the framework answers before the server does"),
    ("GQL-HTTP-014", "the operation is executed like a query"),
    ("GQL-HTTP-015", "events go by the name of the mutation instead of the aws_subscribe list"),
    ("GQL-HTTP-017", "only POST is routed"),
    ("GQL-LIMIT-003", "the limit is not implemented, or the whole connection is closed at it"),
    // Events: opening and credentials
    ("EVT-HANDSHAKE-002", "the path is matched by its beginning only"),
    ("EVT-HANDSHAKE-010", "the library accepts any subprotocol, or none, by itself"),
    ("EVT-INIT", "the session is opened by the upgrade and connection_init changes nothing"),
    ("EVT-AUTH-015", "names of members are compared with their letter case, unlike HTTP headers"),
    ("EVT-AUTH-021", "the credentials of the connection stand in for those of the message"),
    ("EVT-KA", "the timer is started once and not again, or belongs to the subscriptions"),
    // Events: channels and subscriptions
    ("EVT-CHANNEL-004", "channels are compared as texts, with and without the slash in front"),
    ("EVT-CHANNEL-006", "channels are made lower-case before they are compared"),
    ("EVT-CHANNEL-007", "namespaces are made when they are used instead of looked up"),
    ("EVT-CHANNEL-008", "a missing namespace is reported as not found, or made"),
    ("EVT-CHANNEL-011", "the wildcard is matched against one segment only"),
    ("EVT-CHANNEL-012", "the prefix is compared without the slash that follows it"),
    ("EVT-CHANNEL-013", "publish and subscribe share one check of channels"),
    ("EVT-CHANNEL-014", "patterns are handed to a glob library that knows more wildcards"),
    ("EVT-CHANNEL-016", "patterns are handed to a glob library that knows more wildcards"),
    ("EVT-CHANNEL-021", "the path is split at slashes and empty parts are dropped"),
    ("EVT-CHANNEL-022", "the characters of a segment are not checked"),
    ("EVT-CHANNEL-024", "channels are compared as texts instead of by their segments"),
    // Events: delivery
    ("EVT-DATA-002", "the event is sent as JSON instead of as a string that holds JSON"),
    ("EVT-DATA-003", "the events of a batch are sent on in one message"),
    ("EVT-DATA-004", "subscriptions are kept by connection and channel, so a second one replaces the first"),
    ("EVT-DATA-005", "the publishing connection is left out, as brokers do"),
    ("EVT-DATA-006", "channels are compared by their beginning"),
    ("EVT-DATA-008", "a topic keeps its last event for later subscribers"),
    ("EVT-DATA-011", "the publish is passed on as it came"),
    ("EVT-PUB-003", "each event is parsed as an object, or not looked at"),
    ("EVT-PUB-004", "the number of events is not checked, or answered like any bad request"),
    ("EVT-PUB-007", "only the type and the id are sent back"),
    ("EVT-PUB-009", "index counts successes instead of positions, or identifiers repeat the index"),
    // Events: errors and frames
    ("EVT-ERR-001", "errors are texts, or the type stands in another member"),
    ("EVT-ERR-005", "errors are built where the id of the operation is not known any more"),
    ("EVT-ERR-008", "a text that cannot be parsed is dropped"),
    ("EVT-ERR-015", "any error ends the loop that reads the connection"),
    ("EVT-FRAME-002", "binary messages are decoded as text"),
    ("EVT-FRAME-003", "the server parses each frame for itself and ignores the continuation bit"),
    ("EVT-CLOSE-010", "the end of the transport is noticed only when the next event is sent"),
    // The suite's own
    ("SYN-ALIVE", "an exception that nobody catches ends the process or the connection"),
];

/// What usually causes a breach of this requirement; `None` where nothing is known.
pub fn usual_cause(requirement: &str) -> Option<&'static str> {
    let find = |wanted: &str| CAUSES.iter().find(|(name, _)| *name == wanted).map(|(_, cause)| *cause);
    find(requirement).or_else(|| requirement.rsplit_once('-').and_then(|(area, _)| find(area)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use appsync_protocol::requirement::Requirement;

    use super::*;

    #[test]
    fn every_row_names_something_that_binds_a_server_once() {
        let mut seen = BTreeSet::new();
        for (name, cause) in CAUSES {
            let concerns = |rule: &Requirement| {
                rule.id() == *name || rule.id().rsplit_once('-').is_some_and(|(area, _)| area == *name)
            };
            assert!(Requirement::ALL.iter().any(concerns), "{name} names no requirement");
            assert!(seen.insert(name), "{name} twice");
            assert!(cause.is_ascii() && !cause.ends_with('.'), "{name}: {cause}");
        }
    }

    #[test]
    fn a_requirement_comes_before_its_area_and_the_unknown_has_none() {
        assert!(usual_cause("GQL-INIT-003").unwrap().contains("connectionTimeout"));
        assert_eq!(usual_cause("EVT-KA-001"), usual_cause("EVT-KA-002"));
        assert_eq!(usual_cause("GQL-SUB-999"), None);
        assert_eq!(usual_cause(""), None);
    }
}
