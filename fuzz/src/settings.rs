//! Files that people write: `serve.toml` and `syncspec.toml`.
//!
//! The invariant: any text is a file or an error of one line that names the file; an error never quotes what looks like a
//! secret; what is valid TOML for another reader and has no secret is refused only with a place inside the text; and every
//! target that is named can be looked at.

use std::path::Path;

use syncspec::config::Targets;
use syncspec::reference::settings::{Overrides, Settings, SettingsError};
use syncspec::report::text::obeyed;
use syncspec::settings::Place;

use crate::reach::Point;

static SERVE: Point = Point::new("settings/serve");
static PREPARED: Point = Point::new("settings/prepared");
static TARGETS: Point = Point::new("settings/targets");
static TARGET: Point = Point::new("settings/target");
static REFUSED: Point = Point::new("settings/refused");
/// Where the oracle speaks.
pub static POINTS: [&Point; 5] = [&SERVE, &PREPARED, &TARGETS, &TARGET, &REFUSED];

/// A file that is not there, in a folder that is not there: nothing that a text names is read from the disk.
const FILE: &str = "/nowhere/at/all/file.toml";

/// One input.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Settings::parse(text, FILE) {
        Ok(settings) => {
            SERVE.reached();
            // Certificates are made with a fresh key, which costs a thousand inputs.
            let makes_certificate = text.contains("self-signed") || text.contains("tls");
            if !makes_certificate && !names_a_file(text) {
                match settings.prepare(Overrides::default()) {
                    Ok(prepared) => {
                        PREPARED.reached();
                        assert!(prepared.listen.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()));
                    }
                    Err(error) => is_in_order(&error, text),
                }
            }
        }
        Err(error) => is_in_order(&error, text),
    }
    match Targets::parse(text, FILE) {
        Ok(targets) => {
            TARGETS.reached();
            for name in targets.names() {
                match targets.target(Some(name)) {
                    Ok(target) => {
                        TARGET.reached();
                        assert_eq!(target.name, name);
                        assert!(target.beside(Path::new("x")).starts_with("/nowhere/at/all"));
                    }
                    Err(error) => is_in_order(&error, text),
                }
            }
        }
        Err(error) => is_in_order(&error, text),
    }
}

/// Keys whose value is a path.
fn names_a_file(text: &str) -> bool {
    ["schema", "file", "jwks"].iter().any(|key| text.contains(key))
}

fn is_in_order(error: &SettingsError, text: &str) {
    REFUSED.reached();
    let told = error.to_string();
    assert!(!told.contains(obeyed), "{told:?}");
    if let Place::Key { line, column, .. } = &error.place {
        // A line of its own for what follows the last line end.
        assert!(*line >= 1 && *line <= text.split('\n').count(), "{told}: {} lines", text.lines().count());
        assert!(*column >= 1, "{told}");
    }
}
