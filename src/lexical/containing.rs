//! The chunks that contain a phrase, a word in any form, or a word that begins in some way.

use std::collections::{BTreeMap, BTreeSet};

use tantivy::query::{EnableScoring, PhraseQuery, Query, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{BitSet, DocAddress, DocSet as _, TERMINATED, Term};

use super::filter::Filter;
use super::matching::Matching;
use super::schema::{ChunkRecord, DOCUMENT};
use super::snapshot::LexicalSnapshot;
use super::surface::{PrefixTerms, most_frequent};
use super::terms::behind;
use crate::error::Result;
use crate::ids::ChunkSet as _;

/// So many chunks are read to see whether they have a word as it stands, and not in another form. Of more, all count.
const MOST_READ: usize = 10_000;

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Part {
    /// In the title and the passage.
    Whole,
    /// In the title.
    Title,
}

/// How words are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Forms {
    /// As they stand, but for case and accents.
    Same,
    /// By their stems.
    Any,
}

/// What a prefix finds.
pub(crate) struct Beginning {
    pub(crate) chunks: Matching,
    /// Terms that begin so, to be searched for.
    pub(crate) terms: Vec<String>,
}

impl LexicalSnapshot {
    /// The chunks with these words in this order. All of them, if the text has no word.
    pub(crate) fn with_phrase(&self, phrase: &str, part: Part, forms: Forms) -> Result<Matching> {
        let field = match part {
            Part::Whole => self.fields().text,
            Part::Title => self.fields().title,
        };
        let mut found: Option<Matching> = None;
        for analyzer in self.analyzers().all() {
            let words = analyzer.phrase(phrase).into_iter();
            let terms = words.map(|word| (word.position, Term::from_field_text(field, &word.term)));
            let terms: Vec<(usize, Term)> = terms.collect();
            let some = match terms.as_slice() {
                // In no language.
                [] => return self.matching(&Filter::everything()),
                [(_, term)] => self.found_by(&TermQuery::new(term.clone(), IndexRecordOption::Basic))?,
                _ => self.found_by(&PhraseQuery::new_with_offset(terms))?,
            };
            found = Some(match found {
                Some(found) => found.union(&some),
                None => some,
            });
        }
        let found = found.unwrap_or_else(|| self.alive(self.no_docs()));
        let asked = self.analyzers().exact_words(phrase).filter(|_| forms == Forms::Same);
        let Some(asked) = asked else { return Ok(found) };
        let analyzer = self.analyzers().own();
        let has = |text: &str| analyzer.surfaces(text).windows(asked.len()).any(|some| some == asked);
        self.keep(found, &|record| has(&record.title) || part == Part::Whole && has(&record.body))
    }

    /// The chunks with a word that begins so. The index knows stems: where one is shorter than the prefix, the text
    /// decides.
    pub(crate) fn with_beginning(&self, prefix: &str) -> Result<Beginning> {
        let (mut terms, mut chunks) = (BTreeMap::new(), self.alive(self.no_docs()));
        let Some(prefix) = self.analyzers().beginning(prefix) else {
            return Ok(Beginning { chunks, terms: Vec::new() });
        };
        for analyzer in self.analyzers().all() {
            let PrefixTerms { beginning, shorter } = PrefixTerms::of(analyzer, &prefix);
            chunks = chunks.union(&self.with_terms_from(&beginning, &mut terms)?);
            for stem in shorter {
                let term = Term::from_field_text(self.fields().text, &stem);
                let found = self.found_by(&TermQuery::new(term, IndexRecordOption::Basic))?;
                let is_of = |word: &str| analyzer.phrase(word).iter().any(|one| one.term == stem);
                let has = |text: &str| {
                    let mut words = analyzer.surfaces(text).into_iter();
                    words.any(|word| word.starts_with(&prefix) && is_of(&word))
                };
                let found = self.keep(found, &|record| has(&record.title) || has(&record.body))?;
                if found.len() > 0 {
                    terms.insert(stem, found.len() as u64);
                    chunks = chunks.union(&found);
                }
            }
        }
        Ok(Beginning { chunks, terms: most_frequent(terms) })
    }

    /// The chunks of documents whose ids fit.
    pub(crate) fn with_document(&self, fits: &dyn Fn(&str) -> bool) -> Result<Matching> {
        let mut found = self.no_docs();
        self.guarded("look up documents", || {
            for (segment, found) in self.segments().iter().zip(&mut found) {
                let Some(documents) = segment.fast_fields().str(DOCUMENT)? else { continue };
                let (mut fitting, mut number) = (BTreeSet::new(), 0u64);
                let mut stream = documents.dictionary().stream()?;
                while stream.advance() {
                    if std::str::from_utf8(stream.key()).is_ok_and(fits) {
                        fitting.insert(number);
                    }
                    number += 1;
                }
                for doc in segment.doc_ids_alive() {
                    if documents.term_ords(doc).any(|number| fitting.contains(&number)) {
                        found.insert(doc);
                    }
                }
            }
            Ok(())
        })?;
        Ok(self.alive(found))
    }

    /// The chunks with a term that begins so. Adds the terms with the number of chunks that have them.
    fn with_terms_from(&self, prefix: &str, terms: &mut BTreeMap<String, u64>) -> Result<Matching> {
        let mut found = self.no_docs();
        self.guarded("look up words that begin alike", || {
            for (segment, found) in self.segments().iter().zip(&mut found) {
                let index = segment.inverted_index(self.fields().text)?;
                let range = index.terms().range().ge(prefix.as_bytes()).lt(behind(prefix.as_bytes()));
                let mut stream = range.into_stream()?;
                while let Some((term, info)) = stream.next() {
                    if let Ok(term) = std::str::from_utf8(term) {
                        *terms.entry(term.to_string()).or_default() += u64::from(info.doc_freq);
                    }
                    let mut postings =
                        index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
                    while postings.block_len() > 0 {
                        for &doc in postings.docs() {
                            found.insert(doc);
                        }
                        postings.advance();
                    }
                }
            }
            Ok(())
        })?;
        Ok(self.alive(found))
    }

    /// Those of the chunks whose texts fit, unless they are too many to be read.
    fn keep(&self, found: Matching, fits: &dyn Fn(&ChunkRecord) -> bool) -> Result<Matching> {
        if found.len() > MOST_READ {
            return Ok(found);
        }
        let mut kept = self.no_docs();
        for (ord, kept) in (0..).zip(&mut kept) {
            for doc in found.docs_of(ord as usize) {
                if fits(&self.fetch(DocAddress::new(ord, doc))?) {
                    kept.insert(doc);
                }
            }
        }
        Ok(self.alive(kept))
    }

    fn found_by(&self, query: &dyn Query) -> Result<Matching> {
        let mut found = self.no_docs();
        self.guarded("search for words", || {
            let weight = query.weight(EnableScoring::disabled_from_searcher(self.searcher()))?;
            for (segment, found) in self.segments().iter().zip(&mut found) {
                let mut docs = weight.scorer(segment, 1.0)?;
                while docs.doc() != TERMINATED {
                    found.insert(docs.doc());
                    docs.advance();
                }
            }
            Ok(())
        })?;
        Ok(self.alive(found))
    }

    fn no_docs(&self) -> Vec<BitSet> {
        self.segments().iter().map(|segment| BitSet::with_max_value(segment.max_doc())).collect()
    }
}
