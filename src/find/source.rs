//! The index that answers, through a service that may come and go.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::access::Access;
use crate::error::{Error, Result};

type Open = dyn Fn() -> Result<Access> + Send + Sync;

/// An index that is opened again if the service that held it has ended.
pub struct Source {
    open: Box<Open>,
    access: Mutex<Arc<Access>>,
}

impl Source {
    /// Opens the index by `open`, which is called again when a service has ended. Of an index that this process reads
    /// the model need not be loaded: the finder loads it, and answers by words meanwhile.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn new(open: impl Fn() -> Result<Access> + Send + Sync + 'static) -> Result<Source> {
        let access = Mutex::new(Arc::new(open()?));
        Ok(Source { open: Box::new(open), access })
    }

    /// Whether a service answers, which has its model.
    pub(super) fn is_served(&self) -> bool {
        matches!(*self.current(), Access::Served(_))
    }

    pub(super) fn ask<T>(&self, question: impl Fn(&Access) -> Result<T>) -> Result<T> {
        let access = self.current();
        match question(&access) {
            // It has just ended.
            Err(Error::Io { .. }) if matches!(*access, Access::Served(_)) => {
                let opened = Arc::new((self.open)()?);
                *self.access.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&opened);
                question(&opened)
            }
            answer => answer,
        }
    }

    /// Writes out the log.
    pub(super) fn close(&self) -> Result<()> {
        self.current().close()
    }

    fn current(&self) -> Arc<Access> {
        Arc::clone(&self.access.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}
