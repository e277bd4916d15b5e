//! `retune forget`.

use retune::{Options, QueryId, Result};
use serde::Serialize;

use super::output::Output;
use super::place::Place;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Every query with this text, whatever its case and spacing, and what was said of its answers.
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// One answered query, by its id.
    #[arg(long, value_name = "ID")]
    query_id: Option<QueryId>,
    /// A document: in the hits of every query, and what was said of it. It stays in the index.
    #[arg(long, value_name = "ID")]
    document: Option<String>,
}

#[derive(Serialize)]
struct Report {
    records: usize,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let engine = args.place.open(Options::default())?;
    let records = match &args.what {
        What { query: Some(text), .. } => engine.forget_query(text)?,
        What { query_id: Some(id), .. } => engine.forget_query_id(*id)?,
        What { document: Some(document), .. } => engine.forget_document(document)?,
        // clap requires one of them.
        _ => 0,
    };
    out.print(&Report { records }, |report| format!("{} records forgotten", report.records))?;
    engine.close()
}
