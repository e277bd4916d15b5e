//! BM25 over title and body together, plus a quarter of the title's own score, plus a share for
//! [phrases](super::phrase). The weights were chosen on test collections, see docs/benchmarks.md.
//!
//! Scoring is term at a time, rarest term first: each adds its share to the chunks that contain it. The order is fixed,
//! so a chunk's floating-point sum is the same whether it was found by a search or asked for by id. Once the remaining
//! terms can't lift a new chunk into the result, only chunks that can still reach it are scored (the "continue"
//! strategy of Moffat & Zobel 1996, with the safe bounds of Turtle & Flood 1995).

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, TermInfo};
use tantivy::query::Bm25Weight;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet, SegmentReader, TERMINATED, Term};

use super::choice::{Facts, choose};
use super::matching::Matching;
use super::phrase::Pair;
use super::snapshot::LexicalSnapshot;
use super::sought::Sought;
use crate::ids::{ChunkId, ChunkSet as _};

/// Tantivy's parameters, which are Lucene's.
#[cfg(feature = "opensearch")]
pub(super) const K1: f64 = 1.2;
#[cfg(feature = "opensearch")]
pub(super) const B: f64 = 0.75;
/// Weight of a match in the title, on top of its weight in the text.
pub(super) const TITLE_BOOST: f32 = 0.25;
/// When to score single candidates instead of reading all postings of the remaining terms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pruning {
    /// All postings are read of a term in at most this many chunks.
    pub rare: u64,
    /// The candidates must be at most one in this many chunks.
    pub few: usize,
}

impl Pruning {
    pub const DEFAULT: Pruning = Pruning { rare: 4096, few: 64 };
}

/// Relative tolerance for sums of floats in another order.
const SLACK: f32 = 1e-3;

/// What a query looks for in a snapshot: the terms that the index knows, and pairs of neighbouring words.
pub(super) struct QueryTerms {
    terms: Vec<QueryTerm>,
    pairs: Vec<Pair>,
}

/// A term of the query in one field.
struct QueryTerm {
    field: Field,
    weight: Bm25Weight,
    /// Number of chunks that contain the term, deleted ones included.
    chunks: u64,
    /// Its postings, by segment.
    postings: Vec<Option<TermInfo>>,
}

/// The scores of a segment's chunks while terms are added.
struct Sums {
    scores: Vec<f32>,
    /// The chunks with a score above 0, each once. Most queries touch few chunks; the others are skipped.
    touched: Vec<DocId>,
}

impl Sums {
    fn new(chunks: DocId) -> Sums {
        Sums { scores: vec![0.0; chunks as usize], touched: Vec::new() }
    }
}

impl QueryTerms {
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The chunks of a segment that contain a term, deleted ones included.
    pub(super) fn containing(&self, ord: usize, segment: &SegmentReader) -> tantivy::Result<BitSet> {
        let mut docs = BitSet::with_max_value(segment.max_doc());
        for term in &self.terms {
            let Some(info) = &term.postings[ord] else { continue };
            let index = segment.inverted_index(term.field)?;
            let mut postings = index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
            while postings.block_len() > 0 {
                for &doc in postings.docs() {
                    docs.insert(doc);
                }
                postings.advance();
            }
        }
        Ok(docs)
    }
}

/// A term that the index knows, before some are chosen.
struct KnownTerm<'a> {
    text: &'a str,
    field: Field,
    boost: f32,
    chunks: u64,
    /// The chunks that contain its word in any language.
    of_all: u64,
    mean_length: f32,
    postings: Vec<Option<TermInfo>>,
}

impl LexicalSnapshot {
    /// Looks up what a query searches for. Neighbours that are neighbours in a chunk add `phrase_boost` times the
    /// weight of their words.
    pub(super) fn look_up(&self, sought: &Sought, phrase_boost: f32) -> tantivy::Result<QueryTerms> {
        Ok(QueryTerms { terms: self.query_terms(sought)?, pairs: self.query_pairs(sought, phrase_boost)? })
    }

    /// The `limit` best chunks for a query. See [`Prepared::search`](super::Prepared::search).
    pub(super) fn search_with(
        &self,
        query: &QueryTerms,
        limit: usize,
        pruning: Pruning,
        allowed: Option<&Matching>,
    ) -> tantivy::Result<Vec<(ChunkId, f32)>> {
        if let Some(allowed) = allowed
            && allowed.len() <= self.chunk_count() as usize / pruning.few
        {
            return self.best(self.score_all(&query.terms, allowed)?, limit, &query.pairs);
        }
        let allowed = allowed.map(Matching::docs);
        let mut sums: Vec<Sums> =
            self.segments().iter().map(|segment| Sums::new(segment.max_doc())).collect();
        let candidates = self.accumulate(&query.terms, limit, pruning, allowed, &mut sums)?;
        self.best(candidates, limit, &query.pairs)
    }

    /// The scores of `chunks` for a query. See [`Prepared::score`](super::Prepared::score).
    pub(super) fn score_with(&self, query: &QueryTerms, chunks: &[ChunkId]) -> tantivy::Result<Vec<f32>> {
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
            for term in &query.terms {
                term.add_to_some(ord, segment, &mut scored)?;
            }
            self.add_pairs(&query.pairs, ord, &mut scored)?;
            here.iter().zip(scored).for_each(|(&(_, at), (_, score))| out[at] = score);
        }
        Ok(out)
    }

    /// The terms of a query that the index knows, in the order they are summed in: rarest first.
    fn query_terms(&self, sought: &Sought) -> tantivy::Result<Vec<QueryTerm>> {
        let total = self.held();
        let mut known = Vec::new();
        for (field, boost) in [(self.fields().text, 1.0), (self.fields().title, TITLE_BOOST)] {
            let readers = self.segments().iter().map(|segment| segment.inverted_index(field));
            let readers = readers.collect::<tantivy::Result<Vec<_>>>()?;
            let tokens: u64 = readers.iter().map(|reader| reader.total_num_tokens()).sum();
            let mean_length = tokens as f32 / total as f32;
            for (text, &count) in &sought.counts {
                let term = Term::from_field_text(field, text);
                let postings = readers.iter().map(|reader| reader.get_term_info(&term));
                let postings = postings.collect::<std::io::Result<Vec<_>>>()?;
                let chunks: u64 = postings.iter().flatten().map(|info| u64::from(info.doc_freq)).sum();
                if chunks > 0 {
                    let boost = boost * count as f32;
                    let mut of_all = chunks;
                    for other in sought.others(text) {
                        let other = Term::from_field_text(field, other);
                        for reader in &readers {
                            of_all +=
                                reader.get_term_info(&other)?.map_or(0, |info| u64::from(info.doc_freq));
                        }
                    }
                    let of_all = of_all.min(total);
                    known.push(KnownTerm { text, field, boost, chunks, of_all, mean_length, postings });
                }
            }
        }
        choose(&mut known, sought.sequences.len(), total, |term| Facts {
            text: term.text,
            in_whole: term.field == self.fields().text,
            boost: term.boost,
            chunks: term.chunks,
            of_all: term.of_all,
        });
        let weighted = known.into_iter().map(
            |KnownTerm { field, boost, chunks, of_all, mean_length, postings, .. }| {
                let weight =
                    Bm25Weight::for_one_term_without_explain(of_all, total, mean_length).boost_by(boost);
                QueryTerm { field, weight, chunks, postings }
            },
        );
        Ok(weighted.collect())
    }

    /// Sums the terms. Returns every chunk that may be among the `limit` best with its score, by segment.
    fn accumulate(
        &self,
        terms: &[QueryTerm],
        limit: usize,
        pruning: Pruning,
        allowed: Option<&[BitSet]>,
        sums: &mut [Sums],
    ) -> tantivy::Result<Vec<Vec<(DocId, f32)>>> {
        for (at, term) in terms.iter().enumerate() {
            if at > 0 && term.chunks > pruning.rare {
                let rest: f32 = terms[at..].iter().map(|term| term.weight.max_score()).sum();
                if let Some(mut candidates) = self.still_possible(limit, pruning.few, rest, allowed, sums) {
                    for (ord, segment) in self.segments().iter().enumerate() {
                        for term in &terms[at..] {
                            term.add_to_some(ord, segment, &mut candidates[ord])?;
                        }
                    }
                    return Ok(candidates);
                }
            }
            for (ord, segment) in self.segments().iter().enumerate() {
                term.add_to_all(ord, segment, &mut sums[ord])?;
            }
        }
        Ok(self.eligible(allowed, sums))
    }

    /// The scores of all allowed chunks, by segment. For few chunks this is faster than reading every posting.
    fn score_all(&self, terms: &[QueryTerm], allowed: &Matching) -> tantivy::Result<Vec<Vec<(DocId, f32)>>> {
        let of_segment = |(ord, segment): (usize, &SegmentReader)| {
            let mut scored: Vec<(DocId, f32)> = allowed.docs_of(ord).map(|doc| (doc, 0.0)).collect();
            terms.iter().try_for_each(|term| term.add_to_some(ord, segment, &mut scored))?;
            Ok(scored)
        };
        self.segments().iter().enumerate().map(of_segment).collect()
    }

    /// The chunks that may still be among the `limit` best if each score grows by at most `rest`. `None` if a chunk
    /// without a term so far may be among them, or if they are more than one in `few` chunks.
    fn still_possible(
        &self,
        limit: usize,
        few: usize,
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
        let candidates: usize = found.iter().map(Vec::len).sum();
        let all: usize = sums.iter().map(|sums| sums.scores.len()).sum();
        if candidates > limit.max(all / few) {
            return None;
        }
        found.iter_mut().for_each(|segment| segment.sort_unstable_by_key(|&(doc, _)| doc));
        Some(found)
    }

    /// The live, allowed chunks that contain a term, in no order.
    fn eligible(&self, allowed: Option<&[BitSet]>, sums: &[Sums]) -> Vec<Vec<(DocId, f32)>> {
        let of_segment = |(ord, segment): (usize, &SegmentReader)| {
            let Sums { scores, touched } = &sums[ord];
            let scored = touched.iter().map(|&doc| (doc, scores[doc as usize]));
            let scored = scored.filter(|&(doc, _)| allowed.is_none_or(|sets| sets[ord].contains(doc)));
            scored.filter(|&(doc, _)| !segment.is_deleted(doc)).collect()
        };
        self.segments().iter().enumerate().map(of_segment).collect()
    }

    /// The `limit` best of the candidates, which come by segment. The pairs are added to those only.
    fn best(
        &self,
        candidates: Vec<Vec<(DocId, f32)>>,
        limit: usize,
        pairs: &[Pair],
    ) -> tantivy::Result<Vec<(ChunkId, f32)>> {
        let mut flat: Vec<f32> = candidates.iter().flatten().map(|&(_, score)| score).collect();
        // All chunks that tie with the last hit are kept: phrases and ids decide between them.
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
                // For a word in all of many millions of chunks the share rounds to 0.
                if *score == 0.0 && share > 0.0 {
                    sums.touched.push(doc);
                }
                *score += share;
            }
            postings.advance();
        }
        Ok(())
    }

    /// Adds the term's share to some chunks of a segment, given in ascending order.
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
