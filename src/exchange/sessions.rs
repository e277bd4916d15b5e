//! Sessions with what TREC's Session Track has of them (Carterette et al., "Overview of the TREC 2014 Session Track"):
//! interactions, each with a query, ranked results and clicks, and when all that began. The names are those of its XML.

use serde::{Deserialize, Serialize};

use super::actions::action_of;
use super::asked::{Asked, Event, shown};
use super::ids::{Id, query_id, session};
use super::times::Time;
use crate::feedback::{Impression, Judgement, Verdict};

/// A session, to write.
#[derive(Serialize)]
pub(super) struct SessionLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    starttime: Time,
    interactions: Vec<Interaction<'a>>,
}

#[derive(Serialize)]
struct Interaction<'a> {
    num: usize,
    id: String,
    starttime: Time,
    query: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
    results: Vec<Ranked<'a>>,
    clicked: Vec<Click<'a>>,
    /// What was said beside clicks, which the track does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    judged: Vec<Judged<'a>>,
}

#[derive(Serialize)]
struct Ranked<'a> {
    rank: usize,
    docno: &'a str,
}

#[derive(Serialize)]
struct Click<'a> {
    num: usize,
    starttime: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<usize>,
    docno: &'a str,
    action: &'static str,
}

#[derive(Serialize)]
struct Judged<'a> {
    starttime: Time,
    docno: &'a str,
    action: &'static str,
}

impl<'a> SessionLine<'a> {
    /// A session that begins with this answer.
    pub(super) fn begin(first: &'a Impression) -> SessionLine<'a> {
        let starttime = Time(first.time_ms);
        SessionLine { session: first.session.as_deref(), starttime, interactions: Vec::new() }
    }

    /// Adds an answer and what was said of it.
    pub(super) fn add(&mut self, one: &'a Impression, judgements: &[&'a Judgement]) {
        let rank_of = |document: &str| Some(one.hits.iter().position(|hit| hit.document == document)? + 1);
        let (mut clicked, mut judged) = (Vec::new(), Vec::new());
        for said in judgements {
            let (starttime, docno, action) = (Time(said.time_ms), &*said.document, action_of(said.verdict));
            match said.verdict {
                Verdict::Opened | Verdict::Chosen => {
                    let (num, rank) = (clicked.len() + 1, rank_of(docno));
                    clicked.push(Click { num, starttime, rank, docno, action });
                }
                _ => judged.push(Judged { starttime, docno, action }),
            }
        }
        let ranked = one.hits.iter().zip(1..).map(|(hit, rank)| Ranked { rank, docno: &hit.document });
        self.interactions.push(Interaction {
            num: self.interactions.len() + 1,
            id: one.query_id.to_string(),
            starttime: Time(one.time_ms),
            query: &one.query,
            words: one.words.as_deref(),
            results: ranked.collect(),
            clicked,
            judged,
        });
    }
}

/// A session, as far as it is read.
#[derive(Deserialize)]
pub(super) struct ReadSession {
    session: Option<Id>,
    interactions: Vec<ReadInteraction>,
}

#[derive(Deserialize)]
struct ReadInteraction {
    id: Option<Id>,
    starttime: Time,
    query: String,
    words: Option<String>,
    #[serde(default)]
    results: Vec<ReadRanked>,
    #[serde(default)]
    clicked: Vec<ReadSaid>,
    #[serde(default)]
    judged: Vec<ReadSaid>,
}

#[derive(Deserialize)]
struct ReadRanked {
    rank: Option<u32>,
    docno: Id,
}

#[derive(Deserialize)]
struct ReadSaid {
    starttime: Time,
    docno: Id,
    #[serde(default = "click")]
    action: String,
}

fn click() -> String {
    action_of(Verdict::Opened).to_string()
}

impl ReadSession {
    /// The queries of the session, and what was said of their answers.
    pub(super) fn parts(self) -> (Vec<Asked>, Vec<Event>) {
        let of = self.session.map(|id| id.0);
        let (mut asked, mut events) = (Vec::new(), Vec::new());
        for (num, mut one) in self.interactions.into_iter().enumerate() {
            let id = one.id.map_or_else(
                || {
                    format!(
                        "{}\n{num}\n{}\n{}",
                        of.as_deref().unwrap_or_default(),
                        one.starttime.0,
                        one.query
                    )
                },
                |id| id.0,
            );
            let (id, session) = (query_id(&id), of.as_deref().and_then(session));
            one.results.sort_by_key(|result| result.rank.unwrap_or(u32::MAX));
            events.extend(one.clicked.into_iter().chain(one.judged).map(|said| Event {
                query_id: Some(id),
                time_ms: said.starttime.0,
                action: said.action,
                document: Some(said.docno.0),
                ordinal: None,
                session: None,
            }));
            asked.push(Asked {
                query_id: id,
                time_ms: one.starttime.0,
                query: one.query,
                words: one.words,
                session,
                hits: one.results.into_iter().map(|result| shown(result.docno.0)).collect(),
            });
        }
        (asked, events)
    }
}
