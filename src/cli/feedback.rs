//! `retune feedback export | import`: the feedback log in formats of others.

use std::path::PathBuf;

use retune::Result;
use retune::exchange::{ExchangeFormat, ExportReport, ImportOptions, ImportReport};
use retune::terminal::escaped_json;

use super::args::{Action, StoredPlace, action, check_writable};
use super::print::{Output, Text, raw};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Write the queries of the log and what was said of their answers, one JSON object a line.
    Export(Export),
    /// Add queries and clicks from elsewhere to the log. What it has already stays as it is.
    Import(Import),
}

#[derive(clap::Args)]
struct Export {
    /// Lines as OpenSearch has them in ubi_queries and ubi_events (User Behavior Insights 1.3: ubi), or one line for
    /// each session with its queries, results and clicks (trec-session).
    #[arg(long, default_value = "ubi", value_name = "FORMAT")]
    format: ExchangeFormat,
    /// Write to this file, which is then yours alone to read. Default: standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    place: StoredPlace,
}

#[derive(clap::Args)]
struct Import {
    /// Files of JSON lines in either format, plain or gzipped. Those of ubi_queries and of ubi_events belong together.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What an action of yours says of a document: chosen, relevant, not-relevant, opened, withdrawn or none. May be
    /// given several times.
    #[arg(long = "action", value_name = "NAME=VERDICT", value_parser = action)]
    actions: Vec<Action>,
    #[command(flatten)]
    place: StoredPlace,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    match &args.verb {
        Verb::Export(args) => export(args, out),
        Verb::Import(args) => import(args, out),
    }
}

fn export(args: &Export, out: &Output) -> Result<()> {
    // Also where a service holds the index: it writes out what it has answered at once.
    let Some(file) = &args.output else {
        let feedback = args.place.open_own_feedback()?;
        let mut lines = Vec::new();
        feedback.export(args.format, &mut lines)?;
        let lines = String::from_utf8_lossy(&lines);
        let safe: String = lines.lines().map(|line| format!("{}\n", escaped_json(line))).collect();
        raw(safe.as_bytes())?;
        return feedback.close();
    };
    check_writable("the file of the export", file)?;
    let feedback = args.place.open_own_feedback()?;
    let report = feedback.export_to(args.format, file)?;
    out.print(&report, export_text)?;
    feedback.close()
}

fn export_text(report: &ExportReport) -> Text {
    let mut text =
        Text::of(format!("exported {} queries and {} judgements", report.queries, report.judgements));
    if report.judgements_without_query > 0 {
        let left = report.judgements_without_query;
        text.line(format!("left out {left} judgements whose query is not in the log"));
    }
    text
}

fn import(args: &Import, out: &Output) -> Result<()> {
    let with = |options: ImportOptions, action: &Action| options.with_action(&action.name, action.verdict);
    let options = args.actions.iter().fold(ImportOptions::default(), with);
    let feedback = args.place.open_own_feedback()?;
    let report = feedback.import(&args.files, &options)?;
    out.print(&report, import_text)?;
    feedback.close()
}

fn import_text(report: &ImportReport) -> Text {
    let mut text =
        Text::of(format!("imported {} queries and {} judgements", report.queries, report.judgements));
    if report.known_queries + report.known_judgements > 0 {
        let (queries, judgements) = (report.known_queries, report.known_judgements);
        text.line(format!("known already: {queries} queries and {judgements} judgements"));
    }
    for (count, what) in [
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
