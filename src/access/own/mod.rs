//! An index that this process holds.

mod documents;
mod feedback;
mod file;
mod reading;
mod rounds;
mod searching;
mod status;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use file::ServedFile;

use crate::engine::{Engine, Reader};
use crate::error::{Error, Result};

/// How old what a reader sees may be.
const STALE: Duration = Duration::from_millis(500);

/// Answers front ends from an open engine, or from a reader beside one in another process.
#[derive(Debug)]
pub struct Own {
    reader: Reader,
    engine: Option<Engine>,
    refreshed: Mutex<Instant>,
}

impl Own {
    /// Answers from an engine, which the caller closes.
    pub fn new(engine: Engine) -> Own {
        Own { reader: Reader::clone(&engine), engine: Some(engine), refreshed: Mutex::new(Instant::now()) }
    }

    /// Answers from a reader: what changes the index is refused. It sees what others have committed half a second
    /// later at most.
    pub fn reading(reader: Reader) -> Own {
        Own { reader, engine: None, refreshed: Mutex::new(Instant::now()) }
    }

    /// As [`Access::close`](crate::access::Access::close).
    pub fn close(&self) -> Result<()> {
        self.reader.close()
    }

    /// What is read from, as it is now.
    pub(super) fn reader(&self) -> Result<&Reader> {
        let mut refreshed = self.refreshed.lock().unwrap_or_else(PoisonError::into_inner);
        if self.engine.is_none() && refreshed.elapsed() >= STALE {
            self.reader.refresh()?;
            *refreshed = Instant::now();
        }
        Ok(&self.reader)
    }

    pub(super) fn engine(&self, doing: &'static str) -> Result<&Engine> {
        self.engine.as_ref().ok_or_else(|| Error::ReadOnly { doing, path: self.reader.path().to_path_buf() })
    }
}

/// # Errors
/// [`Error::Invalid`] for a number of documents outside of `1..=most`.
fn check_limit(limit: usize, most: usize) -> Result<()> {
    match (1..=most).contains(&limit) {
        true => Ok(()),
        false => Err(Error::invalid("the limit", limit, format!("1 to {most}"))),
    }
}

fn no_document(id: &str) -> Error {
    Error::NotFound {
        what: "document",
        id: format!("{id:?}"),
        remedy: "use a document id as the search returned it; it may have been removed since",
    }
}
