//! A GraphQL operation on the command line: document, variables, name.

use appsync_protocol::encode::ObjectWriter;
use clap::Args;

use super::voice::json_line;

#[derive(Args)]
pub(super) struct OperationOptions {
    /// Variables of the operation, as a JSON object or @FILE (GraphQL).
    #[arg(long, value_name = "JSON")]
    pub(super) variables: Option<String>,
    /// Which operation of the document is meant (GraphQL).
    #[arg(long, value_name = "NAME")]
    pub(super) operation_name: Option<String>,
}

impl OperationOptions {
    /// The GraphQL request object, compact, for a document that is given as text or @FILE.
    pub(super) fn request(&self, document: &str) -> Result<String, String> {
        let document = text_of("the document", document)?;
        if document.trim().is_empty() {
            return Err("the document is empty; expected a GraphQL operation".into());
        }
        let variables = match &self.variables {
            None => "{}".into(),
            Some(given) => {
                let text = text_of("--variables", given)?;
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text)
                    .map_err(|error| format!("--variables: expected a JSON object: {error}"))?;
                json_line(&text)
            }
        };
        let mut request = String::new();
        let writer = ObjectWriter::open(&mut request).string("query", &document).text("variables", &variables);
        match &self.operation_name {
            None => writer.close(),
            Some(name) => writer.string("operationName", name).close(),
        };
        Ok(request)
    }

    /// Says so if an option was given that means something to GraphQL only.
    pub(super) fn refuse(&self) -> Result<(), String> {
        match (&self.variables, &self.operation_name) {
            (None, None) => Ok(()),
            (Some(_), _) => Err("--variables is for GraphQL; the endpoint is one of Events".into()),
            (None, Some(_)) => Err("--operation-name is for GraphQL; the endpoint is one of Events".into()),
        }
    }
}

/// The text itself, or the content of the file that follows an `@`.
fn text_of(what: &str, given: &str) -> Result<String, String> {
    match given.strip_prefix('@') {
        None => Ok(given.into()),
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{what}: {path}: {error}")),
    }
}
