//! `retune judge QUERY_ID DOCUMENT`.

use retune::{Options, QueryId, Result, Verdict};
use serde::Serialize;

use super::output::Output;
use super::place::Place;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The query's id, as search printed it.
    query_id: QueryId,
    /// The document's id, as search printed it.
    document: String,
    #[command(flatten)]
    verdict: VerdictName,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct VerdictName {
    /// The user picked it.
    #[arg(long)]
    chosen: bool,
    /// It answers the query.
    #[arg(long)]
    relevant: bool,
    /// It does not answer the query.
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
    let engine = args.place.open(Options::default())?;
    engine.judge(args.query_id, &args.document, verdict)?;
    let report = Report { query_id: args.query_id, document: args.document.clone(), verdict };
    out.print(&report, |report| format!("noted for query {}: {}", report.query_id, report.document))?;
    engine.close()
}
