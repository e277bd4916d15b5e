//! `retune search QUERY`: searches an index.

use std::ffi::OsStr;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use retune::{Answer, Engine, Error, Filter, Fusion, Hit, Mode, Query, Result};

use super::args::{Place, dense_weight, filter};
use super::print::{Excerpt, Line, Output, Text, columns, line_number, wrapped};

#[derive(clap::Args)]
pub(super) struct Args {
    /// What to search for. There is no syntax: all of it is text.
    #[arg(required = true)]
    query: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Number of documents to show.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
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
    // Without it, lines have no numbers.
    let folder = engine.folder().ok().flatten();
    out.print(&answer, |answer| text(answer, folder.as_deref()))?;
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

const TITLE: Style = Style::new().bold();
const PLACE: Style = AnsiColor::Cyan.on_default();
const ASIDE: Style = Style::new().dimmed();
const MATCHING: Style = AnsiColor::Yellow.on_default().bold();

/// Columns before what is said of a hit.
const INDENT: &str = "    ";

/// The answer for a reader. `folder` is where the hits' files are, if the index follows one.
fn text(answer: &Answer, folder: Option<&Path>) -> Text {
    let head = format!(
        "query {} · generation {} · {} · {:.1} ms",
        answer.query_id,
        answer.generation,
        answer.mode.name(),
        answer.took_ms.total
    );
    let mut text = Text::of(Line::default().with(ASIDE, &head));
    if answer.hits.is_empty() {
        text.line("nothing found");
    }
    let columns = columns() - INDENT.len();
    for hit in &answer.hits {
        let excerpt = Excerpt::of(hit, columns, MATCHING);
        text.empty_line();
        let line = folder.and_then(|folder| line_number(folder, hit, excerpt.start));
        let place = hit.document.clone() + &line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = Line::default().with(PLACE, &place).with(ASIDE, &scores(hit));
        let rank = Line::from(format!("{:>2}. ", hit.rank));
        let mut titles =
            title(hit).map(|title| wrapped(title, columns, TITLE)).unwrap_or_default().into_iter();
        match titles.next() {
            None => text.line(rank.followed_by(&place)),
            Some(first) => {
                text.line(rank.followed_by(&first));
                titles.chain([place]).for_each(|line| text.line(Line::from(INDENT).followed_by(&line)));
            }
        }
        excerpt.lines.iter().for_each(|line| text.line(Line::from(INDENT).followed_by(line)));
    }
    text
}

/// The title of a hit, if it says more than the name of its file.
fn title(hit: &Hit) -> Option<&str> {
    let file = Path::new(&hit.document);
    let is_name = |name: Option<&OsStr>| name.is_some_and(|name| name.eq_ignore_ascii_case(&hit.title));
    let says_more = !hit.title.trim().is_empty() && !is_name(file.file_name()) && !is_name(file.file_stem());
    says_more.then_some(&hit.title)
}

fn scores(hit: &Hit) -> String {
    let of = |name: &str, score: Option<f32>| score.map(|score| format!("{name} {score:.3}"));
    let sides = [of("words", hit.lexical), of("meaning", hit.dense)];
    let sides: Vec<String> = sides.into_iter().flatten().collect();
    format!("  score {:.3} ({})", hit.score, sides.join(", "))
}
