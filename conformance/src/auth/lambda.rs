//! The Lambda authorizer: a table of tokens in place of a function, with the cache that stands before it.
//!
//! A cached answer is used as long as its time to live says; zero, the default, means that every operation asks
//! again (GQL-AUTH-020, EVT-AUTH-029). Events caches by operation and channel as well as by token, GraphQL by token.
//! Failures and tokens of nobody are not cached.

use std::collections::{BTreeMap, BTreeSet};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::server::{Asked, Identity, Mode};

use super::settings::{Answer, LambdaSettings, LambdaToken};
use super::{Checks, Denial, Purpose, is_same};
use crate::fault::AuthCheck;

pub(super) struct Lambda {
    settings: LambdaSettings,
    calls: u64,
    /// Each answer that is kept, and when it has to be asked for again.
    cache: BTreeMap<Key, (u64, bool)>,
    /// Tokens that were allowed once.
    used: BTreeSet<String>,
}

/// Operation, channel and token. Source: EVT-AUTH-029.
type Key = (&'static str, String, String);

/// Seconds for which a faulty endpoint keeps answers that it should not keep.
const KEPT_WRONGLY_S: u64 = 300;

/// Answers that are kept before those whose time is over are thrown away.
const CACHE_MAX: usize = 4096;

impl Lambda {
    pub(super) fn new(settings: &LambdaSettings) -> Self {
        Self { settings: settings.clone(), calls: 0, cache: BTreeMap::new(), used: BTreeSet::new() }
    }

    pub(super) const fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) fn judge(
        &mut self,
        now_unix_s: u64,
        purpose: &Purpose<'_>,
        token: &str,
        checks: Checks,
    ) -> Result<Identity, Denial> {
        // A token that does not fit the expression never reaches the function.
        if self.settings.token_pattern.as_ref().is_some_and(|pattern| !pattern.is_match(token)) {
            return Err(Denial::Unauthorized);
        }
        let known = self.settings.tokens.iter().find(|own| is_meant(own, token, checks)).cloned();
        let Some(own) = known else {
            self.calls += 1;
            if !checks.makes(AuthCheck::LambdaAnswer) {
                return Ok(Identity { mode: Mode::Lambda, ..Identity::default() });
            }
            return Err(Denial::Unauthorized);
        };
        let (operation, channel) = match checks.makes(AuthCheck::LambdaKeptApart) {
            true => cached_by(purpose),
            false => ("ANY", ""),
        };
        let key = (operation, channel.to_owned(), token.to_owned());
        if let Some((_, allowed)) = self.cache.get(&key).filter(|(end, _)| now_unix_s < *end) {
            return if *allowed { Ok(identity(&own)) } else { Err(Denial::Unauthorized) };
        }
        self.calls += 1;
        let allowed = match own.allow {
            Answer::Allow => true,
            Answer::Deny => false,
            Answer::Fail if !checks.makes(AuthCheck::LambdaFailure) => true,
            Answer::Fail => return Err(Denial::AuthorizerFailed),
            Answer::Once => self.is_first(token),
        };
        let ttl_s = match own.ttl_s.unwrap_or(self.settings.ttl_s) {
            0 if !checks.makes(AuthCheck::LambdaAsked) => KEPT_WRONGLY_S,
            _ if !checks.makes(AuthCheck::LambdaKept) => 0,
            ttl_s => ttl_s,
        };
        self.keep(key, now_unix_s, ttl_s, allowed);
        if allowed { Ok(identity(&own)) } else { Err(Denial::Unauthorized) }
    }

    fn keep(&mut self, key: Key, now_unix_s: u64, ttl_s: u64, allowed: bool) {
        if ttl_s == 0 {
            return;
        }
        if self.cache.len() >= CACHE_MAX {
            self.cache.retain(|_, (end, _)| now_unix_s < *end);
        }
        if self.cache.len() < CACHE_MAX {
            self.cache.insert(key, (now_unix_s.saturating_add(ttl_s), allowed));
        }
    }

    /// Whether nobody asked about this token before. When too many are known, nobody is let in any more.
    fn is_first(&mut self, token: &str) -> bool {
        self.used.len() < CACHE_MAX && self.used.insert(token.to_owned())
    }
}

/// Whether the entry is for this token.
fn is_meant(own: &LambdaToken, token: &str, checks: Checks) -> bool {
    match own.token.strip_suffix('*') {
        Some(beginning) if own.allow == Answer::Once => token.starts_with(beginning),
        Some(_) | None => is_same(&own.token, token) || is_taken_for(&own.token, token, checks),
    }
}

/// Whether a faulty endpoint takes one token for the other: it looks at a part of them, or not at their case.
fn is_taken_for(own: &str, token: &str, checks: Checks) -> bool {
    let makes = |check| checks.makes(check);
    (!makes(AuthCheck::TokenEnd) && (own.starts_with(token) || token.starts_with(own)))
        || (!makes(AuthCheck::TokenBeginning) && (own.ends_with(token) || token.ends_with(own)))
        || (!makes(AuthCheck::TokenCase) && own.eq_ignore_ascii_case(token))
}

fn identity(own: &LambdaToken) -> Identity {
    Identity {
        mode: Mode::Lambda,
        name: own.identity.clone(),
        groups: Vec::new(),
        denied_fields: own.denied_fields.clone(),
    }
}

/// Operation and channel of the cache key; a wildcard stands for itself.
const fn cached_by<'a>(purpose: &Purpose<'a>) -> (&'static str, &'a str) {
    match purpose {
        Purpose::Connect(Dialect::Graphql)
        | Purpose::Operation(Asked::Start { .. })
        | Purpose::Http { dialect: Dialect::Graphql, .. } => ("GRAPHQL", ""),
        Purpose::Connect(Dialect::Events) => ("EVENT_CONNECT", ""),
        Purpose::Operation(Asked::Subscribe { channel, .. }) => ("EVENT_SUBSCRIBE", channel),
        Purpose::Operation(Asked::Publish { channel, .. })
        | Purpose::Http { dialect: Dialect::Events, channel: Some((channel, _)), .. } => ("EVENT_PUBLISH", channel),
        Purpose::Http { dialect: Dialect::Events, channel: None, .. } => ("EVENT_PUBLISH", ""),
    }
}
