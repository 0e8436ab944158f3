//! The Lambda authorizer: a table of tokens in place of a function, with the cache that stands before it.
//!
//! A cached answer is used as long as its time to live says; zero, the default, means that every operation asks
//! again (GQL-AUTH-020, EVT-AUTH-029). Events caches by operation and channel as well as by token, GraphQL by token.
//! Failures and tokens of nobody are not cached.

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::server::{Asked, Identity, Mode};

use super::settings::{Answer, LambdaSettings, LambdaToken};
use super::{Checks, Denial, Purpose, is_same};
use crate::fault::AuthCheck;

pub(super) struct Lambda {
    settings: LambdaSettings,
    calls: u64,
    /// When each answer has to be asked for again.
    cache: BTreeMap<Key, u64>,
}

/// Operation, channel and token. Source: EVT-AUTH-029.
type Key = (&'static str, String, usize);

/// Answers that are kept before those whose time is over are thrown away.
const CACHE_MAX: usize = 4096;

impl Lambda {
    pub(super) fn new(settings: &LambdaSettings) -> Self {
        Self { settings: settings.clone(), calls: 0, cache: BTreeMap::new() }
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
        let known = self.settings.tokens.iter().position(|own| is_same(&own.token, token));
        let Some(index) = known else {
            self.calls += 1;
            if !checks.makes(AuthCheck::LambdaAnswer) {
                return Ok(Identity { mode: Mode::Lambda, ..Identity::default() });
            }
            return Err(Denial::Unauthorized);
        };
        let own = &self.settings.tokens[index];
        let (operation, channel) = cached_by(purpose);
        let key = (operation, channel.to_owned(), index);
        if self.cache.get(&key).is_some_and(|end| now_unix_s < *end) {
            return answer(own);
        }
        self.calls += 1;
        let ttl_s = own.ttl_s.unwrap_or(self.settings.ttl_s);
        if ttl_s > 0 && own.allow != Answer::Fail {
            if self.cache.len() >= CACHE_MAX {
                self.cache.retain(|_, end| now_unix_s < *end);
            }
            if self.cache.len() < CACHE_MAX {
                self.cache.insert(key, now_unix_s.saturating_add(ttl_s));
            }
        }
        answer(own)
    }
}

fn answer(own: &LambdaToken) -> Result<Identity, Denial> {
    match own.allow {
        Answer::Allow => Ok(Identity {
            mode: Mode::Lambda,
            name: own.identity.clone(),
            groups: Vec::new(),
            denied_fields: own.denied_fields.clone(),
        }),
        Answer::Deny => Err(Denial::Unauthorized),
        Answer::Fail => Err(Denial::AuthorizerFailed),
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
