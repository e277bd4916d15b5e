//! `retune forget`: removes records from the feedback log.

use retune::access::Log;
use retune::{Error, QueryId, Result};
use serde::Serialize;

#[cfg(feature = "opensearch")]
use super::args::Store;
use super::args::{StoredPlace, Wait, query_id};
use super::print::{Output, Text};

#[derive(clap::Args)]
#[command(override_usage = "retune forget [OPTIONS] --query TEXT | --query-id ID | --document ID")]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: StoredPlace,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
    #[command(flatten)]
    wait: Wait,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Forget every query with this text, whatever its case and spacing, and the judgements of its answers.
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// Forget the query with this id, or the beginning of one, and the judgements of its answer.
    #[arg(long, value_name = "ID", value_parser = query_id)]
    query_id: Option<String>,
    /// Forget this document: its place in every answer and its judgements. It stays in the index.
    #[arg(long, value_name = "ID")]
    document: Option<String>,
}

#[derive(Serialize)]
struct Report {
    records: usize,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(args.place.is_named()) {
        return forget_on_cluster(&store, args, out);
    }
    let feedback = args.place.open_feedback(Some(&args.wait))?;
    let records = match &args.what {
        What { query: Some(text), .. } => feedback.forget_query(text)?,
        What { query_id: Some(id), .. } => feedback.forget_query_id(named(&feedback, id)?)?,
        What { document: Some(document), .. } => feedback.forget_document(document)?,
        // clap requires one of them.
        _ => 0,
    };
    out.print(&Report { records }, |report| Text::of(format!("{} records forgotten", report.records)))?;
    feedback.close()
}

/// Forgets on a cluster what was asked there.
#[cfg(feature = "opensearch")]
fn forget_on_cluster(store: &str, args: &Args, out: &Output) -> Result<()> {
    let cluster = args.place.open_cluster(store)?;
    let records = match &args.what {
        What { query: Some(text), .. } => cluster.forget_query(text)?,
        What { query_id: Some(id), .. } => {
            let named = match id.parse() {
                Ok(whole) => whole,
                Err(_) => cluster.find_query(id)?.query_id,
            };
            cluster.forget_query_id(named)?
        }
        What { document: Some(document), .. } => cluster.forget_document(document)?,
        // clap requires one of them.
        _ => 0,
    };
    out.print(&Report { records }, |report| {
        let mut text = Text::of(format!("{} records forgotten on the cluster", report.records));
        text.line("an index that has imported them still has them: forget them there too, without --store");
        text
    })?;
    cluster.close()
}

/// The query that an id or its beginning names. One that is not in the log may have judgements all the same.
fn named(feedback: &Log, id: &str) -> Result<QueryId> {
    match feedback.find_query(id) {
        Err(Error::NotFound { .. }) if id.parse::<QueryId>().is_ok() => id.parse(),
        found => found.map(|query| query.query_id),
    }
}
