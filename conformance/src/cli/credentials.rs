//! The credentials of `syncspec server`: several modes at once, and which of them is the main one.

use std::path::PathBuf;
use std::process::Command;

use clap::{Args, ValueEnum};
use syncspec::auth::{AwsKeys, Keyring, ModeName, region_of};
use syncspec::target::Spec;

/// Several may be given; scenarios for modes that are not are n/a.
#[derive(Args, Clone)]
pub(super) struct SuiteCredentials {
    /// API key. Safer in the environment: arguments show in process lists.
    #[arg(long, value_name = "KEY", env = "SYNCSPEC_API_KEY", hide_env_values = true, help_heading = "Credentials")]
    pub(super) api_key: Option<String>,
    /// JWT (Cognito, OIDC) or token of a Lambda authorizer; one for each mode. Safer in the environment.
    #[arg(long, value_name = "TOKEN", env = "SYNCSPEC_TOKEN", hide_env_values = true, help_heading = "Credentials")]
    pub(super) token: Vec<String>,
    /// The same, from the first line of a file.
    #[arg(long, value_name = "FILE", help_heading = "Credentials")]
    pub(super) token_file: Vec<PathBuf>,
    /// The same, from the first line that a command prints.
    #[arg(long, value_name = "CMD", help_heading = "Credentials")]
    pub(super) token_command: Vec<String>,
    /// Sign with AWS keys: those of AWS_ACCESS_KEY_ID and so on, else those of a profile in ~/.aws.
    #[arg(long, help_heading = "Credentials")]
    pub(super) iam: bool,
    /// The profile whose keys sign.
    #[arg(long, value_name = "NAME", requires = "iam", help_heading = "Credentials")]
    pub(super) profile: Option<String>,
    /// Region of the API, where neither its host nor the environment tells.
    #[arg(long, value_name = "REGION", requires = "iam", help_heading = "Credentials")]
    pub(super) region: Option<String>,
    /// The mode that scenarios use unless they are about another one; a single token is for it. [default: api-key]
    #[arg(long, value_enum, help_heading = "Credentials")]
    pub(super) mode: Option<ModeChoice>,
    /// A GraphQL subscription that the credentials of this mode may not start.
    #[arg(long, value_name = "DOCUMENT", help_heading = "Credentials")]
    pub(super) denied: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeChoice {
    ApiKey,
    Iam,
    Oidc,
    Cognito,
    Lambda,
}

impl From<ModeChoice> for ModeName {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::ApiKey => Self::ApiKey,
            ModeChoice::Iam => Self::Iam,
            ModeChoice::Oidc => Self::Oidc,
            ModeChoice::Cognito => Self::Cognito,
            ModeChoice::Lambda => Self::Lambda,
        }
    }
}

impl SuiteCredentials {
    /// Puts them into what is known of the target.
    pub(super) fn complete(&self, spec: Spec) -> Result<Spec, String> {
        let api_key = self.api_key.clone().filter(|key| !key.is_empty());
        let mut tokens: Vec<String> = self.token.iter().filter(|token| !token.is_empty()).cloned().collect();
        for path in &self.token_file {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| format!("--token-file {}: {error}", path.display()))?;
            tokens.push(first_line(&text).ok_or(format!("--token-file {}: its first line is empty", path.display()))?);
        }
        for command in &self.token_command {
            tokens.push(printed_by(command).map_err(|why| format!("--token-command {command:?}: {why}"))?);
        }
        let place = spec.place().map_err(|error| error.to_string())?;
        let iam = self.iam.then(|| {
            let region = self.region.clone().or_else(|| region_of(&place.auth_host).map(Into::into));
            AwsKeys::from_environment(self.profile.as_deref(), region.as_deref())
        });
        let iam = iam.transpose().map_err(|error| format!("--iam: {error}"))?;
        let main = self.mode.map(ModeName::from).map(Into::into);
        let keyring = Keyring::gathered(api_key.as_deref(), &tokens, iam, main)?;
        Ok(Spec { api_key, keyring, denied: self.denied.clone(), ..spec })
    }
}

/// The first line of what a command prints; what it says on standard error is for the person who gave it.
pub(super) fn printed_by(command: &str) -> Result<String, String> {
    let run = Command::new("sh").args(["-c", command]).stderr(std::process::Stdio::inherit()).output();
    let run = run.map_err(|error| error.to_string())?;
    if !run.status.success() {
        return Err(format!("it ended with {}", run.status));
    }
    first_line(&String::from_utf8_lossy(&run.stdout)).ok_or("its first line is empty".into())
}

pub(super) fn first_line(text: &str) -> Option<String> {
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(Into::into)
}
