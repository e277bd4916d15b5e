//! Writes the log.

use std::collections::HashMap;

use super::format::ExchangeFormat;
use super::report::ExportReport;
use super::sessions::SessionLine;
use super::ubi::{APPLICATION, event_line, query_line};
use crate::error::{Error, Result};
use crate::feedback::{Impression, Judgement, Replay};
use crate::ids::QueryId;

/// Calls `write` with each line, without its line break.
pub(crate) fn export(
    replay: &Replay,
    format: ExchangeFormat,
    write: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<ExportReport> {
    let mut said: HashMap<QueryId, Vec<&Judgement>> = HashMap::new();
    for judgement in &replay.judgements {
        said.entry(judgement.query_id).or_default().push(judgement);
    }
    let mut report = ExportReport::default();
    let mut take = |one: &Impression| {
        let judgements = said.remove(&one.query_id).unwrap_or_default();
        report.queries += 1;
        report.judgements += judgements.len();
        judgements
    };
    match format {
        ExchangeFormat::Ubi => {
            for one in &replay.impressions {
                write(&query_line(one, APPLICATION, None).map_err(unwritten)?)?;
                for judgement in take(one) {
                    write(&event_line(judgement, one, APPLICATION).map_err(unwritten)?)?;
                }
            }
        }
        ExchangeFormat::TrecSession => {
            let mut sessions: Vec<SessionLine<'_>> = Vec::new();
            let mut known: HashMap<&str, usize> = HashMap::new();
            for one in &replay.impressions {
                let new = sessions.len();
                let at = one.session.as_deref().map_or(new, |session| *known.entry(session).or_insert(new));
                if at == new {
                    sessions.push(SessionLine::begin(one));
                }
                sessions[at].add(one, &take(one));
            }
            for session in &sessions {
                write(&serde_json::to_string(session).map_err(unwritten)?)?;
            }
        }
    }
    report.judgements_without_query = replay.judgements.len() - report.judgements;
    Ok(report)
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::Io { doing: "write a line of", path: "the export".into(), source: error.into() }
}
