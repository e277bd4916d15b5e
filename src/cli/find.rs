//! `retune find [QUERY]`: a finder in the terminal.

use std::io::{IsTerminal, stderr, stdin, stdout};

use anstream::{AutoStream, ColorChoice};
use retune::access::{Access, Own};
use retune::find::{FindOptions, Look, Picked, Source, Stream};
use retune::{Error, Result};
use serde::Serialize;

use super::args::Place;
#[cfg(feature = "opensearch")]
use super::args::{Store, open_on_cluster};
use super::editor;
use super::print::{Output, Text, raw, without_log};

#[derive(clap::Args)]
pub(super) struct Args {
    /// What is typed already.
    query: Vec<String>,
    /// Print the path of the first document that is picked instead of opening it, and end:
    /// `vim "$(retune find --print)"`.
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    place: Place,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
}

#[derive(Serialize)]
struct Report {
    document: String,
    path: String,
    place: retune::Place,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let options = options(args)?;
    let source = source(args)?;
    let picked = without_log(|| retune::find::run(source, &options, &mut show))?;
    picked.map_or(Ok(()), |picked| tell(picked, out))
}

/// What answers.
fn source(args: &Args) -> Result<Source> {
    let place = args.place.clone();
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(place.is_named()) {
        if args.print {
            return Err(Error::Invalid {
                what: "--print with an index on a cluster",
                found: store,
                expected: "an index of this machine, which knows where its files lie".into(),
            });
        }
        return Source::new(move || open_on_cluster(&store, &place.options()));
    }
    Source::new(move || match place.served() {
        Some(served) => Ok(Access::Served(served)),
        None => place.open_without_model().map(|reader| Access::Own(Own::reading(reader))),
    })
}

fn show(picked: &Picked) -> Result<Look> {
    editor::open(&picked.path, &picked.place)
}

/// What the terminal can do.
fn options(args: &Args) -> Result<FindOptions> {
    let refused = |found: &str| Error::Invalid {
        what: "this terminal for the finder",
        found: found.into(),
        expected: "a terminal that draws; `retune search QUERY` prints results anywhere".into(),
    };
    let (stream, name, is_terminal) = match args.print {
        true => (Stream::Error, "standard error", stderr().is_terminal()),
        false => (Stream::Output, "standard output", stdout().is_terminal()),
    };
    if !stdin().is_terminal() {
        return Err(refused("standard input that is none"));
    }
    if !is_terminal {
        return Err(refused(&format!("{name} that is none")));
    }
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(refused("TERM=dumb"));
    }
    let colours = match stream {
        Stream::Output => AutoStream::choice(&stdout()),
        Stream::Error => AutoStream::choice(&stderr()),
    };
    let options = FindOptions::default().with_query(args.query.join(" "));
    let options = options.with_colours(colours != ColorChoice::Never);
    Ok(if args.print { options.giving(stream) } else { options })
}

/// A program gets the path itself.
fn tell(picked: Picked, out: &Output) -> Result<()> {
    let Picked { document, path, place, .. } = picked;
    let path = path.display().to_string();
    if out.is_json() || stdout().is_terminal() {
        return out.print(&Report { document, path, place }, |report| Text::of(report.path.as_str()));
    }
    raw(format!("{path}\n").as_bytes())
}
