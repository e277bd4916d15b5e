//! How much has changed in the followed folders since the last run, told quickly and roughly.
//!
//! The catalogue is read only as far as there is time: it may have any length.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::Reader;
use super::brief::{Brief, Item};
use super::catalogue::Catalogue;
use crate::corpus::{Stamp, may_hold_documents};
use crate::error::Result;

/// Files that have changed since the last run over the followed folders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Changes {
    /// Files that were compared.
    pub compared: usize,
    /// Files with another length or time.
    pub changed: usize,
    /// Files that were not there, as far as one can tell without knowing what is left out.
    pub new: usize,
    /// Files that are gone.
    pub gone: usize,
    /// Whether all files and folders were looked at. Else there was no time, and there may be more.
    pub complete: bool,
}

impl Changes {
    /// All of them.
    pub fn total(&self) -> usize {
        self.changed + self.new + self.gone
    }
}

impl Reader {
    /// How much has changed in the followed folders since the last run over them. Asks the file system for lengths and
    /// times, opens no file, and takes not much longer than `within`, however many files there are: what there is no
    /// time for is not compared.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if the record of the folders is.
    pub fn changes(&self, within: Duration) -> Result<Changes> {
        let deadline = Instant::now() + within;
        let folders = self.folders()?;
        let folders = folders.into_iter().filter(|folder| folder.path.is_dir());
        let folders = folders.map(|folder| (folder.name, folder.path)).collect();
        let written = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        let catalogue = Catalogue::open(&self.inner.layout);
        let Some((written, json)) = catalogue.and_then(|(path, json)| Some((written(&path)?, json))) else {
            return Ok(Changes::default());
        };
        Ok(Comparison { folders, deadline, known: HashMap::new(), changes: Changes::default() }
            .of(json, written))
    }
}

/// Compares the files of a catalogue while they are read.
struct Comparison {
    /// Those that are there, by their names.
    folders: HashMap<String, PathBuf>,
    deadline: Instant,
    /// The names of what the last run has seen in each folder.
    known: HashMap<PathBuf, Vec<String>>,
    changes: Changes,
}

impl Comparison {
    fn of(mut self, json: impl Read, written: SystemTime) -> Changes {
        let read = Brief::read(json, &mut |folder, item| self.take(folder, item));
        if !read || self.is_late() {
            return self.changes;
        }
        for (folder, known) in &self.known {
            if self.is_late() {
                return self.changes;
            }
            self.changes.new += new_files(folder, known, written);
        }
        Changes { complete: true, ..self.changes }
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Returns whether there is time for more.
    fn take(&mut self, folder: &str, item: Item<'_>) -> bool {
        let Some(root) = self.folders.get(folder) else { return true };
        let (path, stamp) = match item {
            Item::File(path, stamp) => (path, Some(stamp)),
            Item::PassedOver(path) => (path, None),
        };
        let (below, name) = path.rsplit_once('/').unwrap_or(("", path));
        let inside = self.known.entry(root.join(below)).or_default();
        inside.push(name.to_owned());
        if let Some(stamp) = stamp {
            self.changes.compared += 1;
            match Stamp::of(&root.join(path)) {
                Ok(now) if now.is_same_content(&stamp) => {}
                Ok(_) => self.changes.changed += 1,
                Err(_) => self.changes.gone += 1,
            }
        }
        !self.is_late()
    }
}

/// Files of a folder that are not `known`, if it has changed since.
fn new_files(folder: &Path, known: &[String], since: SystemTime) -> usize {
    let changed = std::fs::metadata(folder).and_then(|folder| folder.modified());
    let is_old = changed.is_ok_and(|changed| changed < since);
    let Some(entries) = (!is_old).then(|| std::fs::read_dir(folder).ok()).flatten() else { return 0 };
    let new = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        entry.file_type().is_ok_and(|kind| kind.is_file())
            && may_hold_documents(Path::new(&name))
            && !name.to_str().is_none_or(|name| known.iter().any(|one| one == name))
    });
    new.count()
}
