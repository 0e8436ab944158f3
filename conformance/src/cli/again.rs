//! What has to be said again to judge the same target: everything but its credentials.

use std::path::Path;

use syncspec::auth::{ModeName, mode_word};

use super::args::{ServerOptions, TierChoice};
use super::chosen::Whom;
use super::reach::DialectChoice;

/// The arguments of a run that name its target and what is played on it; `name` is that in syncspec.toml.
///
/// Keys, tokens and the commands that print them are left out: they come from the environment or the file, or have to
/// be given once more.
pub(super) fn arguments(options: &ServerOptions, name: Option<&str>) -> String {
    let mut words = of_target(&options.whom, name);
    match options.tier {
        TierChoice::Quick => {}
        TierChoice::Standard => words.extend(["--tier".into(), "standard".into()]),
        TierChoice::Long => words.extend(["--tier".into(), "long".into()]),
    }
    if options.limits {
        words.push("--limits".into());
    }
    words.iter().map(|word| shown(word)).collect::<Vec<_>>().join(" ")
}

fn of_target(whom: &Whom, name: Option<&str>) -> Vec<String> {
    let mut words: Vec<String> = whom.endpoint.iter().cloned().collect();
    let path = |path: &Path| path.display().to_string();
    let mut option = |option: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
    };
    option("--config", whom.config.as_deref().map(path));
    // Where an endpoint names the target of the file, it does so again.
    let named = whom.target_name.as_deref().or(name.filter(|_| whom.endpoint.is_none()));
    option("--target", named.map(str::to_owned));
    option("--realtime", whom.target.realtime.clone());
    let dialect = match whom.target.dialect {
        DialectChoice::Auto => None,
        DialectChoice::Graphql => Some("graphql"),
        DialectChoice::Events => Some("events"),
    };
    option("--dialect", dialect.map(str::to_owned));
    whom.target.connect_to.iter().for_each(|address| option("--connect-to", Some(address.clone())));
    option("--ca", whom.target.ca.as_deref().map(path));
    whom.namespace.iter().for_each(|namespace| option("--namespace", Some(namespace.clone())));
    whom.declare.iter().for_each(|capability| option("--declare", Some(capability.name().to_owned())));
    option("--denied", whom.credentials.denied.clone());
    option("--mode", whom.credentials.mode.map(|mode| mode_word(ModeName::from(mode).into()).to_owned()));
    option("--profile", whom.credentials.profile.clone());
    option("--region", whom.credentials.region.clone());
    let flags = [("--insecure", whom.target.insecure), ("--iam", whom.credentials.iam)];
    words.extend(flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag.to_owned()));
    words
}

/// As a shell reads it.
fn shown(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Command, Options};
    use super::*;

    fn again(given: &str, name: Option<&str>) -> String {
        let words = ["syncspec", "server"].into_iter().chain(given.split_whitespace());
        match Options::try_parse_from(words).map(|options| options.command) {
            Ok(Command::Server(options)) => arguments(&options, name),
            Ok(_) => panic!("another command"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_run_is_said_again_as_it_was_said() {
        for given in [
            "",
            "http://127.0.0.1:1/event --namespace one --namespace two --declare handler-drop --insecure --iam",
            "http://127.0.0.1:1/x --config a.toml --target mine --realtime ws://127.0.0.1:2/y --dialect graphql",
            "--connect-to 127.0.0.1:1 --connect-to 127.0.0.1:2 --ca a.pem --mode lambda --tier standard --limits",
        ] {
            assert_eq!(again(given, None), given);
        }
    }

    #[test]
    fn a_target_of_the_file_is_named_where_nothing_else_names_it() {
        assert_eq!(again("", Some("mine")), "--target mine");
        assert_eq!(again("http://127.0.0.1:1/event", Some("mine")), "http://127.0.0.1:1/event");
    }

    #[test]
    fn secrets_are_not_said_again() {
        let said = again("http://127.0.0.1:1/event --api-key da2-secret --token opaque-secret", None);

        assert_eq!(said, "http://127.0.0.1:1/event");
    }
}
