//! `retune judge QUERY_ID DOCUMENT`: says what a document is worth for a query.

use retune::{QueryId, Result, Verdict};
use serde::Serialize;

use super::args::Place;
use super::print::{Output, Text};

#[derive(clap::Args)]
#[command(override_usage = "retune judge QUERY_ID DOCUMENT --chosen | --relevant | --not-relevant")]
pub(super) struct Args {
    /// The id of the query, as `retune search` printed it.
    query_id: QueryId,
    /// The id of the document, as `retune search` printed it.
    document: String,
    #[command(flatten)]
    verdict: VerdictName,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct VerdictName {
    /// The user picked the document.
    #[arg(long)]
    chosen: bool,
    /// The document answers the query.
    #[arg(long)]
    relevant: bool,
    /// The document does not answer the query.
    #[arg(long)]
    not_relevant: bool,
}

#[derive(Serialize)]
struct Report {
    query_id: QueryId,
    document: String,
    verdict: Verdict,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let verdict = match (args.verdict.chosen, args.verdict.relevant) {
        (true, _) => Verdict::Chosen,
        (_, true) => Verdict::Relevant,
        _ => Verdict::NotRelevant,
    };
    let engine = args.place.open()?;
    engine.judge(args.query_id, &args.document, verdict)?;
    let report = Report { query_id: args.query_id, document: args.document.clone(), verdict };
    out.print(&report, |report| {
        Text::of(format!("noted for query {}: {}", report.query_id, report.document))
    })?;
    engine.close()
}
