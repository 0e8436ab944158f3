//! Where AWS keys are found, on made-up environments.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::auth::{AwsKeys, KeysError, region_of};

const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = file/+=#;:secret\n\n\
                           [Work]\naws_access_key_id=AKIDWORK\naws_secret_access_key=work\naws_session_token=t==\n\
                           [half]\naws_access_key_id=AKIDHALF\n";
const CONFIG: &str = "[default]\nregion = eu-central-1\n\n[profile Work]\nregion = eu-west-3\n\
                      [profile role]\nrole_arn = arn:aws:iam::1:role/x\nregion = eu-west-1\n\
                      [profile nowhere]\naws_access_key_id = AKID\naws_secret_access_key = s\n";

#[test]
fn variables_come_before_files_and_a_named_profile_before_variables() {
    let variables = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "env"), ("AWS_PROFILE", "Work")];

    let by_variables = find(None, None, &variables).unwrap();
    let by_name = find(Some("default"), None, &variables).unwrap();
    let by_profile = find(None, None, &variables[2..]).unwrap();

    assert_eq!(shown(&by_variables), ("AKIDENV", "env", None, "eu-west-3"));
    assert_eq!(shown(&by_name), ("AKIDFILE", "file/+=#;:secret", None, "eu-central-1"));
    assert_eq!(shown(&by_profile), ("AKIDWORK", "work", Some("t=="), "eu-west-3"));
}

#[test]
fn a_region_that_is_told_comes_before_variables_and_those_before_files() {
    let both = [("AWS_REGION", "r1"), ("AWS_DEFAULT_REGION", "r2")];

    assert_eq!(find(None, Some("r0"), &both).unwrap().region, "r0");
    assert_eq!(find(None, None, &both).unwrap().region, "r1");
    assert_eq!(find(None, None, &both[1..]).unwrap().region, "r2");
    assert_eq!(find(None, None, &[]).unwrap().region, "eu-central-1");
}

#[test]
fn files_are_looked_for_where_the_variables_say() {
    let elsewhere = [("AWS_SHARED_CREDENTIALS_FILE", "/else/keys"), ("AWS_CONFIG_FILE", "/else/config")];
    let files = BTreeMap::from([
        (PathBuf::from("/else/keys"), "[default]\naws_access_key_id=A\naws_secret_access_key=B\n"),
        (PathBuf::from("/else/config"), "[default]\nregion=c\n"),
    ]);

    let found = AwsKeys::find(None, None, variable(&elsewhere), |path| read(&files, path)).unwrap();

    assert_eq!(shown(&found), ("A", "B", None, "c"));
}

#[test]
fn every_way_to_have_no_keys_is_told_apart() {
    let half = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", " ")];
    let env = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_PROFILE", "none")];
    for (profile, variables, words) in [
        (None, &half[..], "AWS_SECRET_ACCESS_KEY is not set"),
        (None, &[("AWS_SECRET_ACCESS_KEY", "s")], "AWS_ACCESS_KEY_ID is not set"),
        (Some("half"), &[], "profile \"half\" has no aws_secret_access_key"),
        (Some("work"), &[], "no keys in profile \"work\"; looked into /home/me/.aws/credentials"),
        (Some("role"), &[], "profile \"role\" has role_arn, so its keys have to be fetched"),
        (Some("nowhere"), &[], "no region to sign for: set AWS_REGION, or region in profile \"nowhere\""),
        (None, &env, "no region to sign for: set AWS_REGION, or region in profile \"none\""),
    ] {
        let error = find(profile, None, variables).unwrap_err();

        assert!(error.to_string().contains(words), "{error}");
    }
    let nothing = AwsKeys::find(None, None, |_| None, |path| read(&BTreeMap::new(), path)).unwrap_err();
    assert_eq!(nothing, KeysError::Nothing { profile: None, looked: Vec::new() });
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_not_quoted() {
    let denied = |_: &Path| Err(io::Error::from(io::ErrorKind::PermissionDenied));
    let broken = |_: &Path| Ok("[default\naws_secret_access_key = secret\n".to_owned());

    let denied = AwsKeys::find(None, None, variable(&[]), denied).unwrap_err().to_string();
    let broken = AwsKeys::find(None, None, variable(&[]), broken).unwrap_err().to_string();

    assert!(denied.starts_with("/home/me/.aws/credentials: permission denied"), "{denied}");
    assert!(broken.starts_with("/home/me/.aws/credentials: it is not an INI file"), "{broken}");
    assert!(!broken.contains("secret_access"), "{broken}");
}

#[test]
fn debug_output_holds_no_key() {
    let found = find(Some("Work"), None, &[]).unwrap();

    let shown = format!("{found:?} {:?}", crate::auth::sign::Secret::Iam(found.clone()));

    assert!(!["AKIDWORK", "work", "t=="].iter().any(|secret| shown.contains(secret)), "{shown}");
}

#[test]
fn the_region_is_read_from_the_host_of_an_api_and_not_from_a_custom_domain() {
    assert_eq!(region_of("x.appsync-api.eu-west-1.amazonaws.com"), Some("eu-west-1"));
    assert_eq!(region_of("x.appsync-realtime-api.cn-north-1.amazonaws.com.cn:443"), Some("cn-north-1"));
    for other in ["api.example.com", "localhost:8700", "", "x.appsync-api", "x.appsync-api.eu-west-1.example.com"] {
        assert_eq!(region_of(other), None, "{other}");
    }
}

fn find(profile: Option<&str>, region: Option<&str>, variables: &[(&str, &str)]) -> Result<AwsKeys, KeysError> {
    let files = BTreeMap::from([
        (PathBuf::from("/home/me/.aws/credentials"), CREDENTIALS),
        (PathBuf::from("/home/me/.aws/config"), CONFIG),
    ]);
    AwsKeys::find(profile, region, variable(variables), |path| read(&files, path))
}

/// Variables of a process, `HOME` among them.
fn variable(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    let all: BTreeMap<String, String> =
        variables.iter().chain(&[("HOME", "/home/me")]).map(|(n, v)| ((*n).into(), (*v).into())).collect();
    move |name| all.get(name).cloned()
}

fn read(files: &BTreeMap<PathBuf, &str>, path: &Path) -> io::Result<String> {
    files.get(path).map(|text| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn shown(keys: &AwsKeys) -> (&str, &str, Option<&str>, &str) {
    (&keys.access_key_id, &keys.secret_access_key, keys.session_token.as_deref(), &keys.region)
}
