//! The answer to a query, for a reader.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use retune::terminal::{stands, width};
use retune::{Answer, Hit};

use super::counted::counted;
use super::excerpt::{Excerpt, wrapped};
use super::text::{Line, Text};
use super::width::columns;

const TITLE: Style = Style::new().bold();
const PLACE: Style = AnsiColor::Cyan.on_default();
const ASIDE: Style = Style::new().dimmed();
const MATCHING: Style = AnsiColor::Yellow.on_default().bold();

/// Columns before what is said of a hit.
const INDENT: &str = "    ";

/// The answer for a reader. `folder` is where the hits' files are, if the index follows one; `url` is what the name of
/// a hit's file is to be a link to, as [`Links`](super::Links) makes it.
pub(crate) fn answer_text(
    answer: &Answer,
    folder: Option<&Path>,
    url: &dyn Fn(&Hit) -> Option<String>,
) -> Text {
    let id = if answer.logged { format!("query {}", answer.query_id) } else { "not logged".into() };
    let head = format!(
        "{id} · generation {} · {} · {:.1} ms{}{}",
        answer.generation,
        answer.mode.name(),
        answer.took_ms.total,
        covered(answer),
        folder.and_then(elsewhere).map(|folder| format!(" · in {}", folder.display())).unwrap_or_default()
    );
    let mut text = Text::of(Line::default().with(ASIDE, &head));
    if answer.hits.is_empty() {
        text.line(match answer.coverage.chunks {
            0 => "nothing found: the index holds no document",
            _ => "nothing found",
        });
    }
    let columns = columns() - INDENT.len();
    for hit in &answer.hits {
        text.empty_line();
        let mut before = Line::from(format!("{:>2}. ", hit.rank));
        for line in hit_lines(hit, url(hit).as_deref(), columns) {
            text.line(before.followed_by(&line));
            before = Line::from(INDENT);
        }
    }
    text
}

/// How much had vectors, if that is not all.
fn covered(answer: &Answer) -> String {
    match answer.coverage.is_complete() {
        true => String::new(),
        // Rounded down: it is not all of them.
        false => format!(" · vectors for {:.0} % so far", (answer.coverage.share() * 100.0).floor()),
    }
}

/// The title, the place, the scores and the excerpt of a hit.
fn hit_lines(hit: &Hit, url: Option<&str>, columns: usize) -> Vec<Line> {
    let excerpt = Excerpt::of(hit, columns, MATCHING);
    let mut lines = title(hit).map(|title| wrapped(title, columns, TITLE)).unwrap_or_default();
    let place = stands(&hit.document, &hit.place_at(excerpt.start));
    let styled = Line::default().with(PLACE, &place);
    let styled = url.map(|url| styled.clone().linked(url)).unwrap_or(styled);
    let scores = scores(hit);
    match width(&place) + 2 + width(&scores) <= columns {
        true => lines.push(styled.and("  ").with(ASIDE, &scores)),
        false => lines.extend([styled, Line::default().with(ASIDE, &scores)]),
    }
    lines.extend(excerpt.lines);
    if !hit.also_in.is_empty() {
        lines.extend(wrapped(&also_in(&hit.also_in), columns, ASIDE));
    }
    lines
}

/// How many documents are found, and their values.
pub(crate) fn facets_text(answer: &Answer) -> Text {
    const SHOWN: usize = 12;
    let mut text = Text::default();
    let Some(total) = answer.total else { return text };
    text.empty_line();
    text.line(counted(total, "document", "documents"));
    for (field, counts) in &answer.facets {
        let values = counts.iter().take(SHOWN).map(|one| format!("{} {}", one.value, one.documents));
        let more = counts.len().saturating_sub(SHOWN);
        let more = (more > 0).then(|| format!("and {more} more"));
        let line = format!("{field}: {}", values.chain(more).collect::<Vec<_>>().join(" · "));
        wrapped(&line, columns(), Style::new()).into_iter().for_each(|line| text.line(line));
    }
    text
}

/// Some of the other documents with the same passage, and how many there are.
fn also_in(documents: &[String]) -> String {
    const NAMED: usize = 3;
    let more = documents.len().saturating_sub(NAMED);
    let named = documents[..documents.len() - more].join(", ");
    match more {
        0 => format!("also in {named}"),
        _ => format!("also in {named} and {more} more"),
    }
}

/// The folder that the places of hits are in, if it is not the current one.
fn elsewhere(folder: &Path) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?.canonicalize().ok()?;
    folder.canonicalize().ok().filter(|folder| *folder != here)
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
    format!("score {:.3} ({})", hit.score, sides.join(", "))
}
