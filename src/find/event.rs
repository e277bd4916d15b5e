//! What happens to the finder, and what it wants done.

use std::path::PathBuf;
use std::time::Duration;

use ratatui::crossterm::event::KeyEvent;

use crate::access::api::{ReadAnswer, ReadRequest, SearchAnswer, SearchRequest, StatusAnswer};
use crate::error::{Error, Result};
use crate::feedback::Verdict;
use crate::ids::ChunkId;
use crate::place::Place;

/// What has happened.
#[derive(Debug)]
pub(super) enum Event {
    Key(KeyEvent),
    Paste(String),
    Resized {
        columns: u16,
        rows: u16,
    },
    /// The time that was waited for has come.
    Time,
    /// The answer to a query.
    Found {
        number: u64,
        result: Result<SearchAnswer>,
    },
    /// The answer to the same query, as it was logged.
    Logged {
        number: u64,
        result: Result<SearchAnswer>,
    },
    /// The next page of an answer.
    More {
        number: u64,
        result: Result<SearchAnswer>,
    },
    Judged {
        judgement: Judgement,
        result: Result<()>,
    },
    Read {
        passage: ChunkId,
        result: Box<Result<ReadAnswer>>,
    },
    /// The model is loaded, or can't be.
    Model(Result<()>),
    Status(Box<StatusAnswer>),
    /// The program that a document was opened in is left.
    Looked(Result<Look>),
    /// The terminal is gone, or the system asks the program to end.
    End(Option<Error>),
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    /// Only the answer to the latest one matters.
    Search {
        number: u64,
        request: Box<SearchRequest>,
    },
    /// Asks what is on the screen once more, for the log. In the order given, as all that follow.
    Log {
        number: u64,
        request: Box<SearchRequest>,
    },
    More {
        number: u64,
        request: Box<SearchRequest>,
    },
    Judge(Judgement),
    Read(Box<ReadRequest>),
    Open(Picked),
    Suspend,
    Redraw,
    /// Ends the finder, perhaps with what was picked.
    Leave(Option<Picked>),
}

/// What is said of a document of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    /// The number of the query.
    pub(super) number: u64,
    pub(super) document: String,
    pub(super) verdict: Verdict,
    /// What was said of it before.
    pub(super) before: Option<Verdict>,
}

/// A document that is to be opened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Picked {
    /// Its id.
    pub document: String,
    /// Its file, or the archive that it lies in.
    pub path: PathBuf,
    /// Where in the file the excerpt begins; nothing in an archive.
    pub place: Place,
}

/// How long somebody looked at a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The program that showed it has ended after this time.
    Ended(Duration),
    /// A program beside the terminal shows it: nobody knows.
    Elsewhere,
}
