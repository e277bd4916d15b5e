//! An index that a running service holds, asked over the socket in its folder.
//!
//! The service speaks HTTP/1.1. A client that speaks HTTP/1.0 gets its answer in one piece up to the end of the
//! connection, so that nothing more than that has to be understood. Each call has a connection of its own.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ServiceRecord;
use super::api;
use super::call::{Call, IndexTask, Indexed, Line, Searched, Task};
use crate::engine::{IndexProgress, Status, WatchEvent};
use crate::error::{Error, Result};
use crate::feedback::Impression;
use crate::ids::GenerationId;
use crate::learn::{LearnOptions, LearnProgress, RoundReport, TrialReport};
use crate::search::Query;

#[cfg(unix)]
type Connection = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Connection = std::net::TcpStream;

/// The longest head of an answer in bytes.
const LONGEST_HEAD: u64 = 64 << 10;

/// A running service. Cheap to clone; calls of several threads go side by side.
#[derive(Debug, Clone)]
pub struct Served {
    record: ServiceRecord,
}

/// A refusal.
#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Served {
    /// The service that holds the index in the folder `index`, if one of this version is running for this user.
    pub fn find(index: &Path) -> Option<Served> {
        let record = ServiceRecord::read(index)?;
        if record.version != env!("CARGO_PKG_VERSION") || !is_own(&record.socket) {
            return None;
        }
        let served = Served { record };
        served.connect().ok()?;
        Some(served)
    }

    /// Where it is.
    pub fn record(&self) -> &ServiceRecord {
        &self.record
    }

    /// As [`Access::search`](super::Access::search).
    pub fn search(&self, request: &api::SearchRequest) -> Result<api::SearchAnswer> {
        self.call(&Call::Search(request.clone()))
    }

    /// As [`Access::similar`](super::Access::similar).
    pub fn similar(&self, request: &api::SimilarRequest) -> Result<api::SearchAnswer> {
        self.call(&Call::Similar(request.clone()))
    }

    /// As [`Access::read`](super::Access::read).
    pub fn read(&self, request: &api::ReadRequest) -> Result<api::ReadAnswer> {
        self.call(&Call::Read(request.clone()))
    }

    /// As [`Access::judge`](super::Access::judge).
    pub fn judge(&self, request: &api::JudgeRequest) -> Result<()> {
        self.call(&Call::Judge(request.clone()))
    }

    /// As [`Access::status`](super::Access::status).
    pub fn status(&self) -> Result<api::StatusAnswer> {
        self.call(&Call::Status)
    }

    /// As [`Access::files`](super::Access::files).
    pub fn files(&self, request: &api::FilesRequest) -> Result<api::FilesAnswer> {
        self.call(&Call::Files(request.clone()))
    }

    /// As [`Access::rounds`](super::Access::rounds).
    pub fn rounds(&self) -> Result<Vec<api::Round>> {
        self.call::<api::RoundsAnswer>(&Call::Rounds).map(|answer| answer.rounds)
    }

    /// As [`Access::recent`](super::Access::recent).
    pub fn recent(&self, request: &api::LogRequest) -> Result<api::LogAnswer> {
        self.call(&Call::Recent(request.clone()))
    }

    /// As [`Access::learn`](super::Access::learn).
    pub fn learn(&self) -> Result<()> {
        self.call(&Call::Learn)
    }

    /// As [`Access::forget`](super::Access::forget).
    pub fn forget(&self, request: &api::ForgetRequest) -> Result<api::Forgotten> {
        self.call(&Call::Forget(request.clone()))
    }

    /// As [`Searched::of`].
    pub fn query(&self, query: &Query) -> Result<Searched> {
        self.call(&Call::Query(Box::new(query.clone())))
    }

    /// As [`Reader::last_query`](crate::Reader::last_query).
    pub fn last_query(&self) -> Result<Option<Impression>> {
        self.call(&Call::LastQuery)
    }

    /// As [`Reader::find_query`](crate::Reader::find_query).
    pub fn find_query(&self, beginning: &str) -> Result<Impression> {
        self.call(&Call::FindQuery(beginning.to_string()))
    }

    /// As [`Reader::status`](crate::Reader::status).
    pub fn whole_status(&self) -> Result<Status> {
        self.call(&Call::WholeStatus)
    }

    /// As [`Reader::trial`](crate::Reader::trial).
    pub fn trial(&self) -> Result<Option<TrialReport>> {
        self.call(&Call::Trial)
    }

    /// As [`Engine::end_trial`](crate::Engine::end_trial).
    pub fn end_trial(&self) -> Result<Option<TrialReport>> {
        self.call(&Call::EndTrial)
    }

    /// As [`Engine::rollback`](crate::Engine::rollback).
    pub fn roll_back(&self) -> Result<GenerationId> {
        self.call(&Call::RollBack)
    }

    /// As [`Engine::index_folders_with`](crate::Engine::index_folders_with).
    pub fn index(
        &self,
        task: &IndexTask,
        progress: &mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<Indexed> {
        self.task(&Task::Index(task.clone()), &mut |line| match line {
            Line::Indexing(at) => progress(at),
            _ => ControlFlow::Continue(()),
        })
    }

    /// As [`Engine::forget_folder`](crate::Engine::forget_folder).
    pub fn forget_folder(&self, folder: &Path) -> Result<usize> {
        let folder = std::path::absolute(folder).map_err(Error::io("resolve", folder))?;
        self.task(&Task::ForgetFolder(folder), &mut |_| ControlFlow::Continue(()))
    }

    /// As [`Engine::learn`](crate::Engine::learn).
    pub fn learn_now(
        &self,
        options: &LearnOptions,
        progress: &mut dyn FnMut(LearnProgress) -> ControlFlow<()>,
    ) -> Result<RoundReport> {
        self.round(&Task::Learn(Box::new(options.clone())), progress)
    }

    /// As [`Engine::dry_run`](crate::Engine::dry_run).
    pub fn dry_run(
        &self,
        options: &LearnOptions,
        progress: &mut dyn FnMut(LearnProgress) -> ControlFlow<()>,
    ) -> Result<RoundReport> {
        self.round(&Task::DryRun(Box::new(options.clone())), progress)
    }

    fn round(
        &self,
        task: &Task,
        progress: &mut dyn FnMut(LearnProgress) -> ControlFlow<()>,
    ) -> Result<RoundReport> {
        self.task(task, &mut |line| match line {
            Line::Learning(at) => progress(at),
            _ => ControlFlow::Continue(()),
        })
    }

    /// As [`Engine::watch`](crate::Engine::watch): what the service tells of its own watching.
    pub fn watch(&self, tell: &mut dyn FnMut(WatchEvent) -> ControlFlow<()>) -> Result<()> {
        let ended = self.task::<()>(&Task::Watch, &mut |line| match line {
            Line::Watching(folders) => tell(WatchEvent::Watching(folders)),
            Line::Changed(report) => tell(WatchEvent::Changed(*report)),
            Line::Encoded(done, total) => tell(WatchEvent::Encoding { done, total }),
            Line::Missed(message) => tell(WatchEvent::Failed(Error::Service { message })),
            _ => ControlFlow::Continue(()),
        });
        match ended {
            Err(Error::Cancelled { .. }) => Ok(()),
            ended => ended,
        }
    }

    fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let mut text = Vec::new();
        let mut answer = self.ask("/call", call)?;
        answer.read_to_end(&mut text).map_err(|error| self.lost(error))?;
        serde_json::from_slice(&text).map_err(|error| self.unread(&error))
    }

    /// Ends early where `told` breaks: the service learns it by the closed connection.
    fn task<T: DeserializeOwned>(
        &self,
        task: &Task,
        told: &mut dyn FnMut(Line) -> ControlFlow<()>,
    ) -> Result<T> {
        for line in self.ask("/task", task)?.lines() {
            let line = line.map_err(|error| self.lost(error))?;
            match serde_json::from_str(&line).map_err(|error| self.unread(&error))? {
                Line::Done(value) => {
                    return serde_json::from_str(value.get()).map_err(|error| self.unread(&error));
                }
                Line::Failed(message) => return Err(Error::Service { message }),
                line => {
                    if told(line).is_break() {
                        return Err(Error::Cancelled { doing: "what was asked of the service" });
                    }
                }
            }
        }
        Err(self.lost(ErrorKind::UnexpectedEof.into()))
    }

    /// Sends a question. Returns the answer behind its head.
    fn ask<Q: Serialize>(&self, path: &str, question: &Q) -> Result<BufReader<Connection>> {
        let body = serde_json::to_vec(question).map_err(|error| self.unread(&error))?;
        let head = format!(
            "POST {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut connection = self.connect().map_err(|error| self.lost(error))?;
        connection
            .write_all(head.as_bytes())
            .and_then(|()| connection.write_all(&body))
            .map_err(|error| self.lost(error))?;
        let mut answer = BufReader::new(connection);
        let is_done = skip_head(&mut answer).map_err(|error| self.lost(error))?;
        if is_done {
            return Ok(answer);
        }
        let mut text = String::new();
        answer.read_to_string(&mut text).map_err(|error| self.lost(error))?;
        match serde_json::from_str::<Refused>(&text) {
            Ok(Refused { error }) => Err(Error::Service { message: error }),
            Err(error) => Err(self.unread(&error)),
        }
    }

    #[cfg(unix)]
    fn connect(&self) -> std::io::Result<Connection> {
        Connection::connect(&self.record.socket)
    }

    #[cfg(not(unix))]
    fn connect(&self) -> std::io::Result<Connection> {
        Err(ErrorKind::Unsupported.into())
    }

    fn lost(&self, source: std::io::Error) -> Error {
        Error::Io { doing: "talk to the service at", path: self.record.socket.clone(), source }
    }

    fn unread(&self, error: &serde_json::Error) -> Error {
        let Self { record } = self;
        let message = format!(
            "the service at {} (process {}) gave an answer that could not be read: {error}; start it again",
            record.url, record.pid
        );
        Error::Service { message }
    }
}

/// Reads the head of an answer. Returns whether it is a success.
fn skip_head(answer: &mut BufReader<Connection>) -> std::io::Result<bool> {
    let mut head = answer.take(LONGEST_HEAD);
    let mut line = String::new();
    head.read_line(&mut line)?;
    let is_done = line.split(' ').nth(1) == Some("200");
    loop {
        line.clear();
        match head.read_line(&mut line)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            _ if line.trim_end().is_empty() => return Ok(is_done),
            _ => {}
        }
    }
}

/// Whether a socket is this user's own: nobody else is to hear what is asked.
#[cfg(unix)]
fn is_own(socket: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = std::fs::metadata(socket).map(|socket| socket.uid());
    owner.is_ok_and(|owner| owner == rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn is_own(_: &Path) -> bool {
    false
}
