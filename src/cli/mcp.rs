//! `retune mcp`: the index as tools for agents, over standard input and output.

use retune::Result;
use retune::mcp::{Index, serve_stdio};

use super::args::Place;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let place = args.place.clone();
    let (options, is_usual) = (place.options(), place.model.is_usual());
    let index = Index::found(move || place.existing(), options);
    serve_stdio(if is_usual { index } else { index.without_service() })
}
