//! A test collection in an index.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Instant;

use retune::eval::{self, AveragedOver, Collection, Evaluation, Inventory, Metric, Qrels, Run, evaluate};
use retune::{Chunking, Document, Engine, Error, Fusion, Mode, Query, Result, Status};
use serde::Serialize;

use super::output::Output;

/// Documents that are added in one commit.
const COMMIT: usize = 512;

/// What was encoded, and how long that took.
#[derive(Serialize)]
pub(super) struct Encode {
    pub(super) documents: usize,
    pub(super) seconds: f64,
}

/// Refuses, before anything is added, an index that is not this collection's or the beginning of one.
pub(super) fn holds_nothing_else(engine: &Engine, status: &Status, inventory: &Inventory) -> Result<()> {
    let others: Vec<String> = engine.documents()?.into_iter().filter(|id| !inventory.holds(id)).collect();
    if others.is_empty() && status.chunking == Chunking::Whole {
        return Ok(());
    }
    let found = match others.first() {
        Some(other) => {
            format!("an index of other documents too ({} of them, such as {other:?})", others.len())
        }
        None => "an index of passages".into(),
    };
    Err(Error::Invalid { what: "--index", found, expected: "one of this collection, or a new folder".into() })
}

/// The queries that the qrels judge, in the order of the file, with their ids.
pub(super) fn judged_queries(
    collection: &Collection,
    qrels: &Qrels,
    limit: Option<usize>,
) -> Result<Vec<(String, String)>> {
    let (mut queries, mut seen) = (Vec::new(), BTreeSet::new());
    for query in collection.queries()? {
        let query = query?;
        if qrels.judgements(&query.id).is_some() && seen.insert(query.id.clone()) {
            queries.push((query.id, query.text));
        }
    }
    queries.truncate(limit.unwrap_or(usize::MAX));
    match queries.is_empty() {
        false => Ok(queries),
        true => Err(Error::Invalid {
            what: "the collection",
            found: format!("no query in {} that is judged", collection.name()),
            expected: "queries and qrels to share query ids, and a limit of 1 or more".into(),
        }),
    }
}

/// Adds what the index does not have yet: of an id that comes more than once, the last document.
pub(super) fn add(
    engine: &Engine,
    (collection, inventory): (&Collection, &Inventory),
    out: &Output,
) -> Result<Encode> {
    let started = Instant::now();
    let bar = out.text_bar(0);
    if !bar.is_hidden() {
        // How long encoding takes goes by the length of the texts, not by their number.
        let texts = collection.documents()?.map(|next| next.map(|one| text_bytes(&one)));
        bar.set_length(texts.sum::<Result<u64>>()?);
    }
    let mut encode = Encode { documents: 0, seconds: 0.0 };
    let (mut pending, mut bytes) = (Vec::new(), 0);
    let mut documents = collection.documents()?.enumerate();
    loop {
        let next = documents.next().map(|(place, next)| Ok((place, next?))).transpose()?;
        let done = next.is_none();
        bytes += next.as_ref().map_or(0, |(_, one)| text_bytes(one));
        let next = next.filter(|(place, one)| inventory.counts(*place, &one.id)).map(|(_, one)| one);
        // Collections have documents without a text. They can't be found, and count as not found.
        let next = next.filter(|one| !(one.text.trim().is_empty() && one.title.trim().is_empty()));
        pending.extend(next.map(|one| Document::new(one.id, one.text).with_title(one.title)));
        if pending.len() >= COMMIT || done {
            let (before, encoded_before) = (bar.position(), encode.documents);
            let asked = pending.len();
            let added = engine.add_with(std::mem::take(&mut pending), &mut |chunks| {
                encode.documents += chunks;
                bar.set_message(format!("{} documents encoded", encode.documents));
                bar.set_position(before + share(bytes, encode.documents - encoded_before, asked));
            })?;
            encode.documents = encoded_before + added.chunks_encoded;
            // With those that the index had already.
            bar.set_position(before + std::mem::take(&mut bytes));
        }
        if done {
            break;
        }
    }
    encode.seconds = started.elapsed().as_secs_f64();
    engine.merge_segments(&mut |done, all| {
        bar.set_message(format!("{done} of {all} vectors merged"));
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    Ok(encode)
}

fn text_bytes(document: &eval::Document) -> u64 {
    (document.title.len() + document.text.len()) as u64
}

/// The bytes of the first `done` of `all` documents that have `bytes` together: one as many as the other.
fn share(bytes: u64, done: usize, all: usize) -> u64 {
    bytes * done.min(all) as u64 / all.max(1) as u64
}

/// How queries are asked.
#[derive(Clone, Copy)]
pub(super) struct Ranking {
    pub(super) mode: Mode,
    /// Of the hybrid; that of the generation unless it is given.
    pub(super) fusion: Option<Fusion>,
    /// Documents that each side proposes.
    pub(super) depth: usize,
    /// Documents that are returned, if fewer than that.
    pub(super) limit: Option<usize>,
    /// No document whose id is the query's.
    pub(super) without_own: bool,
}

impl Ranking {
    pub(super) fn new(mode: Mode, depth: usize) -> Ranking {
        Ranking { mode, fusion: None, depth, limit: None, without_own: false }
    }

    /// The documents of a query, which has an id and a text, with their scores.
    pub(super) fn of(&self, engine: &Engine, (id, text): &(String, String)) -> Result<Vec<(String, f32)>> {
        let more = usize::from(self.without_own);
        let limit = self.limit.unwrap_or(self.depth).min(self.depth);
        let mut query = Query::new(text.as_str()).with_limit(limit + more).with_candidates(self.depth + more);
        query.fusion = self.fusion;
        let query = query.with_mode(self.mode).without_logging().without_highlights();
        let hits = engine.search(&query)?.hits.into_iter();
        let hits = hits.filter(|hit| !self.without_own || hit.document != *id).take(limit);
        Ok(hits.map(|hit| (hit.document, hit.score)).collect())
    }

    /// The run of all queries.
    pub(super) fn run(&self, engine: &Engine, queries: &[(String, String)], out: &Output) -> Result<Run> {
        let bar = out.bar(self.mode.name(), queries.len() as u64);
        let mut run = Run::new();
        for query in queries {
            run.insert(&query.0, self.of(engine, query)?)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(run)
    }
}

/// The judgements of these queries alone.
pub(super) fn of_queries(qrels: &Qrels, queries: &[(String, String)]) -> Qrels {
    let mut judged = Qrels::new();
    for (id, _) in queries {
        for (document, &relevance) in qrels.judgements(id).into_iter().flatten() {
            judged.insert(id, document, relevance);
        }
    }
    judged
}

/// Evaluates the rankings of a mode, `depth` documents deep.
pub(super) fn measure(
    engine: &Engine,
    queries: &[(String, String)],
    qrels: &Qrels,
    mode: Mode,
    depth: usize,
    metrics: &[Metric],
    out: &Output,
) -> Result<Evaluation> {
    let run = Ranking::new(mode, depth).run(engine, queries, out)?;
    Ok(evaluate(&run, &of_queries(qrels, queries), metrics, AveragedOver::Judged))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_a_commit_grows_to_all_of_it() {
        let shares: Vec<u64> = [0, 128, 256, 300].into_iter().map(|done| share(1000, done, 256)).collect();
        assert_eq!(shares, [0, 500, 1000, 1000]);
        assert_eq!(share(0, 0, 0), 0);
    }
}
