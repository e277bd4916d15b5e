//! Files that a verb writes at its end. They are checked first: what they report may take an hour.

use std::path::{Path, PathBuf};

use retune::eval::Run;
use retune::measure::ByMode;
use retune::{Error, Mode, Result};

/// The HTML page of a report.
#[derive(clap::Args)]
pub(crate) struct PageFile {
    /// Also write the report as an HTML page with plots: one file that loads nothing else.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl PageFile {
    pub(crate) fn path(&self) -> Option<&Path> {
        self.report.as_deref()
    }

    /// Refuses a file that can't be written.
    pub(crate) fn check(&self) -> Result<()> {
        self.path().map_or(Ok(()), |path| check_writable("the report's file", path))
    }
}

/// TREC runs, one for each mode.
#[derive(clap::Args)]
pub(crate) struct RunFiles {
    /// Write the rankings as TREC runs. The mode's name is put before the extension: out.trec becomes out.dense.trec.
    #[arg(long, value_name = "FILE")]
    run_out: Option<PathBuf>,
}

impl RunFiles {
    pub(crate) fn are_wanted(&self) -> bool {
        self.run_out.is_some()
    }

    /// Refuses files that can't be written, or one that is the page's.
    pub(crate) fn check(&self, page: &PageFile) -> Result<()> {
        let Some(file) = &self.run_out else { return Ok(()) };
        ByMode::make(|mode| {
            let run = with_mode(file, mode);
            check_writable("the file of a run", &run)?;
            match page.path() == Some(&run) {
                false => Ok(()),
                true => Err(Error::Invalid {
                    what: "the report's file",
                    found: run.display().to_string(),
                    expected: "another file than a run's".into(),
                }),
            }
        })?;
        Ok(())
    }

    pub(crate) fn write(&self, runs: &ByMode<Run>) -> Result<()> {
        let Some(file) = &self.run_out else { return Ok(()) };
        runs.iter().try_for_each(|(mode, run)| {
            run.write_trec(&with_mode(file, mode), &format!("retune-{}", mode.name()))
        })
    }
}

/// `out.trec` becomes `out.dense.trec`.
fn with_mode(file: &Path, mode: Mode) -> PathBuf {
    let ending = file.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    file.with_file_name(format!("{stem}.{}{ending}", mode.name()))
}

/// Refuses a path where no file can be written, or where something other than a file would be replaced.
fn check_writable(what: &'static str, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let free = path.symlink_metadata().map_or(true, |found| found.is_file());
    match folder.is_dir() && free {
        true => Ok(()),
        false => Err(Error::Invalid {
            what,
            found: path.display().to_string(),
            expected: "a file in a folder that exists, and not the path of a folder, link or device".into(),
        }),
    }
}
