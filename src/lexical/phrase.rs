//! Phrases: neighbouring words of a query that have the same distance in a chunk.
//!
//! Such a pair adds a share of the weight of its two words. Stop words don't count as neighbours, nor do further forms
//! of a word, such as kx4401 beside kx and 4401. These are the ordered pairs of the sequential dependence model
//! (Metzler & Croft, "A Markov Random Field Model for Term Dependencies", 2005). The index has no statistics of pairs,
//! so the weights of the words replace them.
//!
//! The share was chosen on training queries (docs/benchmarks.md): no hybrid ranking lost by it, and lexical rankings
//! gained up to 0.009 nDCG@10.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, InvertedIndexReader, Term};

use super::analysis::QueryWord;
use super::idf::idf;
use super::snapshot::LexicalSnapshot;
use super::sought::Sought;

/// The weight of a pair, as a share of the sum of its words' weights.
pub(super) const PHRASE_BOOST: f32 = 0.15;
/// A query with more pairs keeps those with the highest weight.
pub(super) const MOST_PAIRS: usize = 64;

/// Two neighbouring words of a query that the index knows.
pub(super) struct Pair {
    first: Rc<Word>,
    second: Rc<Word>,
    /// From the first to the second, in words.
    distance: u32,
    weight: f32,
}

struct Word {
    idf: f32,
    /// Its postings, by segment.
    postings: Vec<Option<TermInfo>>,
}

impl LexicalSnapshot {
    /// The pairs of a query with `boost` times the weight of their words, in a fixed order.
    pub(super) fn query_pairs(&self, sought: &Sought, boost: f32) -> tantivy::Result<Vec<Pair>> {
        let mut pairs = Vec::new();
        for sequence in &sought.sequences {
            pairs.extend(self.pairs_of(sequence, sought, boost)?);
        }
        Ok(pairs)
    }

    fn pairs_of(&self, sequence: &[QueryWord], sought: &Sought, boost: f32) -> tantivy::Result<Vec<Pair>> {
        let mut words: HashMap<&str, Option<Rc<Word>>> = HashMap::new();
        for QueryWord { term, .. } in sequence {
            if !words.contains_key(term.as_str()) {
                words.insert(term, self.word(term, sought)?.map(Rc::new));
            }
        }
        let known = |word: &QueryWord| words[word.term.as_str()].clone();
        let neighbours: Vec<&QueryWord> = sequence.iter().filter(|word| word.is_neighbour).collect();
        let pair = |both: &[&QueryWord]| {
            let (first, second) = (known(both[0])?, known(both[1])?);
            let weight = boost * (first.idf + second.idf);
            Some(Pair { first, second, distance: (both[1].position - both[0].position) as u32, weight })
        };
        let mut pairs: Vec<Pair> = neighbours.windows(2).filter_map(pair).collect();
        pairs.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        pairs.truncate(MOST_PAIRS);
        Ok(pairs)
    }

    fn word(&self, text: &str, sought: &Sought) -> tantivy::Result<Option<Word>> {
        let term = Term::from_field_text(self.fields().text, text);
        let postings = self
            .segments()
            .iter()
            .map(|segment| Ok(segment.inverted_index(self.fields().text)?.get_term_info(&term)?));
        let postings = postings.collect::<tantivy::Result<Vec<_>>>()?;
        let chunks: u64 = postings.iter().flatten().map(|info| u64::from(info.doc_freq)).sum();
        if chunks == 0 {
            return Ok(None);
        }
        let others = sought.others(text).map(|other| self.chunks_with(other));
        let of_all = others.sum::<tantivy::Result<u64>>()? + chunks;
        Ok(Some(Word { idf: idf(of_all.min(self.held()), self.held()), postings }))
    }

    /// Adds the pairs' weights to some chunks of a segment, given in ascending order.
    pub(super) fn add_pairs(
        &self,
        pairs: &[Pair],
        ord: usize,
        scored: &mut [(DocId, f32)],
    ) -> tantivy::Result<()> {
        if scored.is_empty() {
            return Ok(());
        }
        let index = self.segments()[ord].inverted_index(self.fields().text)?;
        pairs.iter().try_for_each(|pair| Ok(pair.add_to_some(ord, &index, scored)?))
    }
}

impl Pair {
    fn add_to_some(
        &self,
        ord: usize,
        index: &InvertedIndexReader,
        scored: &mut [(DocId, f32)],
    ) -> std::io::Result<()> {
        let (Some(first), Some(second)) = (&self.first.postings[ord], &self.second.postings[ord]) else {
            return Ok(());
        };
        let read = |info| index.read_postings_from_terminfo(info, IndexRecordOption::WithFreqsAndPositions);
        let (mut first, mut second) = (read(first)?, read(second)?);
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        for (doc, score) in scored {
            // A long query drops terms but may keep a pair of them: a chunk without any term is no hit.
            if *score <= 0.0 || !at(&mut first, *doc) || !at(&mut second, *doc) {
                continue;
            }
            first.positions_with_offset(self.distance, &mut expected);
            second.positions(&mut found);
            if have_common(&expected, &found) {
                *score += self.weight;
            }
        }
        Ok(())
    }
}

/// Moves the postings to `doc`. Returns whether they contain it. They must not have passed it.
fn at(postings: &mut SegmentPostings, doc: DocId) -> bool {
    let here = postings.doc();
    here == doc || (here < doc && postings.seek(doc) == doc)
}

/// Whether two ascending lists have a common element.
fn have_common(a: &[u32], b: &[u32]) -> bool {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.cmp(y) {
            Ordering::Less => a.next(),
            Ordering::Equal => return true,
            Ordering::Greater => b.next(),
        };
    }
    false
}
