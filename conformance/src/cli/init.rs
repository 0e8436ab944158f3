//! `syncspec init`: writes `syncspec.toml` from a few questions and a probe.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use clap::Args;
use dialoguer::{Input, Select};
use syncspec::config::{FILE_NAME, Targets};
use syncspec::profile::{Fact, Profile};
use syncspec::survey::probe::{Options, probe};

use super::chosen::Whom;
use super::{random_seed, say, usage};

/// What is asked about where nothing is given: the port of `syncspec serve`.
const ASSUMED: &str = "http://127.0.0.1:8700/graphql";

#[derive(Args)]
pub(super) struct InitOptions {
    #[command(flatten)]
    pub(super) whom: Whom,
    /// Ask nothing; say what was assumed.
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Overwrite a file that is there.
    #[arg(long)]
    pub(super) force: bool,
    /// Where to write.
    #[arg(long, value_name = "FILE", default_value = FILE_NAME)]
    pub(super) output: PathBuf,
    /// Name of the target in the file.
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub(super) name: String,
}

/// What the file will say.
struct Answers {
    endpoint: String,
    dialect: Dialect,
    key: Proof,
    /// What a probe has seen, or why there was none.
    seen: Result<Profile, String>,
}

/// Where the credentials come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    ApiKey,
    Token,
    Iam,
}

pub(super) fn run(options: &InitOptions) -> u8 {
    match write(options) {
        Ok(()) => 0,
        Err(what) => usage(what),
    }
}

fn write(options: &InitOptions) -> Result<(), String> {
    let path = &options.output;
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    if path.exists() && !options.force {
        return Err(at(&"it is there already; --force overwrites it, --output writes to another file"));
    }
    if !options.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') || options.name.is_empty() {
        return Err(format!("--name {:?}: expected letters, digits, - and _", options.name));
    }
    let answers = ask(options)?;
    let text = file(options, &answers);
    // What was written is read by the rules that server reads it by.
    Targets::parse(text.clone(), path.clone())
        .and_then(|targets| targets.target(Some(&options.name)).map(drop))
        .map_err(|error| error.to_string())?;
    let written = if options.force { File::create(path) } else { File::create_new(path) };
    written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| at(&error))?;
    say(format_args!("wrote {}; try: syncspec doctor, then: syncspec server", path.display()));
    Ok(())
}

fn ask(options: &InitOptions) -> Result<Answers, String> {
    let talks = !options.yes && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let whom = &options.whom;
    let endpoint = match &whom.endpoint {
        Some(endpoint) => endpoint.clone(),
        None if talks => {
            let input = Input::new().with_prompt("URL of the HTTP endpoint").default(ASSUMED.to_owned());
            input.interact_text().map_err(|error| error.to_string())?
        }
        None => assumed("endpoint", ASSUMED),
    };
    let place = whom.target.place(&endpoint);
    let dialect = match (place, talks) {
        (Ok(place), _) => place.dialect,
        (Err(why), false) => return Err(why),
        (Err(_), true) => {
            let which = Select::new().with_prompt("Protocol").items(Dialect::ALL.map(Dialect::word)).default(0);
            Dialect::ALL[which.interact().map_err(|error| error.to_string())?]
        }
    };
    let credentials = &whom.credentials;
    let key = if credentials.iam {
        Proof::Iam
    } else if !credentials.token.is_empty() {
        Proof::Token
    } else if credentials.api_key.is_some() {
        Proof::ApiKey
    } else if talks {
        let words = ["an API key in SYNCSPEC_API_KEY", "a token in SYNCSPEC_TOKEN", "AWS keys (IAM)"];
        let which = Select::new().with_prompt("Credentials").items(words).default(0);
        [Proof::ApiKey, Proof::Token, Proof::Iam][which.interact().map_err(|error| error.to_string())?]
    } else {
        assumed("credentials", "an API key in SYNCSPEC_API_KEY");
        Proof::ApiKey
    };
    let seen = look(options, &endpoint, dialect);
    match &seen {
        Ok(profile) => say(super::probe::text(profile, &std::collections::BTreeMap::new())),
        Err(why) => say(format_args!("no probe: {why}")),
    }
    Ok(Answers { endpoint, dialect, key, seen })
}

/// Says what was assumed.
fn assumed(what: &str, value: &str) -> String {
    say(format_args!("assumed {what}: {value}"));
    value.into()
}

fn look(options: &InitOptions, endpoint: &str, dialect: Dialect) -> Result<Profile, String> {
    let whom = &options.whom;
    let spec = syncspec::target::Spec {
        endpoint: Some(endpoint.into()),
        realtime: whom.target.realtime.clone(),
        dialect: Some(dialect),
        namespaces: whom.namespace.clone(),
        ..syncspec::target::Spec::default()
    };
    let spec = whom.credentials.complete(spec)?;
    let endpoint = spec.without_credentials().map_err(|error| error.to_string())?;
    let patience = Duration::from_secs(3);
    let dialer = whom.target.dialer(Some((&endpoint.http, &endpoint.realtime)), patience)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let seen = runtime.block_on(probe(&dialer, &endpoint, Options { patience, limits: false, seed: random_seed() }));
    runtime.shutdown_background();
    seen
}

/// The commented file.
fn file(options: &InitOptions, answers: &Answers) -> String {
    let (name, target) = (&options.name, &options.whom.target);
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let list = |items: &[String]| toml::Value::from(items.to_vec()).to_string();
    let mut out = String::from(
        "# Targets of syncspec. No secret stands in this file: credentials are named by environment variable, file or\n\
         # command. Lines that begin with # and no space are examples; take the # away to use them.\n\n",
    );
    let mut line = |text: String| out.push_str(&(text + "\n"));
    line(format!("[targets.{name}]"));
    line("# URL of the HTTP endpoint; the real-time URL is derived from it.".into());
    line(format!("endpoint = {}", quoted(&answers.endpoint)));
    match &target.realtime {
        Some(url) => line(format!("realtime = {}", quoted(url))),
        None => line("#realtime = \"wss://example.com/graphql/realtime\"".into()),
    }
    line(format!("dialect = {}", quoted(answers.dialect.word())));
    match target.connect_to.as_slice() {
        [] => line("# Dial another address, but keep the host of the URL.\n#connect-to = [\"127.0.0.1:8700\"]".into()),
        addresses => line(format!("connect-to = {}", list(addresses))),
    }
    if let Some(ca) = &target.ca {
        line(format!("ca = {}", quoted(&ca.display().to_string())));
    }
    if target.insecure {
        line("insecure = true".into());
    }
    if answers.dialect == Dialect::Events {
        let given = &options.whom.namespace;
        let namespaces = if given.is_empty() { vec!["default".to_owned()] } else { given.clone() };
        line("# Channel namespaces; two of them show that they are apart.".into());
        line(format!("namespaces = {}", list(&namespaces)));
        line("#channel-prefix = \"syncspec-\"".into());
    }
    line("# Expected verdicts, with reasons: syncspec server --write-baseline baseline.toml\n#baseline = \"baseline.toml\"".into());
    line(format!("\n# Where credentials come from: env, file or command.\n[targets.{name}.credentials]"));
    line(match answers.key {
        Proof::ApiKey => {
            "api-key = { env = \"SYNCSPEC_API_KEY\" }\n#tokens = [{ file = \"token.jwt\" }]\n#iam = true".into()
        }
        Proof::Token => {
            "tokens = [{ env = \"SYNCSPEC_TOKEN\" }]\n#api-key = { command = \"pass show api-key\" }\n#iam = true"
                .into()
        }
        Proof::Iam => "iam = true\n#aws-profile = \"default\"\n#region = \"eu-west-1\"".into(),
    });
    line(format!("\n# A run that reaches one of these ends as inconclusive.\n[targets.{name}.guards]"));
    line("max-connections = 5000\nmax-messages = 50000\n#max-minutes = 15".into());
    line(
        "# On one connection. Without it 20 where the target is on another machine, and any number on this one.".into(),
    );
    line("#publishes-per-second = 20".into());
    line(format!(
        "\n# What it has or has not, where a probe cannot see it, or shall not be believed.\n[targets.{name}.capabilities]"
    ));
    line("#channel-schema = false".into());
    if answers.dialect == Dialect::Graphql {
        out.push_str(&subscription(name, &answers.seen));
    }
    out
}

/// The sections of a subscription of the target's own.
fn subscription(name: &str, seen: &Result<Profile, String>) -> String {
    let fields = seen.as_ref().map(|profile| profile.subscriptions.join(", ")).unwrap_or_default();
    let known = match seen.as_ref().ok().and_then(|profile| profile.detected(Fact::ChannelSchema)) {
        Some(true) => "# The schema has publish2channel and subscribe2channel, so that none of this is needed.\n",
        Some(false) => "# The schema lacks what the built-in scenarios subscribe to: say here what to use instead.\n",
        None => "# Needed where the schema lacks publish2channel and subscribe2channel.\n",
    };
    // The names are those of a stranger, and a line of a comment has to stay one.
    let fields: String = fields.chars().filter(|c| !c.is_control()).collect();
    let fields = if fields.is_empty() { fields } else { format!("# Subscription fields that were seen: {fields}\n") };
    format!(
        "\n# A subscription of your own schema, and what triggers it.\n{known}{fields}\
         #[targets.{name}.subscription]\n\
         #document = \"subscription S($shop: ID!) {{ onOrder(shop: $shop) {{ shop note }} }}\"\n\
         #variables = {{}}\n\
         # The variable whose value tells events apart, if there is one.\n\
         #topic = \"shop\"\n\
         # Where the nonce of an event appears below payload.data.\n\
         #data = \"onOrder.note\"\n\n\
         # One of: mutation with nonce; http = {{ url, method, headers, body }} with ${{nonce}} in it; command, which finds\n\
         # SYNCSPEC_NONCE and SYNCSPEC_TOPIC in its environment.\n\
         #[targets.{name}.trigger]\n\
         #mutation = \"mutation M($shop: ID!, $note: String) {{ placeOrder(shop: $shop, note: $note) {{ shop note }} }}\"\n\
         #variables = {{}}\n\
         #nonce = \"note\"\n\
         #topic = \"shop\"\n"
    )
}
