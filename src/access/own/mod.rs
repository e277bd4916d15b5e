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

use super::pace::Pace;
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
    pub(super) pace: Pace,
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
        Own { reader, engine: None, refreshed: Mutex::new(Instant::now()), pace: Pace::default() }
    }

    /// Notes no more than a service does.
    #[cfg(feature = "serve")]
    pub(crate) fn paced(self) -> Own {
        Own { pace: Pace::bounded(), ..self }
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
        let own = Own { pace: Pace::used_up(), ..own };
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
