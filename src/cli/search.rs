//! `retune search QUERY`: searches an index.

use retune::{Filter, Fusion, Mode, Query, Result};

use super::args::{Place, dense_weight, filter};
use super::print::{Output, answer_text};

#[derive(clap::Args)]
pub(super) struct Args {
    /// What to search for. There is no syntax: all of it is text.
    #[arg(required = true)]
    query: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Number of documents to show.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// How to search: by words (lexical), by meaning (dense), or by both.
    #[arg(long, value_enum, default_value = "hybrid")]
    mode: ModeName,
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
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ModeName {
    Hybrid,
    Lexical,
    Dense,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let query = query(args);
    let engine = match args.mode {
        ModeName::Lexical => args.place.open_without_model()?,
        ModeName::Hybrid | ModeName::Dense => args.place.open_beside()?,
    };
    let answer = engine.search(&query)?;
    let folder = engine.folder().ok().flatten();
    out.print(&answer, |answer| answer_text(answer, folder.as_deref()))?;
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
