//! The weights of a query's terms and pairs, for an engine that scores terms by Lucene's BM25 times a boost.
//!
//! The same terms with the same weights as [`bm25`](crate::lexical::bm25) and [`phrase`](crate::lexical::phrase) choose
//! from the index itself. Boosts make up for what Lucene counts in another way: it takes the chunks that have the field
//! for all, and each form of a word for itself.

use super::similarity::Similarity;
use crate::lexical::analysis::QueryWord;
use crate::lexical::bm25::TITLE_BOOST;
use crate::lexical::choice::{Facts, choose};
use crate::lexical::containing::Part;
use crate::lexical::idf::idf;
use crate::lexical::phrase::{MOST_PAIRS, PHRASE_BOOST};
use crate::lexical::sought::Sought;

/// Counts of an index.
pub(crate) struct Statistics<'a> {
    /// All chunks.
    pub(crate) chunks: u64,
    /// The chunks that have a term in a field.
    pub(crate) having: &'a dyn Fn(Part) -> u64,
    /// The chunks that have this term in a field.
    pub(crate) with_term: &'a dyn Fn(Part, &str) -> u64,
}

/// What a query looks for.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    pub(crate) terms: Vec<TermWeight>,
    pub(crate) pairs: Vec<PairWeight>,
}

/// A term in one field.
#[derive(Debug)]
pub(crate) struct TermWeight {
    pub(crate) part: Part,
    pub(crate) term: String,
    /// What Lucene's score of it is to be multiplied by.
    pub(crate) boost: f32,
}

/// Two terms that count as neighbours in the text.
#[derive(Debug)]
pub(crate) struct PairWeight {
    pub(crate) first: String,
    pub(crate) second: String,
    /// From the first to the second, in words.
    pub(crate) distance: usize,
    /// What a chunk that has the pair scores more.
    pub(crate) weight: f32,
}

struct KnownTerm<'a> {
    text: &'a str,
    part: Part,
    boost: f32,
    chunks: u64,
    of_all: u64,
}

impl Weights {
    pub(super) fn of(sought: &Sought, statistics: &Statistics<'_>) -> Weights {
        let terms = chosen(sought, statistics).into_iter().map(|known| known.weigh(statistics)).collect();
        let pairs = sought.sequences.iter().flat_map(|sequence| pairs_of(sequence, sought, statistics));
        Weights { terms, pairs: pairs.collect() }
    }
}

/// The terms that the index knows; of very many those with the highest weight.
fn chosen<'a>(sought: &'a Sought, statistics: &Statistics<'_>) -> Vec<KnownTerm<'a>> {
    let mut known = Vec::new();
    for (part, boost) in [(Part::Whole, 1.0), (Part::Title, TITLE_BOOST)] {
        for (text, &count) in &sought.counts {
            let chunks = (statistics.with_term)(part, text);
            if chunks > 0 {
                let of_all = of_all(text, part, sought, statistics);
                known.push(KnownTerm { text, part, boost: boost * count as f32, chunks, of_all });
            }
        }
    }
    choose(&mut known, sought.sequences.len(), statistics.chunks, |term| Facts {
        text: term.text,
        in_whole: term.part == Part::Whole,
        boost: term.boost,
        chunks: term.chunks,
        of_all: term.of_all,
    });
    known
}

/// The chunks that have the word of a term in any language.
fn of_all(text: &str, part: Part, sought: &Sought, statistics: &Statistics<'_>) -> u64 {
    let all = sought.others(text).chain([text]).map(|form| (statistics.with_term)(part, form));
    all.sum::<u64>().min(statistics.chunks)
}

impl KnownTerm<'_> {
    fn weigh(self, statistics: &Statistics<'_>) -> TermWeight {
        let having = (statistics.having)(self.part).max(self.chunks);
        let ours = idf(self.of_all, statistics.chunks);
        let lucenes = idf(self.chunks, having) * Similarity::of(having, statistics.chunks).factor() as f32;
        TermWeight { part: self.part, term: self.text.to_string(), boost: self.boost * ours / lucenes }
    }
}

fn pairs_of(sequence: &[QueryWord], sought: &Sought, statistics: &Statistics<'_>) -> Vec<PairWeight> {
    let weight = |word: &QueryWord| {
        let known = (statistics.with_term)(Part::Whole, &word.term) > 0;
        known.then(|| idf(of_all(&word.term, Part::Whole, sought, statistics), statistics.chunks))
    };
    let neighbours: Vec<&QueryWord> = sequence.iter().filter(|word| word.is_neighbour).collect();
    let pair = |both: &[&QueryWord]| {
        Some(PairWeight {
            weight: PHRASE_BOOST * (weight(both[0])? + weight(both[1])?),
            first: both[0].term.clone(),
            second: both[1].term.clone(),
            distance: both[1].position - both[0].position,
        })
    };
    let mut pairs: Vec<PairWeight> = neighbours.windows(2).filter_map(pair).collect();
    pairs.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    pairs.truncate(MOST_PAIRS);
    pairs
}
