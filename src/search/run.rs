//! Runs a query: candidates, fusion, grouping by document, pages.

use std::time::Instant;

use super::answer::{Hit, Took};
use super::mode::Mode;
use super::places::{Place, Places, Scores};
use super::pool::{Asked, Pool, Scored, propose, propose_words};
use super::query::Query;
use crate::clock::{millis, timed};
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::ids::ChunkId;
use crate::lexical::fields_of;
use crate::store::{Asks, Counts, Found, Restriction, Restrictions, Store, StoreQuery};

/// Ranked documents and timings.
#[derive(Debug, Default)]
pub(crate) struct Ranked {
    pub(crate) hits: Vec<Hit>,
    pub(crate) took: Took,
    pub(crate) counts: Counts,
    /// Whether the query has no word, and so finds nothing.
    pub(crate) wordless: bool,
}

/// Ranks the documents of `store` for `query`.
pub(crate) fn rank<S: Store>(store: &S, query: &Query) -> Result<Ranked> {
    rank_with_words(store, query).map(|(ranked, _)| ranked)
}

/// As [`rank`], with the query that was looked up.
pub(crate) fn rank_with_words<'s, S: Store>(store: &'s S, query: &Query) -> Result<(Ranked, S::Query<'s>)> {
    query.validate()?;
    let started = Instant::now();
    let mut took = Took::default();
    let typed = query.typed();
    let path = query.path.as_deref().map(|path| Restriction { asks: Asks::Path(path), negated: false });
    let all = path.into_iter().chain(typed.restrictions).collect();
    let restrictions = Restrictions { filter: query.filter.as_ref(), all };
    let words = timed(&mut took.lexical, || store.look_up(&typed.words, &restrictions))?;
    if !words.has_words() {
        let counts = match query.counts() {
            true => Counts::nothing(&query.facets),
            false => Counts::default(),
        };
        return Ok((Ranked { counts, wordless: true, ..Ranked::default() }, words));
    }
    let coverage = store.coverage();
    let vector = match query.mode {
        Mode::Lexical => None,
        // Before the first vector nobody needs the encoder: words don't wait for it to load.
        _ if coverage.encoded == 0 => None,
        Mode::Hybrid | Mode::Dense => Some(timed(&mut took.encode, || store.encode_query(&typed.words))?),
    };
    let asked = Asked { mode: query.mode, query: &words, vector: vector.as_deref(), coverage };
    let fusion = query.fusion.unwrap_or_else(|| store.fusion());
    let run = Run { query, asked, fusion };
    let (mut shown, pool) = run.first_documents(&mut took)?;
    let counts = timed(&mut took.fuse, || run.count(&pool))?;
    run.further_documents(&mut shown, pool, &mut took)?;
    took.total = millis(started);
    Ok((Ranked { hits: shown.hits, took, counts, wordless: false }, words))
}

struct Run<'a, Q> {
    query: &'a Query,
    asked: Asked<'a, Q>,
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

impl<Q: StoreQuery> Run<'_, Q> {
    /// The documents of a pool that is deep enough for a first page.
    fn first_documents(&self, took: &mut Took) -> Result<(Shown, Pool)> {
        let query = self.query;
        // Chunks of one document share a place in the answer. If that leaves too few documents, fetch more candidates.
        let mut depth = query.candidates.max(query.limit);
        loop {
            let pool = propose(&self.asked, depth, took)?;
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
            let left = pool.best_left(self.query.mode, &self.fusion, self.asked.query.ceiling());
            if self.query.min_score.is_some_and(|least| left < least) {
                break;
            }
            let depth = pool.depth.saturating_mul(4);
            pool = propose_words(&self.asked, depth, pool.into_nearest(), took)?;
            timed(&mut took.fuse, || self.show(&self.rank(&pool), shown))?;
        }
        Ok(())
    }

    /// Counts the documents that the query finds, and their values.
    fn count(&self, pool: &Pool) -> Result<Counts> {
        let query = self.query;
        if !query.counts() {
            return Ok(Counts::default());
        }
        let nearest = pool.nearest();
        if let Some(least) = query.min_score {
            let took = &mut Took::default();
            let all = propose_words(&self.asked, self.chunk_count().max(1), nearest.to_vec(), took)?;
            self.check_all_good(&all, least)?;
            let good = self.rank(&all).into_iter().filter(|one| one.score >= least);
            let good: Vec<ChunkId> = good.map(|one| one.chunk).collect();
            return self.asked.query.count(Found::These(&good), &query.facets);
        }
        let nearest: Vec<ChunkId> = nearest.iter().map(|&(chunk, _)| chunk).collect();
        let found = match query.mode {
            Mode::Dense => Found::These(&nearest),
            _ => Found::WithWordsAnd(&nearest),
        };
        self.asked.query.count(found, &query.facets)
    }

    /// Rejects a count of the documents with a score, where some of them may not have been proposed.
    fn check_all_good(&self, pool: &Pool, least: f32) -> Result<()> {
        let left = || pool.best_left(self.query.mode, &self.fusion, self.asked.query.ceiling());
        match pool.cut().filter(|_| left() >= least) {
            None => Ok(()),
            Some(most) => Err(Error::invalid(
                "the count of documents with a least score",
                format!("more than {most} passages that may have a score of {least}"),
                "a higher least score, or none",
            )),
        }
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
            let Some(record) = self.asked.query.record(one.chunk)? else { continue };
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
                true => self.asked.query.highlight(&record),
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
        pool.rank(self.query.mode, &self.fusion, self.asked.query.ceiling())
    }

    /// The number of documents up to the end of the page.
    fn last(&self) -> usize {
        self.query.offset + self.query.limit
    }

    fn chunk_count(&self) -> usize {
        self.asked.coverage.chunks
    }
}
