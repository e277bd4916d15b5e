//! Files that a verb writes at its end. They are checked first: what they report may take an hour.

use std::path::{Path, PathBuf};

use retune::eval::{Queries, Query, Run};
use retune::measure::{ByMode, TestSet};
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

/// What is written of each mode's run.
#[derive(clap::Args)]
pub(crate) struct RunFiles {
    /// Write the rankings as TREC runs. The mode's name is put before the extension: out.trec becomes out.dense.trec.
    #[arg(long, value_name = "FILE")]
    run_out: Option<PathBuf>,
    /// Write results as MTEB keeps them. Here too out.json becomes out.dense.json.
    #[arg(long, value_name = "FILE")]
    mteb_out: Option<PathBuf>,
}

impl RunFiles {
    /// Whether TREC runs are to be written.
    pub(crate) fn has_runs(&self) -> bool {
        self.run_out.is_some()
    }

    /// Refuses files that can't be written, or that are the same.
    pub(crate) fn check(&self, page: &PageFile) -> Result<()> {
        let mut known: Vec<PathBuf> = page.path().map(Path::to_path_buf).into_iter().collect();
        for (what, file) in
            [("the file of a run", &self.run_out), ("the file of MTEB's results", &self.mteb_out)]
        {
            let Some(file) = file else { continue };
            let of_modes = ByMode::make(|mode| Ok(with_mode(file, mode)))?;
            for (_, path) in of_modes.iter() {
                check_writable(what, path)?;
                if known.contains(path) {
                    return Err(Error::Invalid {
                        what,
                        found: path.display().to_string(),
                        expected: "another file than those of the other options".into(),
                    });
                }
                known.push(path.clone());
            }
        }
        Ok(())
    }

    pub(crate) fn write(&self, set: &TestSet, runs: &ByMode<Run>) -> Result<()> {
        runs.iter().try_for_each(|(mode, run)| {
            if let Some(file) = &self.run_out {
                run.write_trec(&with_mode(file, mode), &format!("retune-{}", mode.name()))?;
            }
            match &self.mteb_out {
                Some(file) => set.mteb_results(run).write(&with_mode(file, mode)),
                None => Ok(()),
            }
        })
    }
}

/// What does not count in runs from files.
#[derive(clap::Args)]
pub(crate) struct Excluded {
    /// Leave out the documents that this file's queries exclude: one JSON object a line with _id, text and
    /// excluded_ids, as BRIGHT has them.
    #[arg(long, value_name = "FILE")]
    excluded: Option<PathBuf>,
}

impl Excluded {
    /// The queries that exclude documents.
    pub(crate) fn read(&self) -> Result<Vec<Query>> {
        self.excluded.as_deref().map_or(Ok(Vec::new()), |path| Queries::open(path)?.collect())
    }
}

/// `out.trec` becomes `out.dense.trec`.
fn with_mode(file: &Path, mode: Mode) -> PathBuf {
    let ending = file.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    file.with_file_name(format!("{stem}.{}{ending}", mode.name()))
}

/// Refuses a path where no file can be written, or where something other than a file would be replaced.
pub(crate) fn check_writable(what: &'static str, path: &Path) -> Result<()> {
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
