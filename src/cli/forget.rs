//! `retune forget`: removes records from the feedback log.

use retune::{QueryId, Result};
use serde::Serialize;

use super::args::Place;
use super::print::{Output, Text};

#[derive(clap::Args)]
#[command(override_usage = "retune forget [OPTIONS] --query TEXT | --query-id ID | --document ID")]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Forget every query with this text, whatever its case and spacing, and the judgements of its answers.
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// Forget the query with this id, and the judgements of its answer.
    #[arg(long, value_name = "ID")]
    query_id: Option<QueryId>,
    /// Forget this document: its place in every answer and its judgements. It stays in the index.
    #[arg(long, value_name = "ID")]
    document: Option<String>,
}

#[derive(Serialize)]
struct Report {
    records: usize,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let engine = args.place.open()?;
    let records = match &args.what {
        What { query: Some(text), .. } => engine.forget_query(text)?,
        What { query_id: Some(id), .. } => engine.forget_query_id(*id)?,
        What { document: Some(document), .. } => engine.forget_document(document)?,
        // clap requires one of them.
        _ => 0,
    };
    out.print(&Report { records }, |report| Text::of(format!("{} records forgotten", report.records)))?;
    engine.close()
}
