//! Lists of documents.

use std::collections::BTreeMap;

use super::Own;
use crate::access::api::{FilesAnswer, FilesRequest, ListedDocument, PassedOver};
use crate::access::asking;
use crate::access::document::listed;
use crate::engine::{Reader, StoredDocument};
use crate::error::Result;

/// Files that are named for each reason.
const EXAMPLES: usize = 20;

impl Own {
    /// As [`Access::files`](crate::access::Access::files).
    pub fn files(&self, request: &FilesRequest) -> Result<FilesAnswer> {
        let listing = asking::documents(request)?;
        let reader = self.reader()?;
        let page = reader.list(&listing)?;
        let documents = page.documents.iter().map(|document| told(reader, document));
        let passed_over = if request.after.is_none() { passed_over(reader)? } else { Vec::new() };
        Ok(FilesAnswer { documents: documents.collect::<Result<_>>()?, passed_over, next: page.next })
    }
}

fn told(reader: &Reader, document: &StoredDocument) -> Result<ListedDocument> {
    let StoredDocument { id, title, fields, .. } = document;
    Ok(listed(id, title, fields, reader.coverage_of(id)?))
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
