//! BM25 over title and body together, plus a quarter of the title's own, plus a share for [phrases](super::phrase).
//! docs/benchmarks.md has the collections that decided the weights.
//!
//! Terms are taken one after another, rarest first, and each adds its share to the chunks that have it. The order is
//! fixed, so the floating-point sum of a chunk is the same whether it was searched for or asked for by id. Once the
//! terms left cannot lift a new chunk into the result, only the chunks that still can reach it are followed (the
//! "continue" strategy of Moffat & Zobel 1996, with the safe bounds of Turtle & Flood 1995).

use std::collections::HashMap;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, TermInfo};
use tantivy::query::Bm25Weight;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet, SegmentReader, TERMINATED, Term};

use super::matching::Matching;
use super::phrase::Pair;
use super::snapshot::LexicalSnapshot;
use crate::ids::{ChunkId, ChunkSet as _};

/// A query of more distinct terms keeps those with the highest weight.
pub(super) const MOST_QUERY_TERMS: usize = 256;
/// Weight of a match in the title, on top of its weight in the text.
pub(super) const TITLE_BOOST: f32 = 0.25;
/// When single chunks are followed instead of reading every posting of the terms that are left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pruning {
    /// A term that stands in no more chunks than this is always read whole.
    pub rare: u64,
    /// At most one chunk in so many is followed.
    pub few: usize,
}

impl Pruning {
    pub const DEFAULT: Pruning = Pruning { rare: 4096, few: 64 };
}

/// Slack for sums of floats in another order.
const SLACK: f32 = 1e-3;

/// A term of the query in one field.
pub(super) struct QueryTerm {
    field: Field,
    weight: Bm25Weight,
    /// In how many chunks the term stands, deleted ones included.
    chunks: u64,
    /// Where its postings are, by segment.
    postings: Vec<Option<TermInfo>>,
}

/// The scores of a segment's chunks while terms are added up.
struct Sums {
    scores: Vec<f32>,
    /// Those with a score above 0, each once. Most queries touch few, and the others are not looked at.
    touched: Vec<DocId>,
}

impl Sums {
    fn new(chunks: DocId) -> Sums {
        Sums { scores: vec![0.0; chunks as usize], touched: Vec::new() }
    }
}

/// A term that the index knows, before it is chosen.
struct Known<'a> {
    text: &'a str,
    field: Field,
    boost: f32,
    chunks: u64,
    mean_length: f32,
    postings: Vec<Option<TermInfo>>,
}

impl LexicalSnapshot {
    /// As [`Prepared::search`](super::Prepared::search), with terms and pairs of a query.
    pub(super) fn search_with(
        &self,
        (terms, pairs): (&[QueryTerm], &[Pair]),
        (limit, pruning): (usize, Pruning),
        allowed: Option<&Matching>,
    ) -> tantivy::Result<Vec<(ChunkId, f32)>> {
        if let Some(allowed) = allowed
            && allowed.len() <= self.chunk_count() as usize / pruning.few
        {
            return self.best(self.score_all(terms, allowed)?, limit, pairs);
        }
        let allowed = allowed.map(Matching::docs);
        let mut sums: Vec<Sums> =
            self.segments().iter().map(|segment| Sums::new(segment.max_doc())).collect();
        let candidates = self.accumulate(terms, (limit, pruning), allowed, &mut sums)?;
        self.best(candidates, limit, pairs)
    }

    /// As [`Prepared::score`](super::Prepared::score), with terms and pairs of a query.
    pub(super) fn score_with(
        &self,
        (terms, pairs): (&[QueryTerm], &[Pair]),
        chunks: &[ChunkId],
    ) -> tantivy::Result<Vec<f32>> {
        let mut out = vec![0.0; chunks.len()];
        let mut places: Vec<Vec<(DocId, usize)>> = vec![Vec::new(); self.segments().len()];
        for (at, &chunk) in chunks.iter().enumerate() {
            if let Some(place) = self.place(chunk) {
                places[place.segment_ord as usize].push((place.doc_id, at));
            }
        }
        for (ord, (segment, here)) in self.segments().iter().zip(&mut places).enumerate() {
            here.sort_unstable();
            let mut scored: Vec<(DocId, f32)> = here.iter().map(|&(doc, _)| (doc, 0.0)).collect();
            for term in terms {
                term.add_to_some(ord, segment, &mut scored)?;
            }
            self.add_pairs(pairs, ord, &mut scored)?;
            here.iter().zip(scored).for_each(|(&(_, at), (_, score))| out[at] = score);
        }
        Ok(out)
    }

    /// The terms of a query that the index knows, in the one order they are summed in: rarest first.
    pub(super) fn query_terms(&self, counts: &HashMap<String, u32>) -> tantivy::Result<Vec<QueryTerm>> {
        let total = self.held();
        let mut known = Vec::new();
        for (field, boost) in [(self.fields().text, 1.0), (self.fields().title, TITLE_BOOST)] {
            let readers = self.segments().iter().map(|segment| segment.inverted_index(field));
            let readers = readers.collect::<tantivy::Result<Vec<_>>>()?;
            let tokens: u64 = readers.iter().map(|reader| reader.total_num_tokens()).sum();
            let mean_length = tokens as f32 / total as f32;
            for (text, &count) in counts {
                let term = Term::from_field_text(field, text);
                let postings = readers.iter().map(|reader| reader.get_term_info(&term));
                let postings = postings.collect::<std::io::Result<Vec<_>>>()?;
                let chunks: u64 = postings.iter().flatten().map(|info| u64::from(info.doc_freq)).sum();
                if chunks > 0 {
                    let boost = boost * count as f32;
                    known.push(Known { text, field, boost, chunks, mean_length, postings });
                }
            }
        }
        if known.len() > MOST_QUERY_TERMS {
            // As BM25's idf falls with the number of chunks, so does this; it needs only to rank.
            let gain = |term: &Known<'_>| term.boost * (1.0 + total as f32 / term.chunks as f32).ln();
            known.sort_by(|a, b| {
                gain(b).total_cmp(&gain(a)).then_with(|| (a.field, a.text).cmp(&(b.field, b.text)))
            });
            known.truncate(MOST_QUERY_TERMS);
        }
        known.sort_by(|a, b| (a.chunks, a.field, a.text).cmp(&(b.chunks, b.field, b.text)));
        let weighted =
            known.into_iter().map(|Known { field, boost, chunks, mean_length, postings, .. }| {
                let weight =
                    Bm25Weight::for_one_term_without_explain(chunks, total, mean_length).boost_by(boost);
                QueryTerm { field, weight, chunks, postings }
            });
        Ok(weighted.collect())
    }

    /// Sums the terms up and gives every chunk that may be among the `limit` best, by segment, with its score.
    fn accumulate(
        &self,
        terms: &[QueryTerm],
        (limit, pruning): (usize, Pruning),
        allowed: Option<&[BitSet]>,
        sums: &mut [Sums],
    ) -> tantivy::Result<Vec<Vec<(DocId, f32)>>> {
        for (at, term) in terms.iter().enumerate() {
            if at > 0 && term.chunks > pruning.rare {
                let rest: f32 = terms[at..].iter().map(|term| term.weight.max_score()).sum();
                if let Some(mut followed) = self.still_possible((limit, pruning.few), rest, allowed, sums) {
                    for (ord, segment) in self.segments().iter().enumerate() {
                        for term in &terms[at..] {
                            term.add_to_some(ord, segment, &mut followed[ord])?;
                        }
                    }
                    return Ok(followed);
                }
            }
            for (ord, segment) in self.segments().iter().enumerate() {
                term.add_to_all(ord, segment, &mut sums[ord])?;
            }
        }
        Ok(self.eligible(allowed, sums))
    }

    /// The scores of all allowed chunks, by segment: for so few that reading every posting would take longer.
    fn score_all(&self, terms: &[QueryTerm], allowed: &Matching) -> tantivy::Result<Vec<Vec<(DocId, f32)>>> {
        let of_segment = |(ord, segment): (usize, &SegmentReader)| {
            let mut scored: Vec<(DocId, f32)> = allowed.docs_of(ord).map(|doc| (doc, 0.0)).collect();
            terms.iter().try_for_each(|term| term.add_to_some(ord, segment, &mut scored))?;
            Ok(scored)
        };
        self.segments().iter().enumerate().map(of_segment).collect()
    }

    /// The chunks that may still be among the `limit` best when `rest` is the most that can be added; `None` when a
    /// chunk without any term so far may be, or when they are too many for following them to pay.
    fn still_possible(
        &self,
        (limit, few): (usize, usize),
        rest: f32,
        allowed: Option<&[BitSet]>,
        sums: &[Sums],
    ) -> Option<Vec<Vec<(DocId, f32)>>> {
        let mut found = self.eligible(allowed, sums);
        let mut flat: Vec<f32> = found.iter().flatten().map(|&(_, score)| score).collect();
        if flat.len() < limit {
            return None;
        }
        let (_, &mut least, _) = flat.select_nth_unstable_by(limit - 1, |a, b| b.total_cmp(a));
        let needed = least * (1.0 - SLACK) - rest;
        if needed <= 0.0 {
            return None;
        }
        found.iter_mut().for_each(|segment| segment.retain(|&(_, score)| score >= needed));
        let followed: usize = found.iter().map(Vec::len).sum();
        let all: usize = sums.iter().map(|sums| sums.scores.len()).sum();
        if followed > limit.max(all / few) {
            return None;
        }
        found.iter_mut().for_each(|segment| segment.sort_unstable_by_key(|&(doc, _)| doc));
        Some(found)
    }

    /// The live, allowed chunks that have a term, in no order.
    fn eligible(&self, allowed: Option<&[BitSet]>, sums: &[Sums]) -> Vec<Vec<(DocId, f32)>> {
        let of_segment = |(ord, segment): (usize, &SegmentReader)| {
            let Sums { scores, touched } = &sums[ord];
            let scored = touched.iter().map(|&doc| (doc, scores[doc as usize]));
            let scored = scored.filter(|&(doc, _)| allowed.is_none_or(|sets| sets[ord].contains(doc)));
            scored.filter(|&(doc, _)| !segment.is_deleted(doc)).collect()
        };
        self.segments().iter().enumerate().map(of_segment).collect()
    }

    fn best(
        &self,
        candidates: Vec<Vec<(DocId, f32)>>,
        limit: usize,
        pairs: &[Pair],
    ) -> tantivy::Result<Vec<(ChunkId, f32)>> {
        let mut flat: Vec<f32> = candidates.iter().flatten().map(|&(_, score)| score).collect();
        // Everything that ties with the last hit is kept until the ids decide.
        let least = match flat.len() > limit {
            true => *flat.select_nth_unstable_by(limit - 1, |a, b| b.total_cmp(a)).1,
            false => 0.0,
        };
        let mut hits = Vec::new();
        for (ord, scored) in candidates.into_iter().enumerate() {
            let column = self.chunk_column(ord);
            let mut kept: Vec<(DocId, f32)> =
                scored.into_iter().filter(|&(_, score)| score >= least && score > 0.0).collect();
            kept.sort_unstable_by_key(|&(doc, _)| doc);
            self.add_pairs(pairs, ord, &mut kept)?;
            hits.extend(
                kept.into_iter().filter_map(|(doc, score)| Some((ChunkId(column.first(doc)?), score))),
            );
        }
        hits.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        hits.truncate(limit);
        Ok(hits)
    }
}

/// What BM25 gives a term that stands in so many of `total` chunks, once in one of average length.
pub(super) fn idf(chunks: u64, total: u64) -> f32 {
    // Lengths of up to forty words are their own code.
    let (length, once) = (1, 1);
    Bm25Weight::for_one_term_without_explain(chunks, total, length as f32).score(length, once)
}

impl QueryTerm {
    /// Adds the term's share to every chunk of a segment.
    fn add_to_all(&self, ord: usize, segment: &SegmentReader, sums: &mut Sums) -> tantivy::Result<()> {
        let Some(info) = &self.postings[ord] else { return Ok(()) };
        let norms = segment.get_fieldnorms_reader(self.field)?;
        let index = segment.inverted_index(self.field)?;
        let mut postings = index.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
        while postings.block_len() > 0 {
            for (&doc, &frequency) in postings.docs().iter().zip(postings.freqs()) {
                let (share, score) = (self.share(&norms, doc, frequency), &mut sums.scores[doc as usize]);
                // The share of a word that all of many millions of chunks have rounds to nothing.
                if *score == 0.0 && share > 0.0 {
                    sums.touched.push(doc);
                }
                *score += share;
            }
            postings.advance();
        }
        Ok(())
    }

    /// Adds the term's share to some chunks of a segment, which are in ascending order.
    fn add_to_some(
        &self,
        ord: usize,
        segment: &SegmentReader,
        scored: &mut [(DocId, f32)],
    ) -> tantivy::Result<()> {
        let Some(info) = &self.postings[ord] else { return Ok(()) };
        if scored.is_empty() {
            return Ok(());
        }
        let norms = segment.get_fieldnorms_reader(self.field)?;
        let index = segment.inverted_index(self.field)?;
        let mut postings = index.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
        for (doc, score) in scored {
            if postings.doc() < *doc && postings.seek(*doc) == TERMINATED {
                break;
            }
            if postings.doc() == *doc {
                *score += self.share(&norms, *doc, postings.term_freq());
            }
        }
        Ok(())
    }

    fn share(&self, norms: &FieldNormReader, doc: DocId, frequency: u32) -> f32 {
        self.weight.score(norms.fieldnorm_id(doc), frequency)
    }
}
