//! What an import of feedback has brought.

use retune::exchange::ImportReport;

use super::text::Text;

pub(crate) fn import_text(report: &ImportReport) -> Text {
    let mut text =
        Text::of(format!("imported {} queries and {} judgements", report.queries, report.judgements));
    if report.known_queries + report.known_judgements > 0 {
        let (queries, judgements) = (report.known_queries, report.known_judgements);
        text.line(format!("known already: {queries} queries and {judgements} judgements"));
    }
    for (count, what) in [
        (report.unreadable, "records that can't be read"),
        (report.queries_without_text, "queries without a text"),
        (report.events_without_query, "events whose query is neither in the files nor in the log"),
        (report.events_without_document, "events that name no document"),
    ] {
        if count > 0 {
            text.line(format!("passed over: {count} {what}"));
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
