//! `retune mcp`: the index as tools for agents, over standard input and output.

use retune::Result;
use retune::mcp::{Index, serve_stdio};

use super::args::Place;
#[cfg(feature = "opensearch")]
use super::args::{Store, open_on_cluster};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let place = args.place.clone();
    let (options, is_usual) = (place.options(), place.model.is_usual());
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(place.is_named()) {
        return serve_stdio(Index::opened(move || open_on_cluster(&store, &options)));
    }
    let index = Index::found(move || place.existing(), options);
    serve_stdio(if is_usual { index } else { index.without_service() })
}
