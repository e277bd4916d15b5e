//! Documents by their chunks: how many there are, which come next, and how often they have each value of a field.
//!
//! All chunks of a document have its fields, so one of them stands for it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tantivy::{BitSet, DocAddress};

use super::facts::{term_of, value_of, visit_values};
use super::matching::Matching;
use super::snapshot::LexicalSnapshot;
use super::terms::FieldTerms;
use super::value::FieldValue;
use crate::error::Result;

/// Values of a field that are counted at most.
pub(super) const MOST_VALUES: usize = 1000;

/// How many documents have a value in a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FacetCount {
    /// The value; of a list, one of its values. Whole numbers are [`Integer`](FieldValue::Integer)s.
    pub value: FieldValue,
    /// The documents that have it.
    pub documents: usize,
}

impl LexicalSnapshot {
    /// One of the chunks for each of their documents: as many as there are documents.
    pub(crate) fn one_per_document(&self, chunks: &Matching) -> Result<Matching> {
        let numbering = self.numbering()?;
        let mut seen = BitSet::with_max_value(numbering.len());
        let docs = chunks.docs().iter().enumerate().map(|(ord, here)| {
            let mut docs = BitSet::with_max_value(here.max_value());
            for doc in chunks.docs_of(ord) {
                if numbering.number(ord, doc).is_some_and(|number| seen.insert(number)) {
                    docs.insert(doc);
                }
            }
            docs
        });
        Ok(self.alive(docs.collect()))
    }

    /// The ids of the next `limit` documents behind the id `after`, in order. One chunk stands for each.
    pub(crate) fn next_documents(
        &self,
        documents: &Matching,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        let numbering = self.numbering()?;
        let first =
            self.guarded("list documents", || after.map_or(Ok(0), |id| numbering.first_behind(id)))?;
        let mut next: Vec<(u32, DocAddress)> = Vec::new();
        for ord in 0..documents.docs().len() {
            let numbered = documents.docs_of(ord).filter_map(|doc| {
                let number = numbering.number(ord, doc).filter(|&number| number >= first)?;
                Some((number, DocAddress::new(ord as u32, doc)))
            });
            next.extend(numbered);
        }
        if next.len() > limit {
            next.select_nth_unstable_by_key(limit, |&(number, _)| number);
            next.truncate(limit);
        }
        next.sort_unstable_by_key(|&(number, _)| number);
        next.into_iter().map(|(_, place)| Ok(self.fetch(place)?.document)).collect()
    }

    /// How many of the documents have each value of a field: the most frequent first, and of those with the same count
    /// the least. One chunk stands for each document.
    pub(crate) fn facet(&self, field: &str, documents: &Matching) -> Result<Vec<FacetCount>> {
        let mut plain: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        // Terms that don't say the value, each with the documents that do.
        let mut unclear: Vec<(Vec<u8>, DocAddress)> = Vec::new();
        self.guarded("count values", || {
            for (ord, segment) in self.segments().iter().enumerate() {
                let docs = &documents.docs()[ord];
                let terms = FieldTerms::new(segment, self.fields(), field)?;
                terms.visit("", &mut |term, info| {
                    let mut count = 0;
                    let clear = value_of(term).is_some();
                    terms.visit_chunks(info, &mut |doc| {
                        if docs.contains(doc) {
                            count += 1;
                            if !clear {
                                unclear.push((term.to_vec(), DocAddress::new(ord as u32, doc)));
                            }
                        }
                    })?;
                    if clear && count > 0 {
                        *plain.entry(term.to_vec()).or_default() += count;
                    }
                    Ok(true)
                })?;
            }
            Ok(())
        })?;
        let plain = plain
            .into_iter()
            .filter_map(|(term, documents)| Some(FacetCount { value: value_of(&term)?, documents }));
        Ok(ranked(plain.chain(self.stored_values(field, unclear)?).collect()))
    }

    /// How many of these documents have each value whose term is the one that stands beside them.
    fn stored_values(&self, field: &str, terms: Vec<(Vec<u8>, DocAddress)>) -> Result<Vec<FacetCount>> {
        let mut counts: BTreeMap<String, FacetCount> = BTreeMap::new();
        let key = super::facts::path_key(field);
        for (term, place) in terms {
            let mut here = BTreeSet::new();
            visit_values(&self.fetch(place)?.metadata, &mut |path, value| {
                if path == field && term_of(&key, &value).as_bytes() == term && here.insert(value.to_string())
                {
                    let count = FacetCount { value, documents: 0 };
                    counts.entry(count.value.to_string()).or_insert(count).documents += 1;
                }
            });
        }
        Ok(counts.into_values().collect())
    }
}

/// The most frequent ones, of those that are equally frequent the first ones.
pub(super) fn ranked(mut counts: Vec<FacetCount>) -> Vec<FacetCount> {
    counts.sort_by_key(|count| Reverse(count.documents));
    counts.truncate(MOST_VALUES);
    counts
}
