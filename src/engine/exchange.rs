//! The feedback log in formats of others.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use super::feedback::Feedback;
use crate::error::{Error, Result};
use crate::exchange::{
    EXAMPLES, ExchangeFormat, ExportReport, ImportOptions, ImportReport, Imported, export, import,
};
use crate::storage::write_private;

impl Feedback {
    /// Writes all queries of the log with the judgements of their answers, as JSON lines in UTF-8.
    ///
    /// Scores and passages are left out: only the index that has answered can use them. docs/feedback.md has the
    /// fields.
    ///
    /// # Errors
    /// [`Error::Io`] if the log can't be read or `to` can't be written.
    pub fn export(&self, format: ExchangeFormat, to: &mut dyn Write) -> Result<ExportReport> {
        let failed = |source| Error::Io { doing: "write", path: "the export".into(), source };
        self.log.flush()?;
        let report = export(&self.log.replay()?, format, &mut |line| {
            to.write_all(line.as_bytes()).and_then(|()| to.write_all(b"\n")).map_err(failed)
        })?;
        to.flush().map_err(failed).map(|()| report)
    }

    /// As [`export`](Feedback::export), into a file that nobody else may read. It is replaced whole, or left as it is.
    ///
    /// # Errors
    /// As `export`.
    pub fn export_to(&self, format: ExchangeFormat, file: impl AsRef<Path>) -> Result<ExportReport> {
        let mut lines = Vec::new();
        let report = self.export(format, &mut lines)?;
        write_private(file.as_ref(), &lines).map(|()| report)
    }

    /// Adds the queries and judgements of files, in either [format](ExchangeFormat), to the log. Returns when they are
    /// durable. Files that belong together, such as `ubi_queries` and `ubi_events`, are imported together.
    ///
    /// What the log has already stays as it is, so importing the same again changes nothing. A query keeps its id if
    /// that is one of this library, else it gets one that follows from its own. Times are kept, and so are ids of
    /// documents, which need not be in the index.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the first line that can't be read: then nothing was imported. After another error a
    /// part may be; importing again completes it.
    pub fn import(&self, files: &[impl AsRef<Path>], options: &ImportOptions) -> Result<ImportReport> {
        let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
        self.log.flush()?;
        let imported = import(&files, options, self.log.headings()?)?;
        self.take(imported, &mut HashSet::new())
    }

    /// Adds what is new to the log, and tells what of it the index lacks, but for documents that were `named` before.
    pub(super) fn take(&self, imported: Imported, named: &mut HashSet<String>) -> Result<ImportReport> {
        let mut report = imported.report.clone();
        let lexical = self.lexical.snapshot()?;
        for document in imported.documents() {
            if !named.insert(document.to_string()) {
                continue;
            }
            report.documents += 1;
            if lexical.chunk_ids_of(document)?.is_empty() {
                report.missing_documents += 1;
                if report.missing_examples.len() < EXAMPLES {
                    report.missing_examples.push(document.to_string());
                }
            }
        }
        if imported.impressions.is_empty() && imported.judgements.is_empty() {
            return Ok(report);
        }
        self.log.import(imported.impressions, imported.judgements).map(|()| report)
    }
}
