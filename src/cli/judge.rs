//! `retune judge QUERY DOCUMENT`: says what a document is worth for a query.

use retune::access::Log;
use retune::feedback::Impression;
use retune::{Error, QueryId, Result, Verdict};
use serde::Serialize;

#[cfg(feature = "opensearch")]
use super::args::Store;
use super::args::{LAST, StoredPlace, query_id_or_last};
use super::print::{Output, Text};

#[derive(clap::Args)]
#[command(override_usage = "retune judge QUERY DOCUMENT --chosen (or another verdict)")]
pub(super) struct Args {
    /// The id of the query, as `retune search` printed it, or as many of its first digits as tell it from others;
    /// "last" for the query that was answered last.
    #[arg(value_name = "QUERY", value_parser = query_id_or_last)]
    query: String,
    /// The id of the document, as `retune search` printed it, or its rank in the answer: 1 for the first.
    document: String,
    #[command(flatten)]
    verdict: VerdictName,
    #[command(flatten)]
    place: StoredPlace,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
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
    /// The user looked at the document. Of those that were looked at for a query, the last one counts as its answer,
    /// unless another one is chosen or relevant.
    #[arg(long)]
    opened: bool,
    /// Takes back what was said last of the document in this answer.
    #[arg(long)]
    withdrawn: bool,
}

impl VerdictName {
    fn verdict(&self) -> Verdict {
        match self {
            VerdictName { chosen: true, .. } => Verdict::Chosen,
            VerdictName { relevant: true, .. } => Verdict::Relevant,
            VerdictName { opened: true, .. } => Verdict::Opened,
            VerdictName { withdrawn: true, .. } => Verdict::Withdrawn,
            _ => Verdict::NotRelevant,
        }
    }
}

#[derive(Serialize)]
struct Report {
    query_id: QueryId,
    query: String,
    document: String,
    verdict: Verdict,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(args.place.is_named()) {
        return judge_on_cluster(&store, args, out);
    }
    let feedback = args.place.open_feedback(None)?;
    let asked = asked(&feedback, &args.query)?;
    let document = document(&asked, &args.document);
    feedback.judge(asked.query_id, document, args.verdict.verdict())?;
    print(args, &asked, document, out)?;
    feedback.close()
}

/// Judges an answer of an index on a cluster.
#[cfg(feature = "opensearch")]
fn judge_on_cluster(store: &str, args: &Args, out: &Output) -> Result<()> {
    if args.query == LAST {
        return Err(Error::Invalid {
            what: "the query to judge on a cluster",
            found: LAST.into(),
            expected: "its id: many may ask the same cluster, and the last query may be another's".into(),
        });
    }
    let cluster = args.place.open_cluster(store)?;
    let asked = cluster.find_query(&args.query)?;
    let document = document(&asked, &args.document);
    cluster.judge(asked.query_id, document, args.verdict.verdict())?;
    print(args, &asked, document, out)?;
    cluster.close()
}

fn print(args: &Args, asked: &Impression, document: &str, out: &Output) -> Result<()> {
    let Impression { query_id, query, .. } = asked;
    let (query_id, query, verdict) = (*query_id, query.clone(), args.verdict.verdict());
    out.print(&Report { query_id, query, document: document.to_string(), verdict }, |report| {
        Text::of(format!("noted for query {} ({}): {}", report.query_id, report.query, report.document))
    })
}

fn asked(feedback: &Log, query: &str) -> Result<Impression> {
    if query != LAST {
        return feedback.find_query(query);
    }
    feedback.last_query()?.ok_or_else(|| Error::NotFound {
        what: "logged query to judge as",
        id: LAST.into(),
        remedy: "search first",
    })
}

/// The document that was meant: one of the answer by its id, one of the answer by its rank, or else any by its id.
fn document<'a>(asked: &'a Impression, named: &'a str) -> &'a str {
    if asked.hits.iter().any(|hit| hit.document == named) {
        return named;
    }
    let rank: Option<usize> = named.parse().ok();
    let ranked = rank.and_then(|rank| asked.hits.get(rank.checked_sub(1)?));
    ranked.map_or(named, |hit| &hit.document)
}
