//! Conditions that narrow what is read.

use serde_json::{Value as Json, json};

/// What records are wanted. More may come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Narrowed<'a> {
    /// All of the application.
    No,
    /// Those of queries with these ids, as the records have them.
    Queries(&'a [String]),
    /// Queries that have shown this document.
    Shown(&'a str),
    /// Events of this document.
    Document(&'a str),
}

/// Names of applications up to here are indexed, whoever has made the index.
const LONGEST_APPLICATION: usize = 100;
/// The same of ids.
const LONGEST_ID: usize = 256;

impl Narrowed<'_> {
    /// The query for these of an application's records.
    pub(super) fn query(self, application: &str) -> Json {
        let of_application = (application.len() <= LONGEST_APPLICATION)
            .then(|| one_of("application", std::slice::from_ref(&application)));
        let narrowed = match self {
            Narrowed::No => None,
            Narrowed::Queries(ids) => Some(one_of("query_id", ids)),
            Narrowed::Shown(document) if document.len() <= LONGEST_ID => {
                Some(one_of("query_response_hit_ids", &[document]))
            }
            Narrowed::Document(document) if document.len() <= LONGEST_ID => {
                Some(one_of("event_attributes.object.object_id", &[document]))
            }
            Narrowed::Shown(_) | Narrowed::Document(_) => None,
        };
        let filter: Vec<Json> = of_application.into_iter().chain(narrowed).collect();
        json!({ "bool": { "filter": filter } })
    }
}

/// Whether a field has one of these. A cluster that was not told of a field has words in it, and the whole beside them.
pub(super) fn one_of<T: serde::Serialize>(field: &str, values: &[T]) -> Json {
    let whole = format!("{field}.keyword");
    json!({ "bool": { "should": [{ "terms": { field: values } }, { "terms": { whole: values } }] } })
}
