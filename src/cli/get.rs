//! `retune get DOC[:LINE[:COUNT]]`: prints the text of a document.

use std::cmp::Ordering;
use std::io::IsTerminal;
use std::path::PathBuf;

use retune::documents::{StoredDocument, StoredPassage};
use retune::{Error, Reader, Result};
use serde::Serialize;

#[cfg(feature = "opensearch")]
use super::args::Store;
use super::args::StoredPlace;
use super::print::{Output, Text, raw};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The document, as `retune search` names it, or its file. Behind it `:LINE` for the text from that line on,
    /// `:LINE:COUNT` for so many lines, or the place of what is no text: `#page=3`, `#slide=2`, `#sheet=Budget`,
    /// `#row=12`, `#chapter=4`, `#message=7`, `#cell=5`.
    #[arg(value_name = "DOC[:LINE[:COUNT]]")]
    document: String,
    #[command(flatten)]
    place: StoredPlace,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
}

/// What of a document is asked for.
#[derive(Debug, PartialEq)]
struct Asked<'a> {
    document: &'a str,
    part: Part<'a>,
}

#[derive(Debug, PartialEq)]
enum Part<'a> {
    All,
    Lines {
        first: usize,
        count: usize,
    },
    /// The passages whose place has this value under this name.
    At {
        name: &'a str,
        value: &'a str,
    },
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    document: StoredDocument,
    /// What is asked for of it.
    text: String,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(args.place.is_named()) {
        let cluster = args.place.open_cluster(&store)?;
        let (document, part) = find(&|id| cluster.get(id), &args.document)?;
        let text = text(&document, &part, || Ok(joined(&document.passages)))?;
        return print(Report { document, text }, out);
    }
    let engine = args.place.open()?;
    let (document, part) = find(&|named| by_id_or_file(&engine, named), &args.document)?;
    let text = text(&document, &part, || whole(&engine, &document))?;
    engine.close()?;
    print(Report { document, text }, out)
}

/// The part that is asked for. `whole` gives the whole text.
fn text(
    document: &StoredDocument,
    part: &Part<'_>,
    whole: impl FnOnce() -> Result<String>,
) -> Result<String> {
    Ok(match part {
        Part::At { name, value } => at(document, name, value)?,
        Part::All => whole()?,
        Part::Lines { first, count } => {
            let text = whole()?;
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            if *first > lines.len() {
                return Err(missing("line", first, document, format!("it has {} lines", lines.len())));
            }
            lines.into_iter().skip(first - 1).take(*count).collect()
        }
    })
}

fn print(report: Report, out: &Output) -> Result<()> {
    if out.is_json() || std::io::stdout().is_terminal() {
        return out.print(&report, |report| {
            let mut text = Text::default();
            report.text.lines().for_each(|line| text.line(line.replace('\t', "    ")));
            text
        });
    }
    // A program gets the text itself.
    raw(report.text.as_bytes())
}

/// The document with this id, else that of the file with this name.
fn by_id_or_file(engine: &Reader, named: &str) -> Result<Option<StoredDocument>> {
    let of_file = || engine.id_of_file(&PathBuf::from(named)).ok().flatten();
    match engine.get(named)? {
        Some(found) => Ok(Some(found)),
        None => of_file().map(|id| engine.get(&id)).transpose().map(Option::flatten),
    }
}

/// The document that is meant, and what of it. The longest name by which `get` knows one counts.
fn find<'a>(
    get: &dyn Fn(&str) -> Result<Option<StoredDocument>>,
    named: &'a str,
) -> Result<(StoredDocument, Part<'a>)> {
    for asked in readings(named) {
        if let Some(found) = get(asked.document)? {
            return Ok((found, asked.part));
        }
    }
    Err(Error::NotFound {
        what: "document",
        id: format!("{named:?}"),
        remedy: "name one as `retune files` lists them; `retune status FILE` says why a file is not among them",
    })
}

/// In what ways an argument can be read, the longest name first.
fn readings(named: &str) -> Vec<Asked<'_>> {
    let mut readings = vec![Asked { document: named, part: Part::All }];
    let number = |text: &str| text.parse::<usize>().ok().filter(|&number| number > 0);
    if let Some((document, last)) = named.rsplit_once(':')
        && let Some(last) = number(last)
    {
        readings.push(Asked { document, part: Part::Lines { first: last, count: usize::MAX } });
        if let Some((document, first)) = document.rsplit_once(':')
            && let Some(first) = number(first)
        {
            readings.push(Asked { document, part: Part::Lines { first, count: last } });
        }
    }
    if let Some((document, place)) = named.rsplit_once('#')
        && let Some((name, value)) = place.split_once('=')
    {
        readings.push(Asked { document, part: Part::At { name, value } });
    }
    readings
}

/// The whole text: of a text file as it is now, if the passages still stand in it; else as the index holds it.
fn whole(engine: &Reader, document: &StoredDocument) -> Result<String> {
    let file = engine.path_of(&document.id)?.filter(|path| path.is_file());
    let text = file.and_then(|path| std::fs::read(path).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    let stands = |text: &String| {
        let found = |one: &StoredPassage| text.get(one.start as usize..one.end as usize) == Some(&one.text);
        document.passages.iter().all(found)
    };
    Ok(text.filter(stands).unwrap_or_else(|| joined(&document.passages)))
}

fn joined(passages: &[StoredPassage]) -> String {
    passages.iter().map(|passage| passage.text.trim_end().to_string() + "\n").collect::<Vec<_>>().join("\n")
}

/// The passages at a place; where none begins there, the one that reaches over it.
fn at(document: &StoredDocument, name: &str, value: &str) -> Result<String> {
    let value_of = |passage: &StoredPassage| {
        let place = serde_json::to_value(&passage.place).unwrap_or_default();
        place.get(name).map(|found| found.as_str().map_or_else(|| found.to_string(), str::to_string))
    };
    let values: Vec<Option<String>> = document.passages.iter().map(value_of).collect();
    let there: Vec<usize> = (0..values.len()).filter(|&at| values[at].as_deref() == Some(value)).collect();
    if let (Some(&first), Some(&last)) = (there.first(), there.last()) {
        return Ok(joined(&document.passages[first..=last]));
    }
    let number = |text: &String| text.parse::<u32>().ok();
    let order = |found: &Option<String>| Some(number(found.as_ref()?)?.cmp(&number(&value.to_string())?));
    let before = values.iter().rposition(|found| order(found).is_some_and(Ordering::is_lt));
    let goes_on = values.iter().any(|found| order(found).is_some_and(Ordering::is_gt));
    if let Some(before) = before.filter(|_| goes_on) {
        return Ok(joined(&document.passages[before..=before]));
    }
    let known: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
    let known = match (known.first(), known.last()) {
        (Some(first), Some(last)) => format!("it has {first} to {last}"),
        _ => format!("nothing in it has a {name}"),
    };
    Err(missing(name, value, document, known))
}

fn missing(what: &str, value: impl ToString, document: &StoredDocument, has: String) -> Error {
    Error::Invalid {
        what: "the part of a document",
        found: format!("the {what} {} of {:?}", value.to_string(), document.id),
        expected: format!("one that it has: {has}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_read_in_every_way_that_it_can_be() {
        let parts =
            |named| readings(named).into_iter().map(|one| (one.document, one.part)).collect::<Vec<_>>();
        let lines = |first, count| Part::Lines { first, count };
        assert_eq!(parts("a.md"), [("a.md", Part::All)]);
        assert_eq!(
            parts("a.md:4:10"),
            [("a.md:4:10", Part::All), ("a.md:4", lines(10, usize::MAX)), ("a.md", lines(4, 10))]
        );
        assert_eq!(
            parts("work://a.md:7"),
            [("work://a.md:7", Part::All), ("work://a.md", lines(7, usize::MAX))]
        );
        assert_eq!(parts("a.md:0"), [("a.md:0", Part::All)]);
        let page = Part::At { name: "page", value: "3" };
        assert_eq!(parts("b.pdf#page=3"), [("b.pdf#page=3", Part::All), ("b.pdf", page)]);
    }
}
