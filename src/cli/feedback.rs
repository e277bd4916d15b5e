//! `retune feedback export | import`: the feedback log in formats of others.

use std::path::PathBuf;

use retune::Result;
use retune::exchange::{ExchangeFormat, ExportReport, ImportOptions};
use retune::terminal::escaped_json;

use super::args::{Action, StoredPlace, action, check_writable};
use super::print::{Output, Text, counted, import_text, raw, records};

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
    #[cfg_attr(not(feature = "opensearch"), arg(required = true, value_name = "FILE"))]
    #[cfg_attr(feature = "opensearch", arg(required_unless_present = "store", value_name = "FILE"))]
    files: Vec<PathBuf>,
    /// Instead of files, what was asked and judged on an OpenSearch cluster of the index that was migrated there: its
    /// nodes, separated by commas, and the index's name behind the last one.
    #[cfg(feature = "opensearch")]
    #[arg(long, value_name = "URL", conflicts_with = "files")]
    store: Option<String>,
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
    let mut text = Text::of(format!("exported {}", records(report.queries, report.judgements)));
    if report.judgements_without_query > 0 {
        let left = counted(report.judgements_without_query, "judgement", "judgements");
        text.line(format!("left out {left} whose query is not in the log"));
    }
    text
}

fn import(args: &Import, out: &Output) -> Result<()> {
    let with = |options: ImportOptions, action: &Action| options.with_action(&action.name, action.verdict);
    let options = args.actions.iter().fold(ImportOptions::default(), with);
    let feedback = args.place.open_own_feedback()?;
    #[cfg(feature = "opensearch")]
    let report = match &args.store {
        Some(store) => feedback.import_cluster(store, &options)?,
        None => feedback.import(&args.files, &options)?,
    };
    #[cfg(not(feature = "opensearch"))]
    let report = feedback.import(&args.files, &options)?;
    out.print(&report, import_text)?;
    feedback.close()
}
