//! Evaluates an index of a folder with judged passages of its files.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::by_mode::ByMode;
use super::progress::{Progress, tell};
use super::scores::ModeScores;
use super::weights::{WeightMean, by_weight};
use crate::error::{Error, Result};
use crate::eval::{Metric, Passages, Queries, Query as Topic, Shown};
use crate::{Fusion, Hit, Mode, Query, Reader, Status};

/// A folder with questions and judged passages.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JudgedFolder {
    /// The folder.
    pub folder: PathBuf,
    /// The file with the judgements.
    pub judgements: PathBuf,
    /// The judged questions, by id.
    pub queries: Vec<Topic>,
    /// The judgements.
    pub passages: Passages,
}

/// The evaluation of an index of a folder.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FolderReport {
    /// The folder.
    pub folder: String,
    /// Documents in the index.
    pub documents: usize,
    /// Chunks in the index.
    pub chunks: usize,
    /// Number of questions.
    pub queries: usize,
    /// The scores.
    #[serde(flatten)]
    pub scores: ModeScores,
    /// The file with the judgements.
    #[serde(skip)]
    pub judgements: PathBuf,
    /// The questions' texts by id.
    #[serde(skip)]
    pub texts: BTreeMap<String, String>,
    /// The status of the index at the time of the evaluation.
    #[serde(skip)]
    pub status: Status,
}

impl FolderReport {
    /// Hits scored per question.
    pub const DEPTH: usize = 100;
}

impl JudgedFolder {
    /// The metrics that suit passages.
    pub const METRICS: [Metric; 4] =
        [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::SuccessAt(3), Metric::RecallAt(10)];

    /// Reads the questions (one JSON object per line, with `_id` and `text`) and the judgements, and checks that the
    /// files are those that were judged.
    ///
    /// # Errors
    /// As [`Queries::open`], [`Passages::read`] and [`Passages::check`]; [`Error::Invalid`] if a judged question is
    /// missing.
    pub fn read(folder: &Path, queries: &Path, judgements: &Path) -> Result<JudgedFolder> {
        let passages = Passages::read(judgements)?;
        passages.check(folder)?;
        let mut topics = BTreeMap::new();
        for topic in Queries::open(queries)? {
            let topic = topic?;
            topics.insert(topic.id.clone(), topic);
        }
        if let Some(unknown) = passages.queries().find(|query| !topics.contains_key(*query)) {
            let found = format!("a judgement for {unknown}, which {} does not have", queries.display());
            return Err(Error::invalid("the passages", found, "judgements of these queries only"));
        }
        topics.retain(|id, _| passages.queries().any(|query| query == id));
        Ok(JudgedFolder {
            folder: folder.into(),
            judgements: judgements.into(),
            queries: topics.into_values().collect(),
            passages,
        })
    }

    /// Evaluates each mode on the questions. A file counts with the grade of its displayed passage. Nothing is logged.
    ///
    /// # Errors
    /// As [`Reader::search`]; [`Error::Cancelled`](crate::Error::Cancelled) when `progress` breaks.
    pub fn evaluate(
        &self,
        engine: &Reader,
        metrics: &[Metric],
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<FolderReport> {
        let scores = ByMode::make(|mode| {
            let mut answers = BTreeMap::new();
            for (done, topic) in self.queries.iter().enumerate() {
                tell(progress, Progress::Ranking { mode, done, total: self.queries.len() })?;
                answers.insert(topic.id.clone(), shown(engine, topic, mode, None)?);
            }
            Ok(self.passages.evaluate(&answers, metrics))
        })?;
        let status = engine.status()?;
        Ok(FolderReport {
            folder: self.folder.display().to_string(),
            documents: status.documents,
            chunks: status.chunks,
            queries: self.queries.len(),
            scores: ModeScores::new(scores),
            judgements: self.judgements.clone(),
            texts: self.queries.iter().map(|topic| (topic.id.clone(), topic.text.clone())).collect(),
            status,
        })
    }

    /// Measures the mean of `metric` for the hybrid with each dense weight from 0 to 1 in steps of 0.1.
    ///
    /// # Errors
    /// As [`Reader::search`]; [`Error::Cancelled`](crate::Error::Cancelled) when `progress` breaks.
    pub fn by_weight(
        &self,
        engine: &Reader,
        metric: Metric,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<WeightMean>> {
        by_weight(&self.queries, progress, |topic, fusion| {
            let shown = shown(engine, topic, Mode::Hybrid, Some(fusion))?;
            Ok(self.passages.measure(&topic.id, &shown, &[metric]).iter().sum())
        })
    }
}

/// The passages shown for a question.
fn shown(engine: &Reader, topic: &Topic, mode: Mode, fusion: Option<Fusion>) -> Result<Vec<Shown>> {
    let mut query = Query::new(topic.text.as_str()).with_limit(FolderReport::DEPTH).with_mode(mode);
    query.fusion = fusion;
    let hits = engine
        .search(&query.without_logging().without_trial().without_highlights().with_copies())?
        .hits
        .into_iter();
    let of = |hit: Hit| Shown {
        path: hit.document,
        bytes: hit.start..hit.end,
        page: hit.place.page,
        text: hit.passage,
    };
    Ok(hits.map(of).collect())
}
