//! Where followed confusables are kept: `rounds/negatives.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Followed, Ledger, Mark};
use crate::error::{Error, Result};
use crate::storage::{read_envelope, write_envelope};

const KIND: &str = "negatives";
const VERSION: u32 = 1;

/// The ledger of an index. A round reads it when it begins and replaces it when it ends; what was forgotten meanwhile stays forgotten.
#[derive(Debug)]
pub(crate) struct LedgerFile {
    path: PathBuf,
    /// Since it was read last. Held while the file is read or replaced.
    forgotten: Mutex<Vec<Forgotten>>,
}

#[derive(Debug, Clone, Copy)]
enum Forgotten {
    Query(Mark),
    Document(Mark),
}

impl Forgotten {
    fn is_about(self, followed: &Followed) -> bool {
        match self {
            Forgotten::Query(query) => followed.pair.query == query,
            Forgotten::Document(document) => followed.pair.document == document,
        }
    }
}

impl LedgerFile {
    /// In the folder of the rounds.
    pub(crate) fn new(folder: &Path) -> LedgerFile {
        LedgerFile { path: folder.join("negatives.json"), forgotten: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Forgotten>> {
        // A list of what was forgotten is whole after every push.
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledger, or an empty one if there is none that can be read.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk fails.
    pub(crate) fn read(&self) -> Result<Ledger> {
        let mut forgotten = self.lock();
        forgotten.clear();
        self.load()
    }

    fn load(&self) -> Result<Ledger> {
        match read_envelope::<Vec<Followed>>(&self.path, KIND, VERSION) {
            Ok(followed) => {
                let followed = followed.unwrap_or_default().into_iter();
                Ok(Ledger(followed.map(|one| (one.pair, one)).collect()))
            }
            Err(error @ (Error::Damaged { .. } | Error::Version { .. })) => {
                tracing::warn!(%error, "confusables are followed anew");
                Ok(Ledger::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Replaces the ledger.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk fails.
    pub(crate) fn write(&self, mut ledger: Ledger) -> Result<()> {
        let forgotten = self.lock();
        ledger.0.retain(|_, followed| !forgotten.iter().any(|one| one.is_about(followed)));
        ledger.drop_oldest();
        self.store(&ledger)
    }

    fn store(&self, ledger: &Ledger) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        write_envelope(&self.path, KIND, VERSION, &ledger.0.values().collect::<Vec<_>>())
    }

    /// Drops the confusables of a query, by its normalised text.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk fails.
    pub(crate) fn forget_query(&self, normalised: &str) -> Result<()> {
        self.forget(Forgotten::Query(Mark::of(normalised.as_bytes())))
    }

    /// Drops a document from the confusables of every query.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk fails.
    pub(crate) fn forget_document(&self, document: &str) -> Result<()> {
        self.forget(Forgotten::Document(Mark::of(document.as_bytes())))
    }

    fn forget(&self, what: Forgotten) -> Result<()> {
        let mut forgotten = self.lock();
        forgotten.push(what);
        if !self.path.exists() {
            return Ok(());
        }
        // One that can't be read might hold it, and nothing else reads it: it is replaced by an empty one.
        let mut ledger = self.load()?;
        ledger.0.retain(|_, followed| !what.is_about(followed));
        self.store(&ledger)
    }
}
