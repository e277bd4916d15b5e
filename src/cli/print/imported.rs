//! What an import of feedback has brought.

use retune::exchange::ImportReport;

use super::counted::{counted, records};
use super::text::Text;

pub(crate) fn import_text(report: &ImportReport) -> Text {
    let mut text = Text::of(format!("imported {}", records(report.queries, report.judgements)));
    if report.known_queries + report.known_judgements > 0 {
        text.line(format!("known already: {}", records(report.known_queries, report.known_judgements)));
    }
    for (count, one, many, what) in [
        (report.unreadable, "record", "records", "that can't be read"),
        (report.queries_without_text, "query", "queries", "without a text"),
        (
            report.events_without_query,
            "event",
            "events",
            "whose query is neither in the files nor in the log",
        ),
        (report.events_without_document, "event", "events", "without a document"),
    ] {
        if count > 0 {
            text.line(format!("passed over: {} {what}", counted(count, one, many)));
        }
    }
    if !report.other_actions.is_empty() {
        let actions = report.other_actions.iter().map(|(name, count)| format!("{name} ({count})"));
        let actions = actions.collect::<Vec<_>>().join(", ");
        text.line(format!("passed over: actions that say nothing of a document: {actions}"));
    }
    if report.missing_documents > 0 {
        let more = if report.missing_documents > report.missing_examples.len() { ", …" } else { "" };
        let (missing, all) = (report.missing_documents, report.documents);
        let examples = report.missing_examples.join(", ");
        text.line(format!("{missing} of {all} documents are not in the index: {examples}{more}"));
    }
    text
}
