//! The languages of an index: its own, and those that some of its chunks have instead.
//!
//! Chunks of the index's own language are indexed as in an index of one language. The terms of others begin with their
//! language's name, so that a word is only found in texts that were analysed as it was. Which languages there are the
//! chunks tell: each of another language has a term for it among its facts.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use tantivy::SegmentReader;

use super::analysis::Analyzer;
use super::facts::{LANGUAGE_FACT, language_of};
use super::language::Language;
use super::schema::Fields;
use super::terms::behind;

/// The analyzers of an index.
#[derive(Clone)]
pub(super) struct Analyzers {
    own: Analyzer,
    /// In the order of their names.
    further: Vec<(Language, Analyzer)>,
}

impl Analyzers {
    /// Those of an index with these segments and the analyzer `own`.
    pub(super) fn of(
        own: &Analyzer,
        segments: &[SegmentReader],
        fields: &Fields,
    ) -> tantivy::Result<Analyzers> {
        let mut languages = BTreeSet::new();
        for segment in segments {
            let index = segment.inverted_index(fields.facts)?;
            let facts = index.terms().range().ge(LANGUAGE_FACT).lt(behind(LANGUAGE_FACT.as_bytes()));
            let mut facts = facts.into_stream()?;
            while facts.advance() {
                let name =
                    std::str::from_utf8(facts.key()).ok().and_then(|fact| fact.strip_prefix(LANGUAGE_FACT));
                languages.extend(name.map(str::to_owned));
            }
        }
        let further = languages.iter().filter_map(|name| name.parse().ok());
        let further = further.map(|language| (language, Analyzer::beside(language)));
        Ok(Analyzers { own: own.clone(), further: further.collect() })
    }

    /// Those of an index of the language `own`, some of whose chunks have one of the `others`.
    #[cfg(feature = "opensearch")]
    pub(super) fn new(own: Language, others: impl IntoIterator<Item = Language>) -> Analyzers {
        let further = others.into_iter().map(|language| (language, Analyzer::beside(language)));
        Analyzers { own: Analyzer::new(own), further: further.collect() }
    }

    /// The languages that chunks have instead of the index's own.
    #[cfg(feature = "opensearch")]
    pub(super) fn others(&self) -> impl Iterator<Item = Language> {
        self.further.iter().map(|&(language, _)| language)
    }

    /// The index's own.
    pub(super) fn own(&self) -> &Analyzer {
        &self.own
    }

    /// All of them, the index's own first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Analyzer> {
        std::iter::once(&self.own).chain(self.further.iter().map(|(_, analyzer)| analyzer))
    }

    /// The one that a chunk with this metadata was analysed by.
    pub(super) fn of_chunk(&self, metadata: &Map<String, Json>) -> &Analyzer {
        let named = language_of(metadata);
        let found = self.further.iter().find(|(language, _)| Some(*language) == named);
        found.map_or(&self.own, |(_, analyzer)| analyzer)
    }

    /// Whether words are compared by their stems in any language.
    pub(super) fn have_stemmer(&self) -> bool {
        self.all().any(Analyzer::has_stemmer)
    }
}
