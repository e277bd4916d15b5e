//! `retune files`: lists what an index holds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;

#[cfg(feature = "opensearch")]
use retune::FieldValue;
use retune::documents::{Date, Listing};
use retune::{Coverage, Filter, Reader, Result};
use serde::Serialize;

#[cfg(feature = "opensearch")]
use super::args::Store;
use super::args::{StoredPlace, filter};
use super::print::{Line, Output, Text};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: StoredPlace,
    /// List only documents whose fields match, such as 'extension=pdf', as for `retune search`.
    #[arg(long, value_name = "FILTER", value_parser = filter, conflicts_with = "skipped")]
    filter: Option<Filter>,
    /// List the files that the last run skipped, with the reasons.
    #[arg(long)]
    #[cfg_attr(feature = "opensearch", arg(conflicts_with = "store"))]
    skipped: bool,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
}

#[derive(Serialize)]
struct Documents {
    documents: Vec<Document>,
}

#[derive(Serialize)]
struct Document {
    document: String,
    passages: usize,
    /// How many of them have vectors.
    encoded: usize,
    /// When its file was changed; none for what an application has added.
    modified: Option<String>,
}

#[derive(Serialize)]
struct Skips {
    skipped: Vec<retune::folders::Skipped>,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(args.place.is_named() || args.skipped) {
        let documents = on_cluster(&args.place.open_cluster(&store)?, args.filter.as_ref())?;
        return out.print(&Documents { documents }, |all| text(&all.documents));
    }
    let engine = args.place.open()?;
    if args.skipped {
        let mut skipped = engine.passed_over()?;
        skipped.extend(engine.files()?.into_iter().flat_map(|file| file.skipped));
        skipped.sort_by(|a, b| a.document.cmp(&b.document));
        out.print(&Skips { skipped }, |all| {
            let mut text = Text::default();
            for one in &all.skipped {
                text.line(Line::fields([one.document.as_str(), &one.reason.to_string()]));
            }
            text
        })?;
        return engine.close();
    }
    let documents = documents(&engine, args.filter.as_ref())?;
    out.print(&Documents { documents }, |all| text(&all.documents))?;
    engine.close()
}

fn documents(engine: &Reader, filter: Option<&Filter>) -> Result<Vec<Document>> {
    let mut dates: BTreeMap<String, i64> = BTreeMap::new();
    for file in engine.files()? {
        dates.extend(file.documents.into_iter().map(|document| (document, file.modified_ms)));
    }
    let chosen: Option<BTreeSet<String>> = filter.map(|filter| matching(engine, filter)).transpose()?;
    let ids = engine.documents()?.into_iter().filter(|id| chosen.as_ref().is_none_or(|all| all.contains(id)));
    let listed = ids.map(|id| {
        let Coverage { chunks, encoded, .. } = engine.coverage_of(&id)?;
        let modified = dates.get(&id).map(|&ms| Date::from_unix_ms(ms).to_string());
        Ok(Document { document: id, passages: chunks, encoded, modified })
    });
    listed.collect()
}

#[cfg(feature = "opensearch")]
fn on_cluster(cluster: &retune::cluster::Cluster, filter: Option<&Filter>) -> Result<Vec<Document>> {
    let mut listing = Listing::default().with_limit(1000);
    listing.filter = filter.cloned();
    let mut documents = Vec::new();
    loop {
        let page = cluster.list(&listing)?;
        documents.extend(page.documents.into_iter().map(|one| Document {
            modified: match one.fields.get("modified") {
                Some(FieldValue::Date(date)) => Some(date.to_string()),
                _ => None,
            },
            document: one.id,
            passages: one.coverage.chunks,
            encoded: one.coverage.encoded,
        }));
        let Some(next) = page.next else { return Ok(documents) };
        listing = listing.with_after(next);
    }
}

fn matching(engine: &Reader, filter: &Filter) -> Result<BTreeSet<String>> {
    let mut listing = Listing::default().with_filter(filter.clone()).with_limit(1000);
    let mut ids = BTreeSet::new();
    loop {
        let page = engine.list(&listing)?;
        ids.extend(page.documents.into_iter().map(|document| document.id));
        let Some(next) = page.next else { return Ok(ids) };
        listing = listing.with_after(next);
    }
}

/// In columns on a terminal; else with tabs between, the name first.
fn text(documents: &[Document]) -> Text {
    let mut text = Text::default();
    if documents.is_empty() {
        text.line("nothing is indexed, or nothing matches");
    }
    let in_columns = std::io::stdout().is_terminal();
    for one in documents {
        let day = one.modified.as_deref().map_or("-", |date| date.split('T').next().unwrap_or(date));
        let vectors = match one.encoded == one.passages {
            true => "all".to_string(),
            false => one.encoded.to_string(),
        };
        let (passages, date) = (one.passages.to_string(), one.modified.as_deref().unwrap_or("-"));
        text.line(match in_columns {
            true => Line::from(format!("{passages:>6}  {vectors:>6}  {day:<10}  {}", one.document)),
            false => Line::fields([one.document.as_str(), &passages, &one.encoded.to_string(), date]),
        });
    }
    text
}
