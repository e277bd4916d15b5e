//! An index that this process holds.

mod documents;
mod feedback;
mod file;
mod pace;
mod reading;
mod rounds;
mod searching;
mod status;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use file::ServedFile;
pub(crate) use pace::Pace;

use crate::engine::{Engine, Reader};
use crate::error::{Error, Result};
use crate::search::Query;

/// How old what a reader sees may be.
const STALE: Duration = Duration::from_millis(500);

/// Answers front ends from an open engine, or from a reader beside one in another process.
#[derive(Debug)]
pub struct Own {
    reader: Reader,
    engine: Option<Engine>,
    refreshed: Mutex<Instant>,
    /// How fast the log may grow; none for an application's own.
    pace: Option<Arc<Pace>>,
}

impl Own {
    /// Answers from an engine, which the caller closes.
    pub fn new(engine: Engine) -> Own {
        let reader = Reader::clone(&engine);
        Own { engine: Some(engine), ..Own::reading(reader) }
    }

    /// Answers from a reader: what changes the index is refused. It sees what others have committed half a second
    /// later at most.
    pub fn reading(reader: Reader) -> Own {
        Own { reader, engine: None, refreshed: Mutex::new(Instant::now()), pace: None }
    }

    /// Notes no more than the pace allows.
    #[cfg(feature = "serve")]
    pub(crate) fn paced(self, pace: Arc<Pace>) -> Own {
        Own { pace: Some(pace), ..self }
    }

    /// Takes the place of one record of the log.
    ///
    /// # Errors
    /// [`Error::TooFast`].
    pub(super) fn keep_pace(&self, doing: &'static str) -> Result<()> {
        let is_in_pace = self.pace.as_ref().is_none_or(|pace| pace.take());
        is_in_pace.then_some(()).ok_or(Error::TooFast { doing })
    }

    /// The query as it is answered: without the log, where that grows too fast.
    pub(super) fn in_pace(&self, query: Query) -> Query {
        let is_logged = query.log && query.page_of.is_none() && query.offset == 0;
        match is_logged && self.keep_pace("log an answer").is_err() {
            true => query.without_logging(),
            false => query,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::api::{JudgeRequest, LogRequest, SearchRequest};
    use crate::engine::{Document, Options};
    use crate::feedback::Verdict;
    use crate::search::Mode;

    #[test]
    fn who_is_too_fast_is_answered_but_nothing_more_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let model = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet");
        let engine = Engine::open(folder.path(), Options::default().with_model(model)).unwrap();
        engine.add(vec![Document::new("lamp", "The green lamp burns.")]).unwrap();
        let own = Own::new(engine.clone());
        let mut request = SearchRequest::new("lamp");
        request.mode = Mode::Lexical;
        let query_id = own.search(&request).unwrap().query_id.unwrap();
        let own = Own { pace: Some(Arc::new(Pace::used_up())), ..own };
        let answer = own.search(&request).unwrap();
        assert_eq!((answer.hits.len(), answer.query_id), (1, None));
        assert!(answer.notices[0].starts_with("too many queries"), "{:?}", answer.notices);
        let said = JudgeRequest { query_id, document: "lamp".into(), verdict: Verdict::Chosen };
        assert!(matches!(own.judge(&said), Err(Error::TooFast { .. })));
        // What is not noted needs no place.
        request.log = false;
        assert_eq!(own.search(&request).unwrap().notices, [] as [&str; 0]);
        let log = own.recent(&LogRequest::default()).unwrap();
        assert_eq!((log.queries.len(), log.queries[0].picked.len()), (1, 0));
        engine.close().unwrap();
    }
}
