//! `retune search QUERY`: searches an index.

use retune::{Answer, Engine, Error, Filter, Fusion, Hit, Mode, Query, Result};

use super::args::{Place, dense_weight, filter};
use super::print::Output;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The words to search for.
    #[arg(required = true)]
    query: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Number of documents to show.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Which indexes to search.
    #[arg(long, value_enum, default_value = "hybrid")]
    mode: ModeName,
    /// Fuse by rank (RRF, k = 60) instead of by score.
    #[arg(long)]
    rrf: bool,
    /// Weight of the dense score in the fused score, 0 to 1. Default: the weight that the index has learnt.
    #[arg(long, value_name = "WEIGHT", conflicts_with = "rrf", value_parser = dense_weight)]
    dense_weight: Option<f32>,
    /// Show only documents whose metadata matches this JSON filter; see docs/cli.md.
    #[arg(long, value_name = "JSON", value_parser = filter)]
    filter: Option<Filter>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ModeName {
    Hybrid,
    Lexical,
    Dense,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let query = query(args);
    let engine = open(args)?;
    let answer = engine.search(&query)?;
    out.print(&answer, text)?;
    engine.close()
}

fn query(args: &Args) -> Query {
    let mode = match args.mode {
        ModeName::Hybrid => Mode::Hybrid,
        ModeName::Lexical => Mode::Lexical,
        ModeName::Dense => Mode::Dense,
    };
    let mut query = Query::new(args.query.join(" ")).with_limit(args.limit as usize).with_mode(mode);
    if args.rrf {
        query = query.with_fusion(Fusion::RRF);
    }
    if let Some(dense_weight) = args.dense_weight {
        query = query.with_fusion(Fusion::Convex { dense_weight });
    }
    if let Some(filter) = &args.filter {
        query = query.with_filter(filter.clone());
    }
    query
}

/// Opens the index for writing, so that the answer is logged; for reading while another process writes.
fn open(args: &Args) -> Result<Engine> {
    match args.place.open() {
        Err(Error::Locked { .. }) => {
            tracing::warn!(
                "another process is writing to the index: this answer is not logged and can't be judged"
            );
            args.place.open_read_only()
        }
        opened => opened,
    }
}

fn text(answer: &Answer) -> String {
    let mut text = format!(
        "query {} · generation {} · {} · {:.1} ms",
        answer.query_id,
        answer.generation,
        answer.mode.name(),
        answer.took_ms.total
    );
    if answer.hits.is_empty() {
        text.push_str("\nnothing found");
    }
    for hit in &answer.hits {
        text.push_str(&format!("\n\n{:2}. {}", hit.rank, hit.document));
        if !hit.title.is_empty() {
            text.push_str(&format!(" — {}", hit.title));
        }
        let score = |score: Option<f32>| score.map_or_else(|| "–".into(), |score| format!("{score:.3}"));
        text.push_str(&format!(
            "\n    bytes {}–{} · score {:.3} · lexical {} · dense {}",
            hit.start,
            hit.end,
            hit.score,
            score(hit.lexical),
            score(hit.dense)
        ));
        text.push_str(&format!("\n    {}", excerpt(hit)));
        if !hit.also_in.is_empty() {
            text.push_str(&format!("\n    also in {}", also_in(&hit.also_in)));
        }
    }
    text
}

/// Some of the other documents with the same passage, and how many there are.
fn also_in(documents: &[String]) -> String {
    const NAMED: usize = 3;
    let more = documents.len().saturating_sub(NAMED);
    let named = documents[..documents.len() - more].join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// About 240 bytes of the passage around the first match.
fn excerpt(hit: &Hit) -> String {
    const BEFORE: usize = 60;
    const LENGTH: usize = 240;
    let first = hit.highlights.first().map_or(0, |range| range.start);
    let start = hit.passage.floor_char_boundary(first.saturating_sub(BEFORE));
    let end = hit.passage.ceil_char_boundary((start + LENGTH).min(hit.passage.len()));
    let words: Vec<&str> = hit.passage[start..end].split_whitespace().collect();
    let (head, tail) = (if start > 0 { "… " } else { "" }, if end < hit.passage.len() { " …" } else { "" });
    format!("{head}{}{tail}", words.join(" "))
}
