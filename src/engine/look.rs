//! Looking at a folder as a whole, without opening a file.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use super::Engine;
use super::catalogue::{Entry, Files};
use super::rules::Rules;
use super::source::Folder;
use crate::corpus::{ChangedFile, Config, CorpusOptions, Fits, Scan, Scanned, Seen, Stamp, reading_digest};
use crate::error::{Error, Result};
use crate::ids::Digest;

pub(super) const CANCELLED: Error = Error::Cancelled { doing: "indexing the folder" };

/// Which files are left for a later run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rest {
    None,
    /// Those that were written to within this time.
    For(Duration),
}

/// A folder that was looked at as a whole.
pub(super) struct Looked {
    pub(super) folder: Folder,
    /// With the configurations that apply.
    pub(super) options: CorpusOptions,
    pub(super) rules: Rules,
    pub(super) fits: Fits,
    /// What is to be read, in order.
    pub(super) changed: Vec<ChangedFile>,
    pub(super) seen: Seen,
    /// What has not changed, and what was passed over.
    pub(super) files: Files,
    /// How many files have not changed.
    pub(super) unchanged: usize,
    /// Whether files are left for a later run.
    pub(super) resting: bool,
}

/// What a look needs to know.
pub(super) struct Look<'a> {
    pub(super) engine: &'a Engine,
    /// What the last run has seen of the folder.
    pub(super) before: &'a Files,
    /// What is indexed.
    pub(super) digests: &'a BTreeMap<String, Digest>,
    pub(super) rest: Rest,
}

impl Look<'_> {
    /// Finds what has changed. `told` is called for each file, and may break.
    pub(super) fn at(
        &self,
        folder: Folder,
        options: CorpusOptions,
        told: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Looked> {
        let engine = self.engine;
        let (own, of_folder) = (Config::read(engine.path())?, Config::read_untrusted(&folder.path)?);
        let rules = engine.rules(&folder.path, own.as_ref(), of_folder.as_ref())?;
        let mut options = options.with_own_config(own).with_folder_config(of_folder);
        options.language = rules.language.map(|language| language.name().to_string());
        let extracts = engine.inner.options.extractor.is_some();
        let reading = Some(reading_digest(&options, rules.lengths, extracts));
        let holds = self.before.reading == reading;
        let before = |path: &str| self.before.files.get(path).filter(|_| holds);
        let known = |path: &str, stamp: &Stamp| {
            let entry = before(path).filter(|entry| entry.sure && entry.stamp == *stamp);
            entry.is_some_and(|entry| is_indexed(entry, path, &folder, self.digests))
        };
        let mut files = Files { reading, ..Files::default() };
        let (mut changed, mut resting) = (Vec::new(), Vec::new());
        let mut scan = Scan::start(&options, &folder.path, &[engine.path().to_path_buf()], &known)?;
        for scanned in &mut scan {
            match scanned {
                Scanned::Unchanged(path) => {
                    files.files.extend(before(&path).map(|entry| (path, entry.clone())));
                }
                Scanned::Changed(file) if self.rests(&file) => resting.push(file.id),
                Scanned::Changed(file) => changed.push(file),
                Scanned::Skipped(skipped) => files.passed_over.push(skipped),
            }
            if told().is_break() {
                return Err(CANCELLED);
            }
        }
        let fits = scan.fits();
        let mut seen = scan.into_seen().ok_or(CANCELLED)?;
        let unchanged = files.files.values().filter(|entry| entry.has_documents()).count();
        for path in &resting {
            seen.unchanged(path);
            files.files.extend(before(path).map(|entry| (path.clone(), entry.clone())));
        }
        let resting = !resting.is_empty();
        Ok(Looked { folder, options, rules, fits, changed, seen, files, unchanged, resting })
    }

    /// Whether a file is left for a later run, since somebody may still be writing to it.
    fn rests(&self, file: &ChangedFile) -> bool {
        match self.rest {
            Rest::None => false,
            Rest::For(time) => {
                SystemTime::now().duration_since(file.stamp.modified()).is_ok_and(|ago| ago < time)
            }
        }
    }
}

/// Whether all that a file gave at the last look is in the index.
pub(super) fn is_indexed(
    entry: &Entry,
    path: &str,
    folder: &Folder,
    digests: &BTreeMap<String, Digest>,
) -> bool {
    entry.documents(path).all(|document| match folder.name.is_empty() {
        true => digests.get(document).copied() == entry.digest,
        false => digests.get(&folder.id(document)).copied() == entry.digest,
    })
}
