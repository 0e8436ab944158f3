//! Who may use which field.
//!
//! Directives on a field decide, then those on its type; where neither has any, the API's default mode may use the
//! field. `@aws_auth` narrows a user pool to groups and says nothing about other modes. What the settings or an
//! authorizer deny is denied whatever else holds. Fields of introspection are for everybody.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::ast::{Directive, DirectiveList, Value};
use apollo_compiler::schema::{ExtendedType, Schema};
use appsync_protocol::server::{Identity, Mode};

/// The rules of one API.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// Who may use a field about which nothing is said; everybody without one.
    default: Option<Mode>,
    /// Rules of types with directives.
    types: BTreeMap<String, Vec<Rule>>,
    /// Rules of fields with directives, by type.
    fields: BTreeMap<String, BTreeMap<String, Vec<Rule>>>,
    /// Denied by the settings.
    denied: BTreeSet<(String, String)>,
    /// Object types by interface: results do not carry the type of their object, so all of them have to permit.
    implementers: BTreeMap<String, Vec<String>>,
    /// Modes that may use every field, in whatever group, as far as nothing is denied.
    open: BTreeSet<Mode>,
}

/// One directive.
#[derive(Clone, Debug, PartialEq)]
enum Rule {
    /// The mode may use it; of a user pool only these groups, if there are any.
    Admits(Mode, Vec<String>),
    /// `@aws_auth`: of a user pool only these groups.
    Narrows(Vec<String>),
}

impl Access {
    /// Reads the directives of a schema. The first of `modes` is the default one.
    pub(super) fn new(schema: &Schema, modes: &[Mode]) -> Self {
        let mut access = Self { default: modes.first().copied(), ..Self::default() };
        for (name, of) in &schema.types {
            let ExtendedType::Object(of) = of else { continue };
            for interface in &of.implements_interfaces {
                access.implementers.entry(interface.to_string()).or_default().push(name.to_string());
            }
            let on_type: Vec<Rule> = of.directives.iter().filter_map(|directive| Rule::read(directive)).collect();
            if !on_type.is_empty() {
                access.types.insert(name.to_string(), on_type);
            }
            let on_fields: BTreeMap<_, _> = of
                .fields
                .iter()
                .map(|(field, of)| (field.to_string(), rules(&of.directives)))
                .filter(|(_, rules)| !rules.is_empty())
                .collect();
            if !on_fields.is_empty() {
                access.fields.insert(name.to_string(), on_fields);
            }
        }
        let modes = [Mode::ApiKey, Mode::Iam, Mode::Oidc, Mode::Cognito, Mode::Lambda];
        let open = modes.into_iter().filter(|mode| {
            let who = Identity { mode: *mode, ..Identity::default() };
            schema.types.iter().all(|(name, of)| match of {
                ExtendedType::Object(of) => of.fields.keys().all(|field| access.permits(name, field, &who)),
                ExtendedType::Scalar(_)
                | ExtendedType::Interface(_)
                | ExtendedType::Union(_)
                | ExtendedType::Enum(_)
                | ExtendedType::InputObject(_) => true,
            })
        });
        access.open = open.collect();
        access
    }

    /// Denies a field to everybody.
    pub(super) fn deny(&mut self, on: &str, field: &str) {
        self.denied.insert((on.into(), field.into()));
    }

    /// Whether `who` may use every field, so that nothing has to be looked at.
    pub(super) fn is_open_to(&self, who: &Identity) -> bool {
        self.open.contains(&who.mode) && self.denied.is_empty() && who.denied_fields.is_empty()
    }

    /// Whether `who` may use `field` of type `on`.
    pub(super) fn permits(&self, on: &str, field: &str, who: &Identity) -> bool {
        if field.starts_with("__") || on.starts_with("__") {
            return true;
        }
        if let Some(objects) = self.implementers.get(on) {
            return objects.iter().all(|object| self.permits(object, field, who));
        }
        if self.denied.contains(&(on.into(), field.into()))
            || who.denied_fields.iter().any(|known| names(known, on, field))
        {
            return false;
        }
        let rules = self.fields.get(on).and_then(|fields| fields.get(field)).or_else(|| self.types.get(on));
        let rules = rules.map_or(&[][..], Vec::as_slice);
        let among = |groups: &[String]| groups.is_empty() || groups.iter().any(|group| who.groups.contains(group));
        let narrowed = rules.iter().all(|rule| match rule {
            Rule::Narrows(groups) => who.mode != Mode::Cognito || among(groups),
            Rule::Admits(..) => true,
        });
        let mut admitting = rules.iter().filter_map(|rule| match rule {
            Rule::Admits(mode, groups) => Some((mode, groups)),
            Rule::Narrows(_) => None,
        });
        let admitted = if admitting.clone().next().is_none() {
            self.default.is_none_or(|mode| mode == who.mode)
        } else {
            admitting.any(|(mode, groups)| *mode == who.mode && (who.mode != Mode::Cognito || among(groups)))
        };
        narrowed && admitted
    }
}

fn rules(directives: &DirectiveList) -> Vec<Rule> {
    directives.iter().filter_map(|directive| Rule::read(directive)).collect()
}

impl Rule {
    fn read(directive: &Directive) -> Option<Self> {
        let groups = || {
            let list = directive.specified_argument_by_name("cognito_groups");
            let list = list.map_or(&[][..], |list| list.as_list().unwrap_or(std::slice::from_ref(list)));
            list.iter().filter_map(|group| Value::as_str(group).map(str::to_owned)).collect()
        };
        Some(match directive.name.as_str() {
            "aws_api_key" => Self::Admits(Mode::ApiKey, Vec::new()),
            "aws_iam" => Self::Admits(Mode::Iam, Vec::new()),
            "aws_oidc" => Self::Admits(Mode::Oidc, Vec::new()),
            "aws_lambda" => Self::Admits(Mode::Lambda, Vec::new()),
            "aws_cognito_user_pools" => Self::Admits(Mode::Cognito, groups()),
            "aws_auth" => Self::Narrows(groups()),
            _ => return None,
        })
    }
}

/// Whether `known`, which is `Type.field` or an ARN that ends in `types/Type/fields/field`, names the field.
fn names(known: &str, on: &str, field: &str) -> bool {
    let pair = match known.rsplit_once("types/") {
        Some((_, tail)) => tail.split_once("/fields/"),
        None => known.split_once('.'),
    };
    pair == Some((on, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = r#"
        directive @aws_api_key on OBJECT | FIELD_DEFINITION
        directive @aws_iam on OBJECT | FIELD_DEFINITION
        directive @aws_oidc on OBJECT | FIELD_DEFINITION
        directive @aws_lambda on OBJECT | FIELD_DEFINITION
        directive @aws_cognito_user_pools(cognito_groups: [String!]) on OBJECT | FIELD_DEFINITION
        directive @aws_auth(cognito_groups: [String!]) on FIELD_DEFINITION
        type Query @aws_iam @aws_lambda {
            typed: Int
            keyed: Int @aws_api_key
            pooled: Int @aws_cognito_user_pools(cognito_groups: ["admins"])
            any_pooled: Int @aws_cognito_user_pools @aws_oidc
            narrowed: Int @aws_auth(cognito_groups: ["admins"])
        }
        type Note { id: ID }
        interface Thing { title: ID }
        type Book implements Thing { title: ID @aws_iam }
    "#;

    fn access(modes: &[Mode]) -> Access {
        Access::new(&Schema::parse(SDL, "test.graphql").unwrap(), modes)
    }

    fn who(mode: Mode, groups: &[&str]) -> Identity {
        Identity { mode, groups: groups.iter().map(|group| (*group).into()).collect(), ..Identity::default() }
    }

    /// Modes, in the order of [`Mode`], that may use the field.
    fn admitted(access: &Access, on: &str, field: &str) -> Vec<Mode> {
        let all = [Mode::ApiKey, Mode::Iam, Mode::Oidc, Mode::Cognito, Mode::Lambda];
        all.into_iter().filter(|mode| access.permits(on, field, &who(*mode, &["admins"]))).collect()
    }

    #[test]
    fn the_directives_of_a_field_override_those_of_its_type() {
        let access = access(&[Mode::Oidc]);

        assert_eq!(admitted(&access, "Query", "typed"), [Mode::Iam, Mode::Lambda]);
        assert_eq!(admitted(&access, "Query", "keyed"), [Mode::ApiKey]);
        assert_eq!(admitted(&access, "Query", "any_pooled"), [Mode::Oidc, Mode::Cognito]);
    }

    #[test]
    fn the_default_mode_may_use_what_nothing_is_said_of() {
        assert_eq!(admitted(&access(&[Mode::Oidc, Mode::Iam]), "Note", "id"), [Mode::Oidc]);
        assert_eq!(admitted(&access(&[]), "Note", "id").len(), 5);
    }

    #[test]
    fn a_field_of_an_interface_is_for_those_who_may_use_it_on_every_object() {
        assert_eq!(admitted(&access(&[]), "Thing", "title"), [Mode::Iam]);
    }

    #[test]
    fn a_group_that_is_listed_may_use_the_field_and_others_may_not() {
        let access = access(&[Mode::Cognito]);

        for field in ["pooled", "narrowed"] {
            assert!(access.permits("Query", field, &who(Mode::Cognito, &["users", "admins"])), "{field}");
            assert!(!access.permits("Query", field, &who(Mode::Cognito, &["users"])), "{field}");
        }
        assert!(!access.permits("Query", "pooled", &who(Mode::Oidc, &["admins"])));
    }

    #[test]
    fn a_denied_field_is_denied_in_both_spellings() {
        let access = access(&[]);
        let arn = "arn:aws:appsync:us-east-1:111122223333:apis/abc/types/Note/fields/id";

        for known in ["Note.id", arn] {
            let who = Identity { denied_fields: vec![known.into()], ..Identity::default() };
            assert!(!access.permits("Note", "id", &who), "{known}");
            assert!(access.permits("Note", "other", &who), "{known}");
        }
    }

    #[test]
    fn introspection_is_for_everybody() {
        let access = access(&[Mode::Oidc]);

        for (on, field) in [("Query", "__schema"), ("Note", "__typename"), ("__Type", "name")] {
            assert_eq!(admitted(&access, on, field).len(), 5, "{on}.{field}");
        }
    }

    #[test]
    fn an_api_without_rules_is_open() {
        let mut open = Access::new(&Schema::parse("type Note { id: ID }", "test.graphql").unwrap(), &[Mode::Iam]);
        assert!(open.is_open_to(&who(Mode::Iam, &[])));
        assert!(!open.is_open_to(&who(Mode::Oidc, &[])));

        open.deny("Note", "id");

        assert!(!open.is_open_to(&who(Mode::Iam, &[])));
        assert!(!open.permits("Note", "id", &who(Mode::Iam, &[])));
    }
}
