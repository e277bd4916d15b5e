//! Runs a query: candidates, fusion, grouping by document, pages.

use std::collections::BTreeMap;
use std::time::Instant;

use super::answer::{Hit, Took};
use super::mode::Mode;
use super::places::{Place, Places, Scores};
use super::pool::{Pool, PreparedQuery, Scored, Snapshot, millis, propose, propose_words, timed};
use super::query::Query;
use super::restrict::Restricted;
use crate::error::Result;
use crate::fusion::Fusion;
use crate::ids::ChunkSet as _;
use crate::lexical::{FacetCount, Prepared, fields_of};

/// Ranked documents and timings.
#[derive(Debug, Default)]
pub(crate) struct Ranked {
    pub(crate) hits: Vec<Hit>,
    pub(crate) took: Took,
    pub(crate) counts: Counts,
    /// Whether the query has no word, and so finds nothing.
    pub(crate) wordless: bool,
}

/// What a query finds in all, where it asks for that.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) total: Option<usize>,
    pub(crate) facets: BTreeMap<String, Vec<FacetCount>>,
}

/// Ranks the documents of `snapshot` for `query`.
pub(crate) fn rank(snapshot: &Snapshot, query: &Query) -> Result<Ranked> {
    rank_with_words(snapshot, query).map(|(ranked, _)| ranked)
}

/// As [`rank`], with the words that the query looked up.
pub(crate) fn rank_with_words<'a>(snapshot: &'a Snapshot, query: &Query) -> Result<(Ranked, Prepared<'a>)> {
    query.validate()?;
    let started = Instant::now();
    let mut took = Took::default();
    let typed = query.typed();
    let Restricted { allowed, terms } = timed(&mut took.lexical, || {
        Restricted::of(&snapshot.lexical, &typed, query.filter.as_ref(), query.path.as_deref())
    })?;
    let words = timed(&mut took.lexical, || snapshot.lexical.prepare_with_terms(&typed.words, &terms))?;
    if !words.has_words() {
        let counted = query.total || !query.facets.is_empty();
        let facets = query.facets.iter().map(|field| (field.clone(), Vec::new())).collect();
        let counts = Counts { total: counted.then_some(0), facets };
        return Ok((Ranked { counts, wordless: true, ..Ranked::default() }, words));
    }
    let vector = match query.mode {
        Mode::Lexical => None,
        // Before the first vector nobody needs the encoder: words don't wait for it to load.
        _ if snapshot.pinned.dense.len() == 0 => None,
        Mode::Hybrid | Mode::Dense => {
            Some(timed(&mut took.encode, || snapshot.pinned.generation.encode_query(&typed.words))?)
        }
    };
    let prepared = PreparedQuery {
        mode: query.mode,
        words: &words,
        vector: vector.as_deref(),
        allowed: allowed.as_ref(),
    };
    let fusion = query.fusion.unwrap_or(snapshot.pinned.generation.meta.fusion);
    let run = Run { snapshot, query, prepared, fusion };
    let (mut shown, pool) = run.first_documents(&mut took)?;
    let counts = timed(&mut took.fuse, || run.count(&pool))?;
    run.further_documents(&mut shown, pool, &mut took)?;
    took.total = millis(started);
    Ok((Ranked { hits: shown.hits, took, counts, wordless: false }, words))
}

struct Run<'a> {
    snapshot: &'a Snapshot,
    query: &'a Query,
    prepared: PreparedQuery<'a>,
    fusion: Fusion,
}

/// The documents so far: those of earlier pages, and the hits of this one.
#[derive(Default)]
struct Shown {
    places: Places,
    hits: Vec<Hit>,
    /// Whether the best of the chunks that were left scored less than the query wants.
    below: bool,
}

impl Shown {
    /// Names a document that has the passage of the hit in `place`, if that is on the page, which begins at `offset`.
    fn name_copy(&mut self, place: usize, offset: usize, document: String) {
        let hit = place.checked_sub(offset).and_then(|at| self.hits.get_mut(at));
        if let Some(hit) = hit.filter(|hit| !hit.also_in.contains(&document)) {
            hit.also_in.push(document);
        }
    }
}

impl Run<'_> {
    /// The documents of a pool that is deep enough for a first page.
    fn first_documents(&self, took: &mut Took) -> Result<(Shown, Pool)> {
        let query = self.query;
        // Chunks of one document share a place in the answer. If that leaves too few documents, fetch more candidates.
        let mut depth = query.candidates.max(query.limit);
        loop {
            let pool = propose(self.snapshot, &self.prepared, depth, took)?;
            let mut shown = Shown { places: Places::new(query.copies, query.per_folder), ..Shown::default() };
            timed(&mut took.fuse, || self.show(&self.rank(&pool), &mut shown))?;
            let exhausted = pool.words_exhausted && pool.vectors_exhausted || depth >= self.chunk_count();
            if shown.places.len() >= query.limit || shown.below || exhausted {
                return Ok((shown, pool));
            }
            depth = depth.saturating_mul(4);
        }
    }

    /// Goes on with chunks that contain a word, for a later page. Earlier pages keep what they have shown.
    fn further_documents(&self, shown: &mut Shown, mut pool: Pool, took: &mut Took) -> Result<()> {
        while shown.places.len() < self.last() && !pool.words_exhausted && pool.depth < self.chunk_count() {
            let left = pool.best_left(self.query.mode, &self.fusion, self.prepared.words.ceiling());
            if self.query.min_score.is_some_and(|least| left < least) {
                break;
            }
            let depth = pool.depth.saturating_mul(4);
            pool = propose_words(self.snapshot, &self.prepared, depth, pool.nearest, took)?;
            timed(&mut took.fuse, || self.show(&self.rank(&pool), shown))?;
        }
        Ok(())
    }

    /// Counts the documents that the query finds, and their values.
    fn count(&self, pool: &Pool) -> Result<Counts> {
        let (query, lexical) = (self.query, &self.snapshot.lexical);
        if !query.total && query.facets.is_empty() {
            return Ok(Counts::default());
        }
        let chunks = match query.min_score {
            Some(least) => {
                let (nearest, took) = (pool.nearest.clone(), &mut Took::default());
                let all =
                    propose_words(self.snapshot, &self.prepared, self.chunk_count().max(1), nearest, took)?;
                let good = self.rank(&all).into_iter().filter(|one| one.score >= least);
                lexical.set_of(good.map(|one| one.chunk))
            }
            None => {
                let nearest = lexical.set_of(pool.nearest.iter().map(|&(chunk, _)| chunk));
                match query.mode {
                    Mode::Dense => nearest,
                    _ => self.prepared.words.containing(self.prepared.allowed)?.union(&nearest),
                }
            }
        };
        let documents = lexical.one_per_document(&chunks)?;
        let facets = query.facets.iter().map(|field| Ok((field.clone(), lexical.facet(field, &documents)?)));
        Ok(Counts { total: Some(documents.len()), facets: facets.collect::<Result<_>>()? })
    }

    /// Adds the documents of the ranked chunks that were not shown yet, each by its best chunk, up to the last of the
    /// page. Documents with the same passage share a place.
    fn show(&self, scored: &[Scored], shown: &mut Shown) -> Result<()> {
        let query = self.query;
        for one in scored {
            let scores = Scores { lexical: one.lexical, dense: one.dense };
            let is_full = shown.places.len() >= self.last();
            if is_full && !shown.places.may_have(scores) {
                continue;
            }
            if query.min_score.is_some_and(|least| one.score < least) {
                shown.below = true;
                break;
            }
            // A chunk without a record was added after this snapshot's lexical commit.
            let Some(record) = self.snapshot.lexical.get(one.chunk)? else { continue };
            match shown.places.find(&record) {
                Place::New if !is_full => shown.places.take(&record, scores),
                Place::Copy(place) => {
                    shown.name_copy(place, query.offset, record.document);
                    continue;
                }
                Place::New | Place::Taken | Place::Full => continue,
            }
            if shown.places.len() <= query.offset {
                continue;
            }
            let highlights = match query.highlight {
                true => self.prepared.words.highlight(&record),
                false => Vec::new(),
            };
            let mut fields = fields_of(&record.metadata);
            if let Some(chosen) = &query.fields {
                fields.retain(|name, _| chosen.contains(name));
            }
            shown.hits.push(Hit {
                rank: shown.places.len(),
                highlights,
                document: record.document,
                title: record.title,
                passage: record.body,
                also_in: Vec::new(),
                start: record.start,
                end: record.end,
                place: record.place,
                score: one.score,
                lexical: one.lexical,
                dense: one.dense,
                fields,
                chunk: one.chunk,
            });
        }
        Ok(())
    }

    fn rank(&self, pool: &Pool) -> Vec<Scored> {
        pool.rank(self.query.mode, &self.fusion, self.prepared.words.ceiling())
    }

    /// The number of documents up to the end of the page.
    fn last(&self) -> usize {
        self.query.offset + self.query.limit
    }

    fn chunk_count(&self) -> usize {
        self.snapshot.pinned.dense.len().max(self.snapshot.lexical.chunk_count() as usize)
    }
}
