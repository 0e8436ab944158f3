//! The saboteurs of these scenarios.

use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::super::steps::edit;
use crate::fault::{Change, DoorCheck, Fault, How, Nth, rewrites};

/// Takes a request with white space around it for none.
fn no_white_space_in_data(text: &str) -> Option<String> {
    let mut message = parse_json(text)?;
    let data = message.get_mut("payload")?.get_mut("data")?;
    let is_spaced = data.as_str().is_some_and(|data| data.trim() != data);
    *data = Json::String("{".into());
    is_spaced.then(|| message.to_string())
}

/// Takes a message with white space around it for one of no type.
fn no_white_space(text: &str) -> Option<String> {
    (text.trim() != text).then(|| r#"{"type":""}"#.to_owned())
}

const fn rewrite(name: &'static str, about: &'static str, caught_by: &'static str, change: fn(&mut Json)) -> Fault {
    let how = edit("data", Nth::Every, Change::Rewrite(change));
    Fault { name, about, breaks: R::GqlSub012, caught_by, how }
}

const LISTS: &str = "graphql/delivery/lists-keep-their-form";
const ITEMS: &str = "graphql/delivery/truths-fractions-and-objects";
const TEXTS: &str = "graphql/delivery/texts-that-mean-nothing";

pub(in super::super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-equal-mutations-once",
        about: "delivers a result once, however often it is returned",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/equal-mutations",
        how: edit("data", Nth::Every, Change::DropSeen),
    },
    Fault {
        name: "graphql-equal-mutations-in-a-row-once",
        about: "does not deliver a result that is the same as the one before",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/equal-mutations",
        how: edit("data", Nth::Every, Change::DropRepeated),
    },
    rewrite("graphql-lists-sorted", "sorts the elements of lists", LISTS, rewrites::lists_sorted),
    rewrite("graphql-lists-made-unique", "leaves out repeated elements of lists", LISTS, rewrites::lists_made_unique),
    rewrite("graphql-nulls-left-out-of-lists", "leaves nulls out of lists", LISTS, rewrites::nulls_left_out_of_lists),
    rewrite("graphql-empty-lists-become-null", "sends null for empty lists", LISTS, rewrites::empty_lists_are_null),
    rewrite("graphql-lists-backwards", "turns lists around", LISTS, rewrites::lists_backwards),
    rewrite("graphql-false-becomes-null", "sends null for false", ITEMS, rewrites::false_is_null),
    rewrite("graphql-fractions-cut", "cuts the fractions of numbers", ITEMS, rewrites::fractions_cut),
    rewrite("graphql-nulls-left-out", "leaves out members that are null", ITEMS, rewrites::null_is_left_out),
    rewrite("graphql-empty-text-becomes-null", "sends null for empty texts", TEXTS, rewrites::empty_text_is_null),
    rewrite("graphql-text-null-becomes-null", "sends null for the text null", TEXTS, rewrites::text_null_is_null),
    rewrite("graphql-texts-are-read", "sends what a text reads like", TEXTS, rewrites::text_of_json_is_read),
    Fault {
        name: "graphql-first-mutation-only",
        about: "tells nobody of the second mutation of a request",
        breaks: R::GqlHttp015,
        caught_by: "graphql/http/two-mutations",
        how: How::Door(DoorCheck::HttpEveryMutation),
    },
    Fault {
        name: "graphql-argument-of-zero-is-none",
        about: "takes an argument that is zero for one that is left out",
        breaks: R::GqlFilter002,
        caught_by: "graphql/filter/argument-of-zero",
        how: How::Skip(Check::ArgumentOfNothing),
    },
    Fault {
        name: "graphql-argument-of-no-text-is-none",
        about: "takes an argument that is an empty text for one that is left out",
        breaks: R::GqlFilter002,
        caught_by: "graphql/filter/argument-of-no-text",
        how: How::Skip(Check::ArgumentOfNothing),
    },
    Fault {
        name: "graphql-white-space-in-data-refused",
        about: "takes payload.data with white space around it for no request",
        breaks: R::GqlFrame001,
        caught_by: "graphql/framing/white-space-in-a-start",
        how: How::Mishear(no_white_space_in_data),
    },
    Fault {
        name: "graphql-white-space-refused",
        about: "does not know the type of a message with white space around it",
        breaks: R::GqlFrame001,
        caught_by: "graphql/framing/white-space-in-a-start",
        how: How::Mishear(no_white_space),
    },
    Fault {
        name: "graphql-escapes-as-they-are",
        about: "does not read the escapes of a message",
        breaks: R::GqlFrame001,
        caught_by: "graphql/framing/escaped-names-and-types",
        how: How::Mishear(crate::catalogue::events::alike::escapes_as_they_are),
    },
    Fault {
        name: "graphql-ids-nearly-the-same-are-in-use",
        about: "takes ids for in use that differ from one in case or in what parts their words",
        breaks: R::GqlSub006,
        caught_by: "graphql/subscribe/ids-nearly-the-same",
        how: How::Skip(Check::SubscribeIdExact),
    },
    Fault {
        name: "graphql-stops-an-id-nearly-the-same",
        about: "ends a subscription whose id is nearly the one that is given",
        breaks: R::GqlSub028,
        caught_by: "graphql/unsubscribe/ids-nearly-the-same",
        how: How::Skip(Check::UnsubscribeIdExact),
    },
];
