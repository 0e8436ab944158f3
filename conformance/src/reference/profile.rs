//! Profiles: which reading of each ambiguity the endpoint follows, and how eventual it is.
//!
//! A switch is named after the ambiguity that it settles, so that a report can say which reading of the protocol a peer
//! was tried against. `live` is the service as it is known.

use std::fmt;
use std::time::Duration;

use appsync_protocol::server::readings::{
    ConnectCarriers, ConnectWord, EventForm, Kilobyte, LambdaError, Readings, SubscribeDenial,
};
use appsync_protocol::server::{Eventual, Policy};

/// A choice of readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    name: &'static str,
    readings: Readings,
    eventual: Option<Eventual>,
}

impl Default for Profile {
    fn default() -> Self {
        Self::live()
    }
}

/// Why a profile or a switch cannot be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileError {
    /// There is no profile of this name.
    UnknownProfile(String),
    /// No switch settles this ambiguity.
    UnknownSwitch(String),
    /// The ambiguity has no such reading.
    UnknownReading {
        /// Its id.
        ambiguity: &'static str,
        /// What was asked for.
        reading: String,
        /// The readings that there are.
        known: Vec<&'static str>,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownProfile(name) => {
                write!(f, "profile: expected one of {}; got {name:?}", Profile::NAMES.join(", "))
            }
            Self::UnknownSwitch(id) => {
                write!(f, "switch: expected the id of an ambiguity that a profile settles; got {id:?}")
            }
            Self::UnknownReading { ambiguity, reading, known } => {
                write!(f, "switch {ambiguity}: expected one of {}; got {reading:?}", known.join(", "))
            }
        }
    }
}

impl std::error::Error for ProfileError {}

/// What seeds the draws of `live-eventual` unless somebody chooses another.
const SEED: u64 = 1;

impl Profile {
    /// The names of the profiles; the first is the default.
    pub const NAMES: [&'static str; 3] = ["live", "live-eventual", "docs-literal"];

    /// The service as it is known, and as fast as it can be.
    pub fn live() -> Self {
        Self { name: "live", readings: Readings::default(), eventual: None }
    }

    /// The same, but subscriptions need up to 5 s to settle, events come in no order, and answers come late.
    pub fn live_eventual(seed: u64) -> Self {
        let eventual = Eventual { seed, settling_max: Duration::from_secs(5), late_max: Duration::from_millis(50) };
        Self { name: "live-eventual", eventual: Some(eventual), ..Self::live() }
    }

    /// What the pages say, also where the service was seen to do otherwise.
    pub fn docs_literal() -> Self {
        let readings = Readings {
            event_form: EventForm::Array,
            lambda_error: LambdaError::Hidden,
            subscribe_denial: SubscribeDenial::Unauthorized,
            connect_carriers: ConnectCarriers::SubprotocolAlone,
            connect_word: ConnectWord::Error,
            ..Readings::default()
        };
        Self { name: "docs-literal", readings, eventual: None }
    }

    /// The profile of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        match name {
            "live" => Ok(Self::live()),
            "live-eventual" => Ok(Self::live_eventual(SEED)),
            "docs-literal" => Ok(Self::docs_literal()),
            other => Err(ProfileError::UnknownProfile(other.into())),
        }
    }

    /// What it is called.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Chooses another reading of one ambiguity, both by the words of [`Self::switches`].
    ///
    /// # Errors
    /// When there is no such switch or no such reading.
    pub fn choose(&mut self, ambiguity: &str, reading: &str) -> Result<(), ProfileError> {
        let mut switches = self.readings.switches().into_iter();
        let Some(switch) = switches.find(|switch| switch.ambiguity() == ambiguity) else {
            return Err(ProfileError::UnknownSwitch(ambiguity.into()));
        };
        if switch.choose(reading) {
            return Ok(());
        }
        let (ambiguity, known) = (switch.ambiguity(), switch.words());
        Err(ProfileError::UnknownReading { ambiguity, reading: reading.into(), known })
    }

    /// The ambiguities that it settles, each with its reading, for printing.
    pub fn switches(&self) -> Vec<(&'static str, &'static str)> {
        let mut readings = self.readings;
        let mut switches: Vec<_> =
            readings.switches().into_iter().map(|switch| (switch.ambiguity(), switch.word())).collect();
        let eventual = self.eventual.is_some();
        let settling = if eventual { "events may be missed or late for 5 s" } else { "nothing is missed" };
        switches.push(("EVT-A-29", if eventual { "answer and data in any order" } else { "answer first" }));
        switches.push(("EVT-A-30", if eventual { "shuffled" } else { "in order" }));
        switches.push(("GQL-A-24", settling));
        switches.sort_unstable();
        switches
    }

    /// Lets a server follow it.
    pub fn apply(&self, policy: &mut Policy) {
        policy.readings = self.readings;
        policy.eventual = self.eventual;
        if self.readings.kilobyte == Kilobyte::Decimal {
            // Limits of a policy count in the other kind.
            policy.event_bytes_max = policy.event_bytes_max / Kilobyte::Binary.bytes() * Kilobyte::Decimal.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_names_the_profile_that_bears_it() {
        for name in Profile::NAMES {
            assert_eq!(Profile::named(name).unwrap().name(), name);
        }
        assert_eq!(Profile::default().name(), Profile::NAMES[0]);
    }

    #[test]
    fn an_unknown_profile_is_refused_with_the_known_ones() {
        let error = Profile::named("docs").unwrap_err();

        assert_eq!(error.to_string(), r#"profile: expected one of live, live-eventual, docs-literal; got "docs""#);
    }

    #[test]
    fn docs_literal_differs_from_live_in_what_the_pages_say() {
        let live = Profile::live().switches();
        let literal = Profile::docs_literal().switches();
        let differs: Vec<_> = literal.iter().filter(|switch| !live.contains(switch)).collect();

        assert_eq!(
            differs,
            [
                &("EVT-A-01", "array"),
                &("EVT-A-14", "hidden"),
                &("EVT-A-16", "unauthorized"),
                &("EVT-A-18", "subprotocol-alone"),
                &("GQL-A-04", "error"),
            ]
        );
    }

    #[test]
    fn a_single_switch_can_be_chosen_by_its_ambiguity() {
        let mut profile = Profile::live();

        profile.choose("EVT-A-08", "1008").unwrap();

        assert!(profile.switches().contains(&("EVT-A-08", "1008")));
    }

    #[test]
    fn an_unknown_switch_or_reading_is_refused_with_what_was_expected() {
        let mut profile = Profile::live();

        let unknown = profile.choose("EVT-A-99", "x").unwrap_err();
        let reading = profile.choose("EVT-A-01", "number").unwrap_err();

        assert!(unknown.to_string().contains("\"EVT-A-99\""), "{unknown}");
        assert_eq!(reading.to_string(), r#"switch EVT-A-01: expected one of string, array; got "number""#);
        assert_eq!(profile, Profile::live());
    }

    #[test]
    fn a_decimal_kilobyte_makes_the_limit_of_an_event_smaller() {
        let mut profile = Profile::live();
        let mut policy = Policy::default();

        profile.choose("EVT-A-12", "1000").unwrap();
        profile.apply(&mut policy);

        assert_eq!(policy.event_bytes_max, 240_000);
    }
}
