//! What is told of each document.

use std::collections::BTreeMap;

use super::api::ListedDocument;
use crate::engine::{Folder, StoredDocument};
use crate::lexical::FieldValue;
use crate::search::Coverage;

/// A document of a list.
pub(super) fn listed(
    id: &str,
    title: &str,
    fields: &BTreeMap<String, FieldValue>,
    coverage: Coverage,
) -> ListedDocument {
    ListedDocument {
        title: title_of(id, title, fields),
        kind: kind_of(id),
        modified: fields.get("modified").and_then(day_of),
        passages: coverage.chunks,
        covered: coverage.encoded,
        document: id.to_string(),
    }
}

/// A document's title: its own, else the first heading, else the name of its file.
pub(super) fn document_title(document: &StoredDocument) -> String {
    title_of(&document.id, &document.title, &document.fields)
}

fn title_of(id: &str, headings: &str, fields: &BTreeMap<String, FieldValue>) -> String {
    let own = fields.get("title").and_then(FieldValue::as_str);
    let first = headings.split(" > ").next().unwrap_or_default();
    let title = own.filter(|title| !title.trim().is_empty()).unwrap_or(first).trim();
    if title.is_empty() { name_of(id) } else { title.to_string() }
}

/// The day of a document: its own, else that of its file.
pub(super) fn day(fields: &BTreeMap<String, FieldValue>) -> Option<String> {
    ["date", "modified"].iter().find_map(|field| fields.get(*field).and_then(day_of))
}

fn day_of(value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Date(date) => date.to_string().split('T').next().map(str::to_string),
        _ => None,
    }
}

/// The last part of an id.
pub(super) fn name_of(document: &str) -> String {
    document.rsplit('/').next().unwrap_or(document).to_string()
}

/// The extension of a file's name in lower case.
pub(super) fn kind_of(document: &str) -> String {
    let name = name_of(document);
    name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
}

/// The name of the folder that a document lies in.
pub(super) fn split_folder<'f>(folders: &'f [Folder], document: &str) -> Option<&'f str> {
    let of = |name: &str| document.strip_prefix(name).is_some_and(|rest| rest.starts_with("://"));
    let found = folders.iter().find(|folder| !folder.name.is_empty() && of(&folder.name));
    found.map(|folder| folder.name.as_str())
}
