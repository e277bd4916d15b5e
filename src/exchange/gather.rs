//! Puts together what the lines of files say: answered queries, and judgements of their answers.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use super::actions::{ImportOptions, SHOWN};
use super::asked::{Asked, Event, shown};
use super::entry::Entries;
use super::report::ImportReport;
use crate::error::Result;
use crate::eval::Lines;
use crate::feedback::{Headings, Impression, Judgement, Verdict};
use crate::ids::{GenerationId, QueryId};

/// What is new to the log.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// In the order of their times.
    pub(crate) impressions: Vec<Impression>,
    /// In the order of their times; those of the same time as in the files.
    pub(crate) judgements: Vec<Judgement>,
    /// Without what only the index knows.
    pub(crate) report: ImportReport,
}

impl Imported {
    /// The ids of all documents that are named.
    pub(crate) fn documents(&self) -> BTreeSet<&str> {
        let shown = self.impressions.iter().flat_map(|one| &one.hits).map(|hit| &*hit.document);
        shown.chain(self.judgements.iter().map(|one| &*one.document)).collect()
    }
}

/// What a log has already, and what was imported into it since.
#[derive(Debug, Default)]
pub(crate) struct Known {
    queries: HashSet<QueryId>,
    said: HashSet<(QueryId, u64, String, Verdict)>,
}

impl Known {
    pub(crate) fn of(log: Headings) -> Known {
        let said = log.judgements.into_iter();
        Known {
            queries: log.all.iter().map(|one| one.query_id).collect(),
            said: said.map(|one| (one.query_id, one.time_ms, one.document, one.verdict)).collect(),
        }
    }
}

/// Reads files, plain or gzipped, which together may be one export.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) names the first line that can't be read.
pub(crate) fn import(files: &[&Path], options: &ImportOptions, log: Headings) -> Result<Imported> {
    let mut entries = Entries::default();
    for file in files {
        let mut lines = Lines::open_as("the file to import", file)?;
        while let Some((number, line)) = lines.next().transpose()? {
            entries.add(&line).map_err(|wrong| lines.wrong(number, wrong.found, wrong.expected))?;
        }
    }
    Ok(put_together(entries, options, &mut Known::of(log)))
}

/// What events say of one answer beside verdicts.
#[derive(Default)]
pub(super) struct Beside<'a> {
    session: Option<&'a str>,
    shown: Vec<&'a Event>,
}

pub(super) fn put_together(entries: Entries, options: &ImportOptions, known: &mut Known) -> Imported {
    let Entries { mut asked, mut events } = entries;
    // Stable, so that what has the same time stays in the order of the files.
    asked.sort_by_key(|one| one.time_ms);
    events.sort_by_key(|one| one.time_ms);
    let mut imported = Imported::default();
    let beside = beside(&events);
    for one in asked {
        if one.query.trim().is_empty() {
            imported.report.queries_without_text += 1;
        } else if known.queries.insert(one.query_id) {
            let beside = beside.get(&one.query_id);
            imported.impressions.push(impression(one, beside));
        } else {
            imported.report.known_queries += 1;
        }
    }
    for event in &events {
        let report = &mut imported.report;
        let Some(verdict) = options.verdict(&event.action) else {
            if event.action != SHOWN {
                *report.other_actions.entry(event.action.clone()).or_default() += 1;
            }
            continue;
        };
        let Some(query_id) = event.query_id.filter(|id| known.queries.contains(id)) else {
            report.events_without_query += 1;
            continue;
        };
        let Some(document) = &event.document else {
            report.events_without_document += 1;
            continue;
        };
        let time_ms = event.time_ms;
        if known.said.insert((query_id, time_ms, document.clone(), verdict)) {
            let document = document.clone();
            imported.judgements.push(Judgement { query_id, time_ms, document, verdict });
        } else {
            report.known_judgements += 1;
        }
    }
    imported.report.queries = imported.impressions.len();
    imported.report.judgements = imported.judgements.len();
    imported
}

fn beside(events: &[Event]) -> HashMap<QueryId, Beside<'_>> {
    let mut all: HashMap<QueryId, Beside<'_>> = HashMap::new();
    for event in events {
        let Some(query_id) = event.query_id else { continue };
        let one = all.entry(query_id).or_default();
        one.session = one.session.or(event.session.as_deref());
        if event.action == SHOWN {
            one.shown.push(event);
        }
    }
    for one in all.values_mut() {
        let place = |event: &&Event| event.ordinal.unwrap_or(f64::INFINITY);
        one.shown.sort_by(|a, b| place(a).total_cmp(&place(b)));
    }
    all
}

/// What an answer lacks, events may tell.
pub(super) fn impression(asked: Asked, beside: Option<&Beside<'_>>) -> Impression {
    let mut hits = asked.hits;
    if let Some(beside) = beside.filter(|_| hits.is_empty()) {
        let mut once = HashSet::new();
        let documents = beside.shown.iter().filter_map(|event| event.document.as_ref());
        hits = documents.filter(|document| once.insert(*document)).cloned().map(shown).collect();
    }
    Impression {
        query_id: asked.query_id,
        time_ms: asked.time_ms,
        generation: GenerationId(0),
        query: asked.query,
        words: asked.words,
        session: asked.session.or_else(|| beside?.session.map(str::to_string)),
        trial: None,
        hits,
    }
}
