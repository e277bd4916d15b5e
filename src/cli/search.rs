//! `retune search QUERY`: searches an index.

use retune::access::Searched;
use retune::folders::Changes;
use retune::{Answer, Error, Filter, Fusion, Hit, Mode, Query, Result, Verdict};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(feature = "opensearch")]
use super::args::Store;
use super::args::{Place, dense_weight, filter, number};
use super::editor;
use super::print::{Links, Output, Text, When, answer_text, complain, facets_text};

#[derive(clap::Args)]
pub(super) struct Args {
    /// What to search for: words, and operators as in 'reset "login password" -windows ext:md after:2024'. docs/cli.md
    /// lists them. What is no operator is text.
    #[arg(required = true)]
    query: Vec<String>,
    #[command(flatten)]
    place: Place,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
    /// Number of documents to show.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Number of documents to leave out before the first one that is shown: those of earlier pages.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u32,
    /// How to search: by words (lexical), by meaning (dense), or by both.
    #[arg(long, value_enum, default_value = "hybrid")]
    mode: ModeName,
    /// Take all of the query for text: no operators.
    #[arg(long)]
    plain: bool,
    /// Fuse by rank (RRF, k = 60) instead of by score.
    #[arg(long)]
    rrf: bool,
    /// Weight of the search by meaning when both are fused, 0 to 1. Default: the weight that the index has learnt.
    #[arg(long, value_name = "WEIGHT", conflicts_with = "rrf", value_parser = dense_weight)]
    dense_weight: Option<f32>,
    /// Show only documents whose fields match, such as 'extension=rst path=docs/*' or 'not path=old/*'. Takes JSON too;
    /// see docs/cli.md.
    #[arg(long, value_name = "FILTER", value_parser = filter)]
    filter: Option<Filter>,
    /// Show only documents with at least this score. Scores of another mode are others.
    #[arg(long, value_name = "SCORE", value_parser = number, allow_negative_numbers = true)]
    min_score: Option<f32>,
    /// Show at most so many documents of one folder, so that it does not crowd out the others.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    per_folder: Option<u32>,
    /// Count all documents that are found, and the values of these fields of theirs, such as extension.
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    facets: Vec<String>,
    /// Open the Nth document where its passage stands: in VISUAL or EDITOR if it is text, else in the program that the
    /// system has for it. Without N the first. With N it is noted as chosen for this query, as `retune judge --chosen`
    /// does: retune learns from it.
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    open: Option<usize>,
    /// Make the names of files links: on a terminal that is known to show them (auto), wherever colours go (always), or
    /// never.
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    hyperlink: When,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ModeName {
    Hybrid,
    Lexical,
    Dense,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let query = query(args)?;
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(args.place.is_named()) {
        return search_cluster(&store, args, &query, out);
    }
    let query = page_of(args, query)?;
    let found = ask(args, &query)?;
    let links = Links::shown(args.hyperlink);
    let path = |hit: &Hit| {
        let at = found.answer.hits.iter().position(|one| one.document == hit.document)?;
        found.paths.get(at)?.clone()
    };
    let url = |hit: &Hit| links.as_ref()?.to(&file_of(&path(hit)?)?);
    out.print(&found.answer, |answer| text_of(answer, &query, found.folder.as_deref(), &url))?;
    tell_changes(&found.changes);
    if let Some(rank) = args.open {
        let hit = hit(&found.answer, rank)?;
        if rank > 0 && query.offset == 0 {
            let log = args.place.open_feedback()?;
            log.judge(found.answer.query_id, &hit.document, Verdict::Chosen)?;
            log.close()?;
        }
        let at = hit.highlights.first().map_or(0, |word| word.start);
        editor::open(&path(hit).ok_or_else(|| no_file(hit))?, &hit.place_at(at))?;
    }
    Ok(())
}

/// Searches an index on a cluster.
#[cfg(feature = "opensearch")]
fn search_cluster(store: &str, args: &Args, query: &Query, out: &Output) -> Result<()> {
    if args.open.is_some() {
        return Err(Error::Invalid {
            what: "--open with an index on a cluster",
            found: store.to_string(),
            expected: "an index of this machine, which knows where its files lie".into(),
        });
    }
    let cluster = retune::cluster::Cluster::open(store, &args.place.options())?;
    let mut answer = cluster.search(query)?;
    // What was asked is on the cluster before it can be judged. If it can't be, the answer is one all the same.
    if let Err(error) = cluster.close() {
        answer.logged = false;
        complain(&error.to_string());
    }
    out.print(&answer, |answer| text_of(answer, query, None, &|_| None))
}

fn text_of(
    answer: &Answer,
    query: &Query,
    folder: Option<&Path>,
    url: &dyn Fn(&Hit) -> Option<String>,
) -> Text {
    let mut text = answer_text(answer, folder, url);
    if answer.hits.is_empty() && query.words() != query.text {
        text.line("some of it was read as operators: --plain takes all of it for text");
    }
    text.append(facets_text(answer));
    text
}

/// How long to look for files that have changed.
const CHANGES: Duration = Duration::from_millis(50);

/// Asks the service that holds the index, or else the index itself.
fn ask(args: &Args, query: &Query) -> Result<Searched> {
    if let Some(served) = args.place.served() {
        return served.query(query);
    }
    let engine = match args.mode {
        ModeName::Lexical => args.place.open_without_model()?,
        ModeName::Hybrid | ModeName::Dense => args.place.open_beside()?,
    };
    let found = Searched::of(&engine, query, CHANGES)?;
    if !engine.is_logging() {
        let index = engine.path().display();
        complain(&format!("the index {index} can't be written: searches are not logged and can't be judged"));
    }
    // What was asked is in the log before it can be judged.
    engine.close().map(|()| found)
}

/// Says in one line how much the folders have changed since the index was made.
fn tell_changes(changes: &Changes) {
    let Changes { compared, changed, new, gone, complete, .. } = *changes;
    if changes.total() == 0 {
        if !complete && compared > 0 {
            complain(&format!(
                "files since the last run: none of the first {compared} have changed, and there was no time for more"
            ));
        }
        return;
    }
    let parts = [(changed, "changed"), (new, "new"), (gone, "gone")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let parts = parts.collect::<Vec<_>>().join(", ");
    let least = if complete { "" } else { "at least " };
    complain(&format!("files since the last run: {least}{parts}; `retune index` brings the index in step"));
}

/// The file itself, or the archive that it lies in. `None` if neither is there any more.
fn file_of(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|path| path.is_file())?.canonicalize().ok()
}

/// The hit that is to be opened: the first for a rank of 0.
fn hit(answer: &Answer, rank: usize) -> Result<&Hit> {
    let found = answer.hits.iter().find(|hit| rank == 0 || hit.rank == rank);
    found.ok_or_else(|| Error::NotFound {
        what: "document to open with the rank",
        id: rank.max(1).to_string(),
        remedy: "name the rank of one that is shown",
    })
}

fn query(args: &Args) -> Result<Query> {
    let mode = match args.mode {
        ModeName::Hybrid => Mode::Hybrid,
        ModeName::Lexical => Mode::Lexical,
        ModeName::Dense => Mode::Dense,
    };
    let text = args.query.join(" ");
    let query = if args.plain { Query::new(text) } else { Query::parse(text) };
    let mut query = query.with_limit(args.limit as usize).with_offset(args.offset as usize).with_mode(mode);
    query.min_score = args.min_score;
    query.per_folder = args.per_folder.map(|most| most as usize);
    query.facets = args.facets.clone();
    query.total = !args.facets.is_empty();
    if args.rrf {
        query = query.with_fusion(Fusion::RRF);
    }
    if let Some(dense_weight) = args.dense_weight {
        query = query.with_fusion(Fusion::Convex { dense_weight });
    }
    if let Some(filter) = &args.filter {
        query = query.with_filter(filter.clone());
    }
    Ok(query)
}

/// A later page of the query that was answered last has its id.
fn page_of(args: &Args, mut query: Query) -> Result<Query> {
    if query.offset > 0 {
        query.page_of =
            args.place.last_query()?.filter(|last| last.query == query.text).map(|last| last.query_id);
    }
    Ok(query)
}

fn no_file(hit: &Hit) -> Error {
    Error::NotFound {
        what: "file of the document",
        id: hit.document.clone(),
        remedy: "only files of a folder can be opened; this document was added by an application",
    }
}
