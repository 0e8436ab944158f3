//! The target that a command is about: from its arguments, from `syncspec.toml`, or from both.
//!
//! | Given | Means |
//! |---|---|
//! | ENDPOINT that a target of `./syncspec.toml` has | that target |
//! | another ENDPOINT, no `--config` and no `--target` | just that; the file is left alone |
//! | `--config` or `--target`, with an ENDPOINT | the target of the file, at this endpoint |
//! | neither | the target of `./syncspec.toml`, if it is there |
//!
//! An option beats the file, and the file beats the environment: the key of one target is never sent to another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use syncspec::config::{self, FILE_NAME, SecretSource, Targets, placeholders};
use syncspec::link::Dialer;
use syncspec::profile::{Fact, Profile};
use syncspec::scenario::own::Trigger;
use syncspec::scenario::{Capabilities, Capability, Own};
use syncspec::target::Spec;

use super::credentials::{ModeChoice, SuiteCredentials, first_line, printed_by};
use super::reach::TargetOptions;

/// Which endpoint, and who speaks to it.
#[derive(Args, Clone)]
pub(super) struct Whom {
    /// URL of the HTTP endpoint (".../graphql" or ".../event"). Without it the target of syncspec.toml.
    pub(super) endpoint: Option<String>,

    /// Read targets from this file. [default: syncspec.toml in the working directory, where there is one]
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    pub(super) config: Option<PathBuf>,
    /// The target of that file, where it has several.
    #[arg(long = "target", value_name = "NAME", help_heading = "Target")]
    pub(super) target_name: Option<String>,
    #[command(flatten)]
    pub(super) target: TargetOptions,
    #[command(flatten)]
    pub(super) credentials: SuiteCredentials,
    /// A channel namespace of the target (Events); give two to test that they are apart. [default: default]
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub(super) namespace: Vec<String>,
    /// Set-up that the target has, such as enhanced-filters; repeatable. An unknown name lists them all.
    #[arg(long, value_name = "CAPABILITY", value_parser = capability, help_heading = "Target")]
    pub(super) declare: Vec<Capability>,
}

/// What was chosen.
pub(super) struct Chosen {
    /// Its name in the file.
    pub(super) name: Option<String>,
    /// Everything that is known of it.
    pub(super) spec: Spec,
    /// Guards of the file.
    pub(super) guards: Guards,
    /// Expected verdicts.
    pub(super) baseline: Option<PathBuf>,
    reach: Reach,
}

/// Guards of a file.
#[derive(Clone, Copy, Default)]
pub(super) struct Guards {
    pub(super) connections: Option<u64>,
    pub(super) messages: Option<u64>,
    pub(super) minutes: Option<u64>,
    pub(super) rate: Option<u32>,
}

/// How to get there, where the file says so.
#[derive(Clone, Default)]
struct Reach {
    connect_to: Vec<String>,
    ca: Option<PathBuf>,
    insecure: bool,
}

impl Whom {
    /// The target; `None` where nothing names one.
    pub(super) fn choose(&self) -> Result<Option<Chosen>, String> {
        match self.file_target()? {
            Some(target) => self.with_file(&target).map(Some),
            None if self.endpoint.is_none() => Ok(None),
            None => {
                let spec = Spec {
                    endpoint: self.endpoint.clone(),
                    realtime: self.target.realtime.clone(),
                    dialect: self.target.dialect(),
                    namespaces: self.namespace.clone(),
                    capabilities: self.declared(Capabilities::default()),
                    ..Spec::default()
                };
                let spec = self.credentials.complete(spec)?;
                let (guards, reach) = (Guards::default(), Reach::default());
                Ok(Some(Chosen { name: None, spec, guards, baseline: None, reach }))
            }
        }
    }

    /// These and what the arguments declare.
    fn declared(&self, by_file: Capabilities) -> Capabilities {
        self.declare.iter().fold(by_file, |all, one| all.declare(*one))
    }

    fn file_target(&self) -> Result<Option<config::Target>, String> {
        let told = |error: syncspec::settings::SettingsError| error.to_string();
        let asked_for = self.config.is_some() || self.target_name.is_some();
        let path = self.config.clone().unwrap_or_else(|| FILE_NAME.into());
        if !asked_for && !path.exists() {
            return Ok(None);
        }
        let targets = Targets::read(&path).map_err(told)?;
        match &self.endpoint {
            Some(endpoint) if !asked_for => targets.target_at(endpoint).transpose().map_err(told),
            Some(_) | None => targets.target(self.target_name.as_deref()).map(Some).map_err(told),
        }
    }

    fn with_file(&self, target: &config::Target) -> Result<Chosen, String> {
        let table = &target.table;
        let texts = |list: &[toml::Spanned<String>]| -> Vec<String> {
            list.iter().map(|value| value.get_ref().clone()).collect()
        };
        let or =
            |own: &[String], file: &[toml::Spanned<String>]| if own.is_empty() { texts(file) } else { own.to_vec() };
        let (declared, capabilities) = declarations(target)?;
        let mut hidden = Vec::new();
        let own = target.own.clone().map(|own| filled(own, &mut hidden)).transpose()?;
        let mut spec = Spec {
            endpoint: self.endpoint.clone().or_else(|| Some(table.endpoint.get_ref().clone())),
            realtime: self.target.realtime.clone().or_else(|| table.realtime.as_ref().map(|url| url.get_ref().clone())),
            dialect: self.target.dialect().or(target.dialect),
            namespaces: or(&self.namespace, &table.namespaces),
            channel_prefix: table.channel_prefix.as_ref().map(|text| text.get_ref().clone()).unwrap_or_default(),
            own: own.map(Arc::new),
            probed: probed(target)?,
            declared,
            capabilities: self.declared(capabilities),
            ..Spec::default()
        };
        spec = self.credentials.with_file(target)?.complete(spec)?;
        spec.keyring.hidden = hidden;
        let guards = Guards {
            connections: table.guards.max_connections.as_ref().map(|n| *n.get_ref()),
            messages: table.guards.max_messages.as_ref().map(|n| *n.get_ref()),
            minutes: table.guards.max_minutes.as_ref().map(|n| *n.get_ref()),
            rate: table.guards.publishes_per_second.as_ref().map(|n| *n.get_ref()),
        };
        let reach = Reach {
            connect_to: texts(&table.connect_to),
            ca: table.ca.as_ref().map(|path| target.beside(path.get_ref())),
            insecure: table.insecure,
        };
        let baseline = table.baseline.as_ref().map(|path| target.beside(path.get_ref()));
        Ok(Chosen { name: Some(target.name.clone()), spec, guards, baseline, reach })
    }
}

impl Chosen {
    /// What opens connections to this endpoint.
    pub(super) fn dialer(
        &self,
        options: &TargetOptions,
        endpoint: &syncspec::run::Endpoint,
        answer_timeout: Duration,
    ) -> Result<Dialer, String> {
        let mut options = options.clone();
        if options.connect_to.is_empty() {
            options.connect_to.clone_from(&self.reach.connect_to);
        }
        options.ca = options.ca.or_else(|| self.reach.ca.clone());
        options.insecure |= self.reach.insecure;
        options.dialer(Some((&endpoint.http, &endpoint.realtime)), answer_timeout)
    }
}

/// Facts and set-up that the file declares or denies.
fn declarations(target: &config::Target) -> Result<(BTreeMap<Fact, bool>, Capabilities), String> {
    let (mut facts, mut set_up) = (BTreeMap::new(), Capabilities::default());
    for (name, has) in &target.capabilities {
        match (Fact::named(name), Capability::named(name)) {
            (Some(fact), _) => drop(facts.insert(fact, *has)),
            (None, Some(capability)) if *has => set_up = set_up.declare(capability),
            (None, Some(capability)) => set_up = set_up.deny(capability),
            (None, None) => {
                let facts = Fact::ALL.iter().map(|fact| fact.name());
                let known: Vec<_> = facts.chain(Capability::ALL.iter().map(|c| c.name())).collect();
                return Err(format!(
                    "targets.{}.capabilities.{name}: no such capability; expected one of {}",
                    target.name,
                    known.join(", ")
                ));
            }
        }
    }
    Ok((facts, set_up))
}

/// What the profile of the file has seen.
fn probed(target: &config::Target) -> Result<BTreeMap<Fact, bool>, String> {
    let Some(path) = &target.table.profile else { return Ok(BTreeMap::new()) };
    let path = target.beside(path.get_ref());
    let at = |error: &dyn std::fmt::Display| format!("targets.{}.profile: {}: {error}", target.name, path.display());
    let text = std::fs::read_to_string(&path).map_err(|error| at(&error))?;
    let profile = Profile::from_toml(&text).map_err(|error| at(&error))?;
    Ok(Fact::ALL.iter().filter_map(|fact| Some((*fact, profile.detected(*fact)?))).collect())
}

/// Puts variables of the environment where the trigger names them, and keeps their values in mind.
fn filled(mut own: Own, hidden: &mut Vec<String>) -> Result<Own, String> {
    let Trigger::Http { headers, body, .. } = &mut own.trigger else { return Ok(own) };
    for text in headers.iter_mut().map(|(_, value)| value).chain([body]) {
        for name in placeholders(&text.clone()) {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| format!("trigger.http: the environment variable {name} is not set"))?;
            *text = text.replace(&format!("${{env:{name}}}"), &value);
            hidden.push(value);
        }
    }
    Ok(own)
}

impl SuiteCredentials {
    /// What the arguments say, else what the file says, else what the environment says.
    fn with_file(&self, target: &config::Target) -> Result<Self, String> {
        let file = &target.table.credentials;
        let named = file.api_key.is_some() || !file.tokens.is_empty() || file.iam;
        let by_environment = |name: &str, value: &str| std::env::var(name).is_ok_and(|given| given == value);
        let mut own = self.clone();
        if named {
            own.api_key = own.api_key.filter(|key| !by_environment("SYNCSPEC_API_KEY", key));
            own.token.retain(|token| !by_environment("SYNCSPEC_TOKEN", token));
        }
        let no_tokens = own.token.is_empty() && own.token_file.is_empty() && own.token_command.is_empty();
        let given = own.api_key.is_some() || !no_tokens || own.iam;
        let at = |key: &str, why: String| format!("targets.{}.credentials.{key}: {why}", target.name);
        if !given {
            if let Some(source) = &file.api_key {
                own.api_key = Some(value_of(source.get_ref(), target).map_err(|why| at("api-key", why))?);
            }
            for source in &file.tokens {
                own.token.push(value_of(source.get_ref(), target).map_err(|why| at("tokens", why))?);
            }
            own.iam = file.iam;
        }
        own.profile = own.profile.or_else(|| file.aws_profile.clone());
        own.region = own.region.or_else(|| file.region.clone());
        own.denied = own.denied.or_else(|| file.denied.clone());
        if let (None, Some(word)) = (own.mode, &file.mode) {
            let mode = <ModeChoice as clap::ValueEnum>::from_str(word.get_ref(), false);
            let expected = "expected api-key, iam, oidc, cognito or lambda";
            own.mode = Some(mode.map_err(|_| at("mode", format!("{expected}; got {:?}", word.get_ref())))?);
        }
        Ok(own)
    }
}

fn value_of(source: &SecretSource, target: &config::Target) -> Result<String, String> {
    let empty = || format!("the {source} is empty");
    match source {
        SecretSource::Env(name) => {
            let value = std::env::var(name).map_err(|_| format!("the {source} is not set"))?;
            first_line(&value).ok_or_else(empty)
        }
        SecretSource::File(path) => {
            let path: &Path = &target.beside(path);
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            first_line(&text).ok_or_else(empty)
        }
        SecretSource::Command(line) => printed_by(line).map_err(|why| format!("the {source}: {why}")),
    }
}

fn capability(name: &str) -> Result<Capability, String> {
    let all = || {
        let lines = Capability::ALL.iter().map(|own| format!("  {own}: {}", own.promise()));
        lines.collect::<Vec<_>>().join("\n")
    };
    Capability::named(name).ok_or_else(|| format!("expected one of\n{}", all()))
}
