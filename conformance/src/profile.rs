//! What is known of a target: what a probe has seen, what its owner declares, and where the two part.
//!
//! Each fact has one of three states: *declared* by the owner, *detected* by a probe, *denied* by the owner. What
//! nobody speaks of is unknown. A denial is kept to; a declaration fills in where a probe cannot see; where both speak
//! and differ, that is a finding and never silently one of the two. Set-up that no probe can see
//! ([`Capability`](crate::scenario::Capability)) is declared and not detected.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! facts {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal;)*) => {
        /// Something that a probe can see of a target.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fact {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Fact {
            /// Every fact.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its public name, in kebab-case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_start()),* }
            }
        }
    };
}

facts! {
    /// It speaks the GraphQL dialect.
    DialectGraphql "dialect-graphql";
    /// It speaks the Events dialect.
    DialectEvents "dialect-events";
    /// A 101 selects the subprotocol of the dialect.
    SubprotocolEcho "subprotocol-echo";
    /// It takes credentials in the query of the URL.
    CarrierQuery "carrier-query";
    /// It takes credentials in a token of `Sec-WebSocket-Protocol`.
    CarrierSubprotocol "carrier-subprotocol";
    /// It takes credentials in header fields of the upgrade.
    CarrierHeaders "carrier-headers";
    /// It takes API keys.
    ModeApiKey "mode-api-key";
    /// It takes AWS signatures.
    ModeIam "mode-iam";
    /// It takes JWTs of an OpenID Connect provider.
    ModeOidc "mode-oidc";
    /// It takes JWTs of a Cognito user pool.
    ModeCognito "mode-cognito";
    /// It takes tokens for a Lambda authorizer.
    ModeLambda "mode-lambda";
    /// Its schema can be asked for.
    Introspection "introspection";
    /// Its schema has `publish2channel` and `subscribe2channel`.
    ChannelSchema "channel-schema";
    /// Its schema has `sendMessage` and `subscribeToMessages`.
    MessageSchema "message-schema";
    /// Its schema has `addNote` and `onNote`.
    NoteSchema "note-schema";
}

impl Fact {
    /// The fact of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fact| fact.name() == name)
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is said of one fact, by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What the owner says.
    pub declared: Option<bool>,
    /// What a probe has seen.
    pub detected: Option<bool>,
}

/// How a fact stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The owner says that it is there, and no probe says otherwise.
    Declared,
    /// A probe has seen it.
    Detected,
    /// The owner says that it is not there.
    Denied,
    /// A probe has seen that it is not there.
    Absent,
    /// Nobody knows.
    Unknown,
}

impl State {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Detected => "detected",
            Self::Denied => "denied",
            Self::Absent => "absent",
            Self::Unknown => "unknown",
        }
    }
}

impl Standing {
    /// The state, which a conflict does not change: a denial is kept to, and what a probe does not find is not there.
    pub const fn state(self) -> State {
        match (self.declared, self.detected) {
            (Some(false), _) => State::Denied,
            (Some(true) | None, Some(false)) => State::Absent,
            (Some(true), Some(true) | None) => State::Declared,
            (None, Some(true)) => State::Detected,
            (None, None) => State::Unknown,
        }
    }

    /// What a report says where owner and probe disagree.
    pub const fn conflict(self) -> Option<&'static str> {
        match (self.declared, self.detected) {
            (Some(true), Some(false)) => Some("it is declared, but was not detected: what needs it does not apply"),
            (Some(false), Some(true)) => Some("it is denied, but was detected: what needs it is left out all the same"),
            (Some(true) | None, Some(true) | None) | (Some(false) | None, Some(false) | None) => None,
        }
    }

    /// Whether it can be counted on; `otherwise` where nobody knows.
    pub const fn holds(self, otherwise: bool) -> bool {
        match self.state() {
            State::Declared | State::Detected => true,
            State::Denied | State::Absent => false,
            State::Unknown => otherwise,
        }
    }
}

/// What a probe has found. As TOML it can be named in `syncspec.toml` (`profile = "..."`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Profile {
    /// The version that has written it.
    #[serde(default)]
    pub syncspec: String,
    /// URL of the HTTP endpoint.
    pub endpoint: String,
    /// URL of the real-time endpoint.
    #[serde(default)]
    pub realtime: String,
    /// `graphql` or `events`.
    #[serde(default)]
    pub dialect: String,
    /// Facts that are there, or are not, by name.
    #[serde(default)]
    pub detected: BTreeMap<String, bool>,
    /// Advertised timers in milliseconds.
    #[serde(default)]
    pub timers: BTreeMap<String, u64>,
    /// Namespaces that were asked for, and whether they are there (Events).
    #[serde(default)]
    pub namespaces: BTreeMap<String, bool>,
    /// Measured limits; only what was asked for with `--limits`.
    #[serde(default)]
    pub limits: BTreeMap<String, Measured>,
    /// Subscription fields of the schema (GraphQL).
    #[serde(default)]
    pub subscriptions: Vec<String>,
    /// Why something is said, or is not, by name.
    #[serde(default)]
    pub because: BTreeMap<String, String>,
}

/// A limit between two measured values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Measured {
    /// The largest value that was taken; zero if none was.
    pub taken: u64,
    /// The smallest value that was refused; absent if none was tried that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u64>,
    /// What is counted.
    pub unit: String,
}

impl Profile {
    /// Reads what [`to_toml`](Self::to_toml) has written.
    ///
    /// # Errors
    /// When it is no such text, or names a fact that nobody knows.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let profile: Self = toml::from_str(text).map_err(|error| error.to_string().trim().replace('\n', " "))?;
        match profile.detected.keys().find(|name| Fact::named(name).is_none()) {
            Some(name) => Err(format!("detected.{name}: no such fact; was it written by another version?")),
            None => Ok(profile),
        }
    }

    /// As TOML, with a line that says what it is.
    pub fn to_toml(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        format!("# What syncspec probe has seen of this target. Name it as profile = \"...\" in syncspec.toml.\n{text}")
    }

    /// Notes a fact, with the reason.
    pub fn note(&mut self, fact: Fact, has: Option<bool>, because: impl Into<String>) {
        if let Some(has) = has {
            self.detected.insert(fact.name().into(), has);
        }
        self.because.insert(fact.name().into(), because.into());
    }

    /// What was detected of a fact.
    pub fn detected(&self, fact: Fact) -> Option<bool> {
        self.detected.get(fact.name()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_told_and_decided_for_caution() {
        let of = |declared, detected| Standing { declared, detected };

        assert_eq!(of(Some(true), Some(false)).state(), State::Absent);
        assert_eq!(of(Some(false), Some(true)).state(), State::Denied);
        assert!(of(Some(true), Some(false)).conflict().is_some() && of(Some(false), Some(true)).conflict().is_some());
        assert!(of(Some(true), Some(true)).conflict().is_none() && of(None, Some(false)).conflict().is_none());
        assert!(of(Some(true), None).holds(false) && !of(None, None).holds(false) && of(None, None).holds(true));
    }

    #[test]
    fn a_profile_is_read_back_as_it_was_written() {
        let mut profile = Profile { endpoint: "http://localhost/graphql".into(), ..Profile::default() };
        profile.note(Fact::ChannelSchema, Some(true), "asked the schema");
        profile.timers.insert("connectionTimeoutMs".into(), 300_000);
        profile.limits.insert("subscriptions".into(), Measured { taken: 3, refused: Some(4), unit: "each".into() });

        assert_eq!(Profile::from_toml(&profile.to_toml()), Ok(profile));
    }

    #[test]
    fn a_profile_with_an_unknown_fact_is_refused_by_its_name() {
        let error = Profile::from_toml("endpoint = \"x\"\n[detected]\nmagic = true\n").unwrap_err();

        assert!(error.starts_with("detected.magic: no such fact"), "{error}");
        assert!(Profile::from_toml("endpoint = 7").is_err());
    }
}
