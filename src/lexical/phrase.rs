//! Words that follow on each other in a query, and stand as far apart in a chunk.
//!
//! Two neighbours of the query, stop words not counted, that stand in a chunk at the same distance add a share of what both words
//! weigh: the ordered pairs of the sequential dependence model (Metzler & Croft, "A Markov Random Field Model for Term
//! Dependencies", 2005), with the weights of the words in the place of the pair's own, which no index has.
//!
//! The share was chosen on queries for training (docs/benchmarks.md): no hybrid ranking lost by it, and those by words alone
//! gained up to 0.009 nDCG@10.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, InvertedIndexReader, Term};

use super::bm25::idf;
use super::snapshot::LexicalSnapshot;

/// What a pair weighs of the sum of its words.
pub(super) const PHRASE_BOOST: f32 = 0.15;
/// A query of more pairs keeps those with the highest weight.
const MOST_PAIRS: usize = 64;

/// Two words that both stand in the text of some chunk.
pub(super) struct Pair {
    first: Rc<Word>,
    second: Rc<Word>,
    /// From the first to the second, in words.
    distance: u32,
    weight: f32,
}

struct Word {
    idf: f32,
    /// Where its postings are, by segment.
    postings: Vec<Option<TermInfo>>,
}

impl LexicalSnapshot {
    /// The pairs of a query with `boost` times the weight of their words, in a fixed order.
    pub(super) fn query_pairs(&self, sequence: &[(String, usize)], boost: f32) -> tantivy::Result<Vec<Pair>> {
        let mut words: HashMap<&str, Option<Rc<Word>>> = HashMap::new();
        for (text, _) in sequence {
            if !words.contains_key(text.as_str()) {
                words.insert(text, self.word(text)?.map(Rc::new));
            }
        }
        let known = |text: &String| words[text.as_str()].clone();
        let pair = |both: &[(String, usize)]| {
            let (first, second) = (known(&both[0].0)?, known(&both[1].0)?);
            let weight = boost * (first.idf + second.idf);
            Some(Pair { first, second, distance: (both[1].1 - both[0].1) as u32, weight })
        };
        let mut pairs: Vec<Pair> = sequence.windows(2).filter_map(pair).collect();
        pairs.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        pairs.truncate(MOST_PAIRS);
        Ok(pairs)
    }

    fn word(&self, text: &str) -> tantivy::Result<Option<Word>> {
        let term = Term::from_field_text(self.fields().text, text);
        let postings = self
            .segments()
            .iter()
            .map(|segment| Ok(segment.inverted_index(self.fields().text)?.get_term_info(&term)?));
        let postings = postings.collect::<tantivy::Result<Vec<_>>>()?;
        let chunks: u64 = postings.iter().flatten().map(|info| u64::from(info.doc_freq)).sum();
        Ok((chunks > 0).then(|| Word { idf: idf(chunks, self.held()), postings }))
    }

    /// Adds the pairs' weights to some chunks of a segment, which are in ascending order.
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
            // In a query that is too long for all of its words to count, a pair may be all that a chunk has.
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

/// Whether the postings have `doc`, which is none that they have passed.
fn at(postings: &mut SegmentPostings, doc: DocId) -> bool {
    let here = postings.doc();
    here == doc || (here < doc && postings.seek(doc) == doc)
}

/// Of two ascending lists.
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
