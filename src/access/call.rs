//! What is asked of a running service over its socket: one message for each question.

#[cfg(all(unix, feature = "serve"))]
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(all(unix, feature = "serve"))]
use serde_json::value::to_raw_value;

#[cfg(all(unix, feature = "serve"))]
use super::Own;
#[cfg(all(unix, feature = "serve"))]
use super::api::RoundsAnswer;
use super::api::{
    FilesRequest, ForgetRequest, JudgeRequest, LogRequest, ReadRequest, SearchRequest, SimilarRequest,
};
#[cfg(all(unix, feature = "serve"))]
use crate::corpus::CorpusOptions;
use crate::engine::{Changes, Engine, Folder, IndexProgress, IndexReport, Reader};
#[cfg(all(unix, feature = "serve"))]
use crate::error::Error;
use crate::error::Result;
use crate::learn::{LearnOptions, LearnProgress};
use crate::search::{Answer, Query};

/// A question that is answered at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Call {
    Search(SearchRequest),
    Similar(SimilarRequest),
    Read(ReadRequest),
    Judge(JudgeRequest),
    Status,
    Files(FilesRequest),
    Rounds,
    Recent(LogRequest),
    Learn,
    Forget(ForgetRequest),
    /// What the verb `search` asks.
    Query(Box<Query>),
    LastQuery,
    FindQuery(String),
    WholeStatus,
    RollBack,
    Trial,
    EndTrial,
}

/// Work that takes its time. Each line of the answer is a [`Line`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    Index(IndexTask),
    /// Follow a folder no more.
    ForgetFolder(PathBuf),
    Learn(Box<LearnOptions>),
    DryRun(Box<LearnOptions>),
    /// Tell what becomes of the folders, until nobody listens.
    Watch,
}

/// What the verb `index` asks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IndexTask {
    /// Folders to follow from now on; without any all that are followed are looked at. Absolute.
    pub folders: Vec<PathBuf>,
    /// As [`CorpusOptions::max_file_bytes`](crate::CorpusOptions::max_file_bytes).
    pub max_file_bytes: Option<u64>,
    /// As [`CorpusOptions::include`](crate::CorpusOptions::include).
    pub include: Option<Vec<String>>,
}

/// A line of the answer to a [`Task`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    Indexing(IndexProgress),
    Learning(LearnProgress),
    /// These folders are watched.
    Watching(Vec<Folder>),
    /// A look at the folders has found something new.
    Changed(Box<IndexReport>),
    /// So many passages of so many were given their vectors.
    Encoded(usize, usize),
    /// A look at the folders failed.
    Missed(String),
    /// The last line.
    Done(Box<RawValue>),
    /// The last line, if it failed.
    Failed(String),
}

/// An answer with what a program on this machine shows beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Searched {
    /// The answer.
    pub answer: Answer,
    /// The folder whose paths are ids, if the index follows one.
    pub folder: Option<PathBuf>,
    /// Where the file of each hit lies.
    pub paths: Vec<Option<PathBuf>>,
    /// How much has changed in the folders since the last run, as far as it was looked at.
    pub changes: Changes,
}

/// What indexing folders has come to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Indexed {
    /// Documents of the index.
    pub documents: usize,
    /// Their passages.
    pub chunks: usize,
    /// What the run did.
    pub report: IndexReport,
}

impl Searched {
    /// Answers a query and looks up what is shown beside it: for `within` at most for files that have changed.
    ///
    /// # Errors
    /// As [`Reader::search`].
    pub fn of(reader: &Reader, query: &Query, within: Duration) -> Result<Searched> {
        let answer = reader.search(query)?;
        let paths = answer.hits.iter().map(|hit| reader.path_of(&hit.document).ok().flatten()).collect();
        Ok(Searched {
            paths,
            folder: reader.folder().ok().flatten(),
            changes: match within.is_zero() {
                true => Changes::default(),
                false => reader.changes(within).unwrap_or_default(),
            },
            answer,
        })
    }
}

impl IndexTask {
    /// Does it.
    ///
    /// # Errors
    /// As [`Engine::index_folders`].
    #[cfg(all(unix, feature = "serve"))]
    pub(crate) fn run(
        self,
        engine: &Engine,
        progress: &mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<Indexed> {
        let IndexTask { folders, max_file_bytes, include } = self;
        let options = CorpusOptions { max_file_bytes, include, ..CorpusOptions::default() };
        Indexed::of(engine, engine.index_folders_with(&folders, &options, progress)?)
    }
}

impl Indexed {
    /// What a run has come to, over what the index holds now.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn of(engine: &Engine, report: IndexReport) -> Result<Indexed> {
        Ok(Indexed { documents: engine.documents()?.len(), chunks: engine.coverage().chunks, report })
    }
}

#[cfg(all(unix, feature = "serve"))]
impl Line {
    /// The last line.
    pub(crate) fn last<T: Serialize>(result: Result<T>) -> Line {
        match result.and_then(|value| raw(&value)) {
            Ok(value) => Line::Done(value),
            Err(error) => Line::Failed(error.to_string()),
        }
    }
}

#[cfg(all(unix, feature = "serve"))]
impl Own {
    /// Answers a call with JSON.
    pub(crate) fn answer(&self, call: &Call) -> Result<Box<RawValue>> {
        match call {
            Call::Search(request) => raw(&self.search(request)?),
            Call::Similar(request) => raw(&self.similar(request)?),
            Call::Read(request) => raw(&self.read(request)?),
            Call::Judge(request) => raw(&self.judge(request)?),
            Call::Status => raw(&self.status()?),
            Call::Files(request) => raw(&self.files(request)?),
            Call::Rounds => raw(&RoundsAnswer::from(self.rounds()?)),
            Call::Recent(request) => raw(&self.recent(request)?),
            Call::Learn => raw(&self.learn()?),
            Call::Forget(request) => raw(&self.forget(request)?),
            // A service looks itself, all the time.
            Call::Query(query) => {
                let query = self.pace.of_query(Query::clone(query));
                raw(&Searched::of(self.reader()?, &query, Duration::ZERO)?)
            }
            Call::LastQuery => raw(&self.reader()?.last_query()?),
            Call::FindQuery(beginning) => raw(&self.reader()?.find_query(beginning)?),
            Call::WholeStatus => raw(&self.reader()?.status()?),
            Call::Trial => raw(&self.reader()?.trial()?),
            Call::EndTrial => raw(&self.engine("end a trial")?.end_trial()?),
            Call::RollBack => raw(&self.engine("roll back")?.rollback()?),
        }
    }
}

#[cfg(all(unix, feature = "serve"))]
fn raw<T: Serialize>(value: &T) -> Result<Box<RawValue>> {
    to_raw_value(value)
        .map_err(|error| Error::Service { message: format!("could not write the answer: {error}") })
}
