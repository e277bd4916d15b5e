//! The rounds of an index: the reports of past ones, one file each in `rounds/`, and whether one is running.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::queries::Forgotten;
use super::report::{Decision, RoundReport};
use super::stage::LearnProgress;
use crate::error::{Error, Result};
use crate::storage::{read_envelope, remove_file, write_private_envelope};

const KIND: &str = "round";
const VERSION: u32 = 1;

/// The folder `rounds/` of an index.
#[derive(Debug)]
pub(crate) struct History {
    folder: PathBuf,
    /// Whether a round is running in this engine. Only [`Running`] sets it.
    running: AtomicBool,
    /// Whether the running round is paused.
    paused: AtomicBool,
    /// Whether the running round was asked to stop.
    cancelled: AtomicBool,
    /// When the running round began, and how far it is.
    progress: Mutex<Option<(Instant, Option<LearnProgress>)>>,
    /// What was forgotten during a round, which may have read the log before. Locked for every change of a report.
    forgotten: Mutex<Vec<Forgotten>>,
    /// Who is told of each end of a round.
    listener: Mutex<Option<Listener>>,
}

/// Is called when a round has ended, whatever it has come to.
#[derive(Clone)]
pub(crate) struct Listener(Arc<dyn Fn() + Send + Sync>);

impl Listener {
    pub(crate) fn new(listener: impl Fn() + Send + Sync + 'static) -> Listener {
        Listener(Arc::new(listener))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// Marks a round as running while it is held. A panic ends it too.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a History);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.pause(false);
        *self.0.told() = None;
        self.0.running.store(false, Ordering::Release);
        let listener = self.0.listener().clone();
        if let Some(Listener(listener)) = listener {
            listener();
        }
    }
}

impl History {
    pub(crate) fn new(folder: PathBuf) -> History {
        History {
            folder,
            running: AtomicBool::new(false),
            paused: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            progress: Mutex::default(),
            forgotten: Mutex::default(),
            listener: Mutex::default(),
        }
    }

    /// Has `listener` told of each end of a round from now on, in place of the one before.
    pub(crate) fn set_listener(&self, listener: Listener) {
        *self.listener() = Some(listener);
    }

    fn listener(&self) -> MutexGuard<'_, Option<Listener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the confusables that earlier versions stored here: what is forgotten must be forgotten everywhere.
    pub(crate) fn remove_retired(folder: &Path) -> Result<()> {
        let path = folder.join("negatives.json");
        if path.exists() {
            tracing::info!(path = %path.display(), "removing confusables stored by an earlier version");
        }
        remove_file(&path)
    }

    /// Marks a round as running. The caller makes sure that there is only one.
    pub(crate) fn running(&self) -> Running<'_> {
        self.forgotten().clear();
        self.cancelled.store(false, Ordering::Release);
        *self.told() = Some((Instant::now(), None));
        self.running.store(true, Ordering::Release);
        Running(self)
    }

    /// Whether a round is running. Takes no lock, so it never waits for a round.
    pub(crate) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Sets whether the running round is paused.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }

    /// Asks the running round to stop. Returns whether there is one.
    pub(crate) fn cancel(&self) -> bool {
        let running = self.is_running();
        self.cancelled.store(running, Ordering::Release);
        running
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Notes how far the running round is.
    pub(crate) fn tell(&self, progress: LearnProgress) {
        if let Some((_, told)) = self.told().as_mut() {
            *told = Some(progress);
        }
    }

    /// How far the running round is, and the seconds since it began. `None` if none is running.
    pub(crate) fn progress(&self) -> Option<(Option<LearnProgress>, f64)> {
        self.told().map(|(began, progress)| (progress, began.elapsed().as_secs_f64()))
    }

    fn told(&self) -> MutexGuard<'_, Option<(Instant, Option<LearnProgress>)>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// The number of the next round.
    pub(crate) fn next_round(&self) -> Result<u64> {
        Ok(self.numbers()?.last().map_or(1, |last| last + 1))
    }

    /// Stores the report of a round, without what was forgotten since the round began.
    pub(crate) fn write(&self, report: &mut RoundReport) -> Result<()> {
        let forgotten = self.forgotten();
        for what in forgotten.iter() {
            report.forget(what);
        }
        fs::create_dir_all(&self.folder).map_err(Error::io("create", &self.folder))?;
        // It names queries.
        write_private_envelope(&self.path(report.round), KIND, VERSION, report)
    }

    /// Removes from the report of a dry run what was forgotten since it began. It is not stored.
    pub(crate) fn forget_in(&self, report: &mut RoundReport) {
        for what in self.forgotten().iter() {
            report.forget(what);
        }
    }

    /// Removes every mention of `what` from all reports, also from that of a running round, and from the log with
    /// `from_log`. Returns the result of the latter. Damaged reports are removed: they may mention it, and nothing
    /// reads them.
    ///
    /// # Errors
    /// [`Error::Version`] if a report has a newer version. The errors of `from_log`.
    pub(crate) fn forget(&self, what: Forgotten, from_log: impl FnOnce() -> Result<usize>) -> Result<usize> {
        let mut forgotten = self.forgotten();
        forgotten.push(what.clone());
        // Reports first: until the log has forgotten a query, an interrupted call can be repeated.
        self.forget_in_reports(&what)?;
        // Still locked: a round that begins now waits, and then reads the log without it.
        from_log()
    }

    fn forget_in_reports(&self, what: &Forgotten) -> Result<()> {
        for round in self.numbers()? {
            let path = self.path(round);
            match read_envelope::<RoundReport>(&path, KIND, VERSION) {
                Err(error @ Error::Damaged { .. }) => {
                    tracing::warn!(%error, "removing a damaged report: it may name what must be forgotten");
                    remove_file(&path)?;
                }
                Err(error) => return Err(error),
                Ok(None) => {}
                Ok(Some(mut report)) => {
                    if report.forget(what) {
                        write_private_envelope(&path, KIND, VERSION, &report)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn forgotten(&self) -> MutexGuard<'_, Vec<Forgotten>> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The report of the latest round, if there is one. Damaged reports are skipped: nothing depends on them.
    pub(crate) fn last(&self) -> Result<Option<RoundReport>> {
        for &round in self.numbers()?.iter().rev() {
            match read_envelope(&self.path(round), KIND, VERSION) {
                Err(error @ Error::Damaged { .. }) => tracing::warn!(%error, "skipping a damaged report"),
                read => return read,
            }
        }
        Ok(None)
    }

    /// The reports of all rounds in order. Damaged ones are skipped.
    pub(crate) fn all(&self) -> Result<Vec<RoundReport>> {
        let mut reports = Vec::new();
        for round in self.numbers()? {
            match read_envelope(&self.path(round), KIND, VERSION) {
                Err(error @ Error::Damaged { .. }) => tracing::warn!(%error, "skipping a damaged report"),
                read => reports.extend(read?),
            }
        }
        Ok(reports)
    }

    /// How many rounds have been rejected, or are on trial, since the last publication.
    pub(crate) fn attempts(&self) -> Result<usize> {
        let decisions = self.all()?.into_iter().rev().map(|report| report.gate.decision);
        let since = decisions.take_while(|decision| *decision != Decision::Published);
        let spent = |decision: &Decision| matches!(decision, Decision::Rejected | Decision::OnTrial);
        Ok(since.filter(spent).count())
    }

    /// Changes the report of a round. One that is missing or damaged stays so.
    pub(crate) fn amend(&self, round: u64, change: impl FnOnce(&mut RoundReport)) -> Result<()> {
        let _no_forgetting = self.forgotten();
        let path = self.path(round);
        match read_envelope::<RoundReport>(&path, KIND, VERSION) {
            Ok(Some(mut report)) => {
                change(&mut report);
                write_private_envelope(&path, KIND, VERSION, &report)
            }
            Ok(None) => Ok(()),
            Err(error @ Error::Damaged { .. }) => {
                tracing::warn!(%error, "a damaged report can't be changed");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn path(&self, round: u64) -> PathBuf {
        self.folder.join(format!("{round:06}.json"))
    }

    fn numbers(&self) -> Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io("list", &self.folder)(e)),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::io("list", &self.folder))?.path();
            numbers.extend(number_of(&path));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

fn number_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".json")?.parse().ok()
}
