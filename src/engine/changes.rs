//! How much has changed in the followed folders since the last run, told quickly and roughly.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::Reader;
use super::catalogue::{Catalogue, Files};
use crate::corpus::{Stamp, may_hold_documents};
use crate::error::Result;

/// A larger catalogue takes longer to read than anybody would wait.
const MOST_BYTES: u64 = 8 << 20;

/// Files that have changed since the last run over the followed folders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Changes {
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
    /// times, opens no file, and takes not much longer than `within`.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if the record of the folders is.
    pub fn changes(&self, within: Duration) -> Result<Changes> {
        let deadline = Instant::now() + within;
        let Some((catalogue, written)) = Catalogue::read_small(&self.inner.layout, MOST_BYTES) else {
            return Ok(Changes::default());
        };
        let mut changes = Changes { complete: true, ..Changes::default() };
        for folder in self.folders()? {
            let Some(files) = catalogue.folders.get(&folder.name) else { continue };
            if folder.path.is_dir() {
                changes.compare(&folder.path, files, written, deadline);
            }
        }
        Ok(changes)
    }
}

impl Changes {
    fn compare(&mut self, root: &Path, files: &Files, written: SystemTime, deadline: Instant) {
        // The files that are known in each folder.
        let mut folders: HashMap<&str, Vec<&str>> = HashMap::from([("", Vec::new())]);
        for (path, entry) in &files.files {
            if Instant::now() >= deadline {
                self.complete = false;
                return;
            }
            match Stamp::of(&root.join(path)) {
                Ok(stamp) if stamp.is_same_content(&entry.stamp) => {}
                Ok(_) => self.changed += 1,
                Err(_) => self.gone += 1,
            }
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            folders.entry(folder).or_default().push(name);
        }
        for skipped in &files.passed_over {
            let (folder, name) = skipped.document.rsplit_once('/').unwrap_or(("", &skipped.document));
            folders.entry(folder).or_default().push(name);
        }
        for (folder, known) in &folders {
            if Instant::now() >= deadline {
                self.complete = false;
                return;
            }
            self.new += new_files(&root.join(folder), known, written);
        }
    }
}

/// Files of a folder that are not `known`, if it has changed since.
fn new_files(folder: &Path, known: &[&str], since: SystemTime) -> usize {
    let changed = std::fs::metadata(folder).and_then(|folder| folder.modified());
    let is_old = changed.is_ok_and(|changed| changed < since);
    let Some(entries) = (!is_old).then(|| std::fs::read_dir(folder).ok()).flatten() else { return 0 };
    let new = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        entry.file_type().is_ok_and(|kind| kind.is_file())
            && may_hold_documents(Path::new(&name))
            && !name.to_str().is_none_or(|name| known.contains(&name))
    });
    new.count()
}
