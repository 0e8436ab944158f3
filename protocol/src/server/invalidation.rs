//! The end of subscriptions that were invalidated: which they are is the hub's business, how they end is here.

use alloc::string::String;
use alloc::vec::Vec;

use super::{GqlA07, Policy, Refusal, Server};
use crate::encode::ObjectWriter;

impl Server {
    /// Ends subscriptions that were invalidated, and the connection with them where the policy says so.
    ///
    /// Source: GQL-FILTER-026; the form is disputed (GQL-A-07).
    pub fn invalidate(&mut self, ids: &[String], policy: &Policy) {
        for id in ids.iter().filter(|id| self.drop_one(id)).collect::<Vec<_>>() {
            match policy.gql_a_07 {
                GqlA07::Complete | GqlA07::CompleteOnly => {
                    let mut text = String::new();
                    ObjectWriter::message(&mut text, "complete").string("id", id).close();
                    self.say(text);
                }
                GqlA07::Error => {
                    self.say_errors("error", Some(id), &[Refusal::message("Subscription complete.")], &policy.readings);
                }
            }
        }
        match policy.gql_a_07 {
            GqlA07::Complete | GqlA07::Error if !ids.is_empty() => self.close(1000, ""),
            GqlA07::Complete | GqlA07::Error | GqlA07::CompleteOnly => {}
        }
    }
}
