//! Which fields the documents have.
//!
//! Terms have digests of the fields' names. The names themselves stand with the documents.

use std::collections::BTreeSet;

use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocId, DocSet, InvertedIndexReader, SegmentReader, TERMINATED};

use super::facts::{KEY, field_names_of};
use super::snapshot::LexicalSnapshot;
use super::terms::{FieldTerms, behind};
use crate::error::Result;

impl LexicalSnapshot {
    /// Whether a document has a value in this field.
    pub(super) fn has_field(&self, field: &str) -> Result<bool> {
        self.guarded("look up a field", || {
            let mut found = false;
            for segment in self.segments() {
                let index = segment.inverted_index(self.fields().facts)?;
                FieldTerms::new(segment, self.fields(), field)?.visit("", &mut |_, info| {
                    found = first_alive(&index, segment, info)?.is_some();
                    Ok(!found)
                })?;
                if found {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// The names of all fields of the documents, dotted for nested ones, in order.
    pub(crate) fn field_names(&self) -> Result<BTreeSet<String>> {
        let examples = self.guarded("list the fields", || {
            let mut examples = BTreeSet::new();
            for (segment, ord) in self.segments().iter().zip(0..) {
                let index = segment.inverted_index(self.fields().facts)?;
                examples
                    .extend(one_of_each(&index, segment)?.into_iter().map(|doc| DocAddress::new(ord, doc)));
            }
            Ok(examples)
        })?;
        let mut names = BTreeSet::new();
        for example in examples {
            names.extend(field_names_of(&self.fetch(example)?.metadata));
        }
        Ok(names)
    }
}

/// For every field one live chunk that has it.
fn one_of_each(index: &InvertedIndexReader, segment: &SegmentReader) -> tantivy::Result<Vec<DocId>> {
    let mut examples = Vec::new();
    let mut next = Vec::new();
    loop {
        let mut stream = index.terms().range().ge(&next).into_stream()?;
        let Some(key) = stream.next().and_then(|(term, _)| term.get(..KEY)).map(<[u8]>::to_vec) else {
            return Ok(examples);
        };
        next = behind(&key);
        let mut stream = index.terms().range().ge(&key).lt(&next).into_stream()?;
        while let Some((_, info)) = stream.next() {
            if let Some(doc) = first_alive(index, segment, info)? {
                examples.push(doc);
                break;
            }
        }
    }
}

fn first_alive(
    index: &InvertedIndexReader,
    segment: &SegmentReader,
    info: &TermInfo,
) -> tantivy::Result<Option<DocId>> {
    let mut postings = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    let mut doc = postings.doc();
    while doc != TERMINATED && segment.is_deleted(doc) {
        doc = postings.advance();
    }
    Ok((doc != TERMINATED).then_some(doc))
}
