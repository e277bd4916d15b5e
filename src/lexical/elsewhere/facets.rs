//! Counts of documents by the values of a field, where the terms of the values were counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};
use crate::lexical::facets::{FacetCount, MOST_VALUES, ranked};
use crate::lexical::facts::{
    BOOL, DATE, KEY, LONG_TEXT, NUMBER, TEXT, path_key, term_of, value_of, visit_values,
};
use crate::lexical::value::FieldValue;

/// The fields of a document that has each of some terms.
type FieldsOf<'a> = dyn FnMut(&[&str]) -> Result<Vec<Map<String, Json>>> + 'a;

/// The terms of the values of one field.
pub(crate) struct FacetTerms<'f> {
    field: &'f str,
    key: String,
}

impl FacetTerms<'_> {
    pub(crate) fn of(field: &str) -> FacetTerms<'_> {
        FacetTerms { field, key: path_key(field) }
    }

    /// What they begin with. Other terms of the field don't.
    pub(crate) fn beginnings(&self) -> impl Iterator<Item = String> + '_ {
        [BOOL, NUMBER, DATE, TEXT, LONG_TEXT].into_iter().map(|kind| format!("{}{kind}", self.key))
    }

    /// The values of terms that so many documents have, as [`facet`](crate::lexical::LexicalSnapshot::facet) gives
    /// them. `stored` gives for each term the fields of a document that has it: a long text stands nowhere else.
    ///
    /// # Errors
    /// [`Error::Invalid`] for numbers that have their term in common, and those of `stored`.
    pub(crate) fn values(
        &self,
        counts: BTreeMap<String, usize>,
        stored: &mut FieldsOf<'_>,
    ) -> Result<Vec<FacetCount>> {
        let (mut values, mut long) = (Vec::new(), Vec::new());
        for (term, &documents) in &counts {
            match value_of(term.as_bytes()) {
                Some(value) => values.push(FacetCount { value, documents }),
                None if term[KEY..].starts_with(LONG_TEXT) => long.push((term.as_str(), documents)),
                None => return Err(self.rounded()),
            }
        }
        long.sort_by_key(|&(_, documents)| Reverse(documents));
        long.truncate(MOST_VALUES);
        let terms: Vec<&str> = long.iter().map(|&(term, _)| term).collect();
        let mut texts = Vec::new();
        for ((term, documents), fields) in long.into_iter().zip(stored(&terms)?) {
            texts.extend(self.value_with(term, &fields).map(|value| FacetCount { value, documents }));
        }
        texts.sort_by_cached_key(|count| count.value.to_string());
        values.append(&mut texts);
        Ok(ranked(values))
    }

    fn value_with(&self, term: &str, fields: &Map<String, Json>) -> Option<FieldValue> {
        let mut found = None;
        visit_values(fields, &mut |path, value| {
            if path == self.field && term_of(&self.key, &value) == term {
                found = Some(value);
            }
        });
        found
    }

    fn rounded(&self) -> Error {
        Error::invalid(
            "the facets of a query on a cluster",
            format!("the field {:?}, which has numbers from 2^53 on", self.field),
            "one of smaller numbers: larger ones are not told apart in an index on a cluster",
        )
    }
}
