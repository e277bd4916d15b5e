//! The feedback log in formats of others, as JSON lines: [User Behavior Insights](https://github.com/o19s/ubi) 1.3, as
//! OpenSearch keeps it, and sessions with what TREC's Session Track has of them.
//!
//! [`Feedback::export`](crate::Feedback::export) writes either, [`Feedback::import`](crate::Feedback::import) reads
//! both. docs/feedback.md says what becomes of what.

mod actions;
mod asked;
mod entry;
mod export;
mod format;
mod gather;
mod ids;
#[cfg(feature = "opensearch")]
mod records;
mod report;
mod sessions;
#[cfg(test)]
mod tests;
mod times;
mod ubi;

pub use actions::ImportOptions;
pub(crate) use export::export;
pub use format::ExchangeFormat;
pub(crate) use gather::{Imported, import};
#[cfg(feature = "opensearch")]
pub(crate) use records::{
    Importer, document_of, event_record, judging_actions, query_id_of, query_record, read_answer,
    read_judgement, without_document,
};
pub(crate) use report::EXAMPLES;
pub use report::{ExportReport, ImportReport};

/// Reads the lines of a text, and puts together what they say.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_lines(text: &str) {
    let mut entries = entry::Entries::default();
    for line in text.lines() {
        let _ = entries.add(line);
    }
    gather::put_together(entries, &ImportOptions::default(), &mut gather::Known::default());
}
