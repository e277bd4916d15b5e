//! What is told of each document, and lists of them.

use std::collections::BTreeMap;

use super::{Own, check_limit};
use crate::access::api::{FilesAnswer, FilesRequest, ListedDocument, PassedOver};
use crate::engine::{Folder, Listing, Reader, StoredDocument};
use crate::error::Result;
use crate::lexical::FieldValue;
use crate::search::Coverage;

/// Documents of a page at most.
const MOST: usize = 1000;
/// Files that are named for each reason.
const EXAMPLES: usize = 20;

impl Own {
    /// As [`Access::files`](crate::access::Access::files).
    pub fn files(&self, request: &FilesRequest) -> Result<FilesAnswer> {
        check_limit(request.limit, MOST)?;
        let reader = self.reader()?;
        let mut listing = Listing::default().with_limit(request.limit);
        listing.after.clone_from(&request.after);
        let page = reader.list(&listing)?;
        let documents = page.documents.iter().map(|document| listed(reader, document));
        let passed_over = if request.after.is_none() { passed_over(reader)? } else { Vec::new() };
        Ok(FilesAnswer { documents: documents.collect::<Result<_>>()?, passed_over, next: page.next })
    }
}

fn listed(reader: &Reader, document: &StoredDocument) -> Result<ListedDocument> {
    let Coverage { chunks, encoded } = reader.coverage_of(&document.id)?;
    Ok(ListedDocument {
        title: document_title(document),
        kind: kind_of(&document.id),
        modified: document.fields.get("modified").and_then(day_of),
        passages: chunks,
        covered: encoded,
        document: document.id.clone(),
    })
}

fn passed_over(reader: &Reader) -> Result<Vec<PassedOver>> {
    let mut all = reader.passed_over()?;
    all.extend(reader.files()?.into_iter().flat_map(|file| file.skipped));
    let mut reasons: BTreeMap<String, PassedOver> = BTreeMap::new();
    for one in all {
        let reason = one.reason.group();
        let group = reasons.entry(reason.clone()).or_insert_with(|| PassedOver {
            reason,
            count: 0,
            examples: Vec::new(),
        });
        group.count += 1;
        if group.examples.len() < EXAMPLES {
            group.examples.push(one.document);
        }
    }
    let mut reasons: Vec<_> = reasons.into_values().collect();
    reasons.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(reasons)
}

/// A document's title: its own, else the first heading, else the name of its file.
pub(super) fn document_title(document: &StoredDocument) -> String {
    let own = document.fields.get("title").and_then(FieldValue::as_str);
    let first = document.title.split(" > ").next().unwrap_or_default();
    let title = own.filter(|title| !title.trim().is_empty()).unwrap_or(first).trim();
    if title.is_empty() { name_of(&document.id) } else { title.to_string() }
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
