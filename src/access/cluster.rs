//! An index on a cluster.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::answer::shown;
use super::api::{
    Covered, FilesAnswer, FilesRequest, ForgetRequest, Forgotten, JudgeRequest, LogAnswer, LogCounts,
    LogRequest, ModelStatus, OnCluster, ReadAnswer, ReadRequest, Round, SearchAnswer, SearchRequest,
    SimilarRequest, StatusAnswer,
};
use super::asking::{self, check_limit, listing, query};
use super::document::listed;
use super::forgetting::Forgetting;
use super::likeness::similar;
use super::missing::no_document;
use super::pace::{Pace, notice};
use super::part::Part;
use crate::engine::{Cluster, ClusterStatus, Folder};
use crate::error::{Error, Result};
use crate::feedback::Verdict;

/// How old a status may be: front ends ask for it again and again, and the cluster answers each of its parts.
const STALE: Duration = Duration::from_secs(2);

/// Answers front ends from an index on a cluster. What changes the index is refused: the machine that it was migrated
/// from does that.
#[derive(Debug)]
pub struct Clustered {
    cluster: Cluster,
    pace: Pace,
    status: Mutex<Option<(Instant, StatusAnswer)>>,
}

impl Clustered {
    /// Answers from an open index on a cluster.
    pub fn new(cluster: Cluster) -> Clustered {
        Clustered { cluster, pace: Pace::default(), status: Mutex::default() }
    }

    /// Notes no more than a service does.
    #[cfg(feature = "serve")]
    pub(crate) fn paced(self) -> Clustered {
        Clustered { pace: Pace::bounded(), ..self }
    }

    /// As [`Access::search`](super::Access::search).
    pub fn search(&self, request: &SearchRequest) -> Result<SearchAnswer> {
        let folders = elsewhere(self.cluster.folders());
        let query = self.pace.of_query(query(request, &folders)?);
        let mut answer = shown(self.cluster.search(&query)?, &folders, true);
        answer.notices.extend(notice(request, &query));
        Ok(answer)
    }

    /// As [`Access::similar`](super::Access::similar).
    pub fn similar(&self, request: &SimilarRequest) -> Result<SearchAnswer> {
        let get = |document: &str| self.cluster.get(document);
        let answer = similar(request, self.cluster.coverage(), get, |query| self.cluster.search(query))?;
        Ok(shown(answer, &elsewhere(self.cluster.folders()), true))
    }

    /// As [`Access::read`](super::Access::read). The cluster has the text of a document, not its file.
    pub fn read(&self, request: &ReadRequest) -> Result<ReadAnswer> {
        let document = self.cluster.get(&request.document)?.ok_or_else(|| no_document(&request.document))?;
        let answer = Part::of(&document, request)?.shown(None, false);
        if let Some(query_id) = request.query_id {
            self.judge(&JudgeRequest { query_id, document: document.id, verdict: Verdict::Opened })?;
        }
        Ok(answer)
    }

    /// As [`Access::judge`](super::Access::judge).
    pub fn judge(&self, request: &JudgeRequest) -> Result<()> {
        self.pace.keep("record a judgement")?;
        self.cluster.judge(request.query_id, &request.document, request.verdict)
    }

    /// As [`Access::status`](super::Access::status). What it counts may be two seconds old.
    pub fn status(&self) -> Result<StatusAnswer> {
        let mut known = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, status)) = known.as_ref()
            && at.elapsed() < STALE
        {
            return Ok(status.clone());
        }
        let status = told(self.cluster.status()?);
        *known = Some((Instant::now(), status.clone()));
        Ok(status)
    }

    /// As [`Access::files`](super::Access::files). What was passed over is known where the index was made.
    pub fn files(&self, request: &FilesRequest) -> Result<FilesAnswer> {
        let page = self.cluster.list(&asking::documents(request)?)?;
        let documents =
            page.documents.iter().map(|one| listed(&one.id, &one.title, &one.fields, one.coverage));
        Ok(FilesAnswer { documents: documents.collect(), passed_over: Vec::new(), next: page.next })
    }

    /// As [`Access::rounds`](super::Access::rounds): none. The machine that learns has their reports.
    pub fn rounds(&self) -> Result<Vec<Round>> {
        Ok(Vec::new())
    }

    /// As [`Access::recent`](super::Access::recent).
    pub fn recent(&self, request: &LogRequest) -> Result<LogAnswer> {
        check_limit(request.limit, LogRequest::MOST)?;
        Ok(self.cluster.queries(&listing(request))?.into())
    }

    /// As [`Access::learn`](super::Access::learn): refused.
    pub fn learn(&self) -> Result<()> {
        Err(Clustered::refused("learn from"))
    }

    /// As [`Access::forget`](super::Access::forget): on the cluster. What an index has imported is forgotten there.
    pub fn forget(&self, request: &ForgetRequest) -> Result<Forgotten> {
        let records = match Forgetting::of(request)? {
            Forgetting::Query(text) => self.cluster.forget_query(text)?,
            Forgetting::QueryId(id) => self.cluster.forget_query_id(id)?,
            Forgetting::Document(id) => self.cluster.forget_document(id)?,
            Forgetting::Everything => self.cluster.forget_everything()?,
        };
        Ok(Forgotten { records })
    }

    /// As [`Access::close`](super::Access::close).
    pub fn close(&self) -> Result<()> {
        self.cluster.close()
    }

    /// The error for what the machine does that has the index.
    pub(crate) fn refused(doing: &'static str) -> Error {
        Error::OnCluster {
            doing,
            remedy: "the machine that it was migrated from does that: `retune index`, `retune migrate --store` and \
                     `retune learn --store` there (docs/scale.md)",
        }
    }
}

/// Folders of another machine.
fn elsewhere(names: Vec<String>) -> Vec<Folder> {
    names.into_iter().map(|name| Folder { path: PathBuf::new(), name }).collect()
}

fn told(status: ClusterStatus) -> StatusAnswer {
    let ClusterStatus { coverage, nodes, .. } = status;
    let (nodes, health) = nodes.map_or((None, None), |nodes| (Some(nodes.count), Some(nodes.health)));
    StatusAnswer {
        version: env!("CARGO_PKG_VERSION").to_string(),
        index: status.store,
        folders: elsewhere(status.folders),
        documents: status.documents as usize,
        chunks: coverage.chunks,
        coverage: Covered { covered: coverage.encoded, chunks: coverage.chunks },
        generation: status.generation,
        can_roll_back: false,
        log: Some(LogCounts { impressions: status.queries, judgements: status.judgements }),
        learning: None,
        trial: None,
        indexing: None,
        model: ModelStatus {
            folder: status.model.map(|folder| folder.display().to_string()).unwrap_or_default(),
            weights: status.weights,
        },
        cluster: Some(OnCluster { name: status.name, nodes, health }),
    }
}
