//! `retune status`: shows what an index is and holds.

use std::path::Path;

use retune::{Coverage, Result, Status};

use super::args::Place;
#[cfg(feature = "opensearch")]
use super::args::Store;
use super::file_status;
use super::print::{Output, Text, folded, records};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Show what became of this file instead: why it was skipped, or how it was cut and whether its vectors are there.
    #[arg(value_name = "FILE")]
    #[cfg_attr(feature = "opensearch", arg(conflicts_with = "store"))]
    file: Option<String>,
    #[command(flatten)]
    place: Place,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(args.place.is_named() || args.file.is_some()) {
        let cluster = retune::cluster::Cluster::open(&store, &args.place.options())?;
        return out.print(&cluster.status()?, |status| folded(text_on_cluster(status)));
    }
    if let (None, Some(served)) = (&args.file, args.place.served()) {
        let index = args.place.existing()?;
        return out.print(&served.whole_status()?, |status| folded(text(status, &index)));
    }
    let engine = args.place.open_without_model()?;
    if let Some(file) = &args.file {
        file_status::run(&engine, file, out)?;
        return engine.close();
    }
    out.print(&engine.status()?, |status| folded(text(status, engine.path())))?;
    engine.close()
}

#[cfg(feature = "opensearch")]
fn text_on_cluster(status: &retune::cluster::ClusterStatus) -> Text {
    let Coverage { encoded, chunks, .. } = status.coverage;
    let mut text = Text::of(format!("{}: {} documents, {chunks} chunks", status.store, status.documents));
    text.line(format!("generation {} · weights {:.12}…", status.generation, status.weights.to_string()));
    if encoded < chunks {
        text.line(format!("{encoded} of {chunks} chunks have vectors, the others are found by their words"));
    }
    if let Some(nodes) = &status.nodes {
        text.line(format!("{} nodes, {}", nodes.count, nodes.health));
    }
    if let Some(encoding) = &status.encoding {
        let retune::cluster::EncodingStatus { done, total, slices_done, slices, workers, .. } = encoding;
        text.line(format!(
            "a round has passages encoded: {done} of {total}, {slices_done} of {slices} slices, by {workers} processes"
        ));
    }
    text.line(format!("feedback: {}", records(status.queries as usize, status.judgements as usize)));
    text
}

fn text(status: &Status, index: &Path) -> Text {
    let generation = &status.generation;
    let megabytes = status.bytes as f64 / 1e6;
    let mut text = Text::of(format!(
        "{}: {} documents, {} chunks, {megabytes:.1} MB on disk",
        index.display(),
        status.documents,
        status.chunks
    ));
    for folder in &status.folders {
        let ids = if folder.name.is_empty() { String::new() } else { format!(" as {}://", folder.name) };
        text.line(format!("follows {}{ids}", folder.path.display()));
    }
    text.line(format!(
        "generation {} · {} dimensions · {} · weights {:.12}…",
        generation.id,
        generation.dimensions,
        generation.fusion,
        generation.weights.to_string(),
    ));
    text.line(format!(
        "encoder on {}, documents in {}, queries in {}",
        generation.hardware(),
        generation.precisions.documents,
        generation.precisions.queries,
    ));
    if let Some(weights) = generation.query_weights {
        text.line(format!(
            "queries have an encoder of their own, weights {weights:.12}…",
            weights = weights.to_string()
        ));
    }
    if !status.coverage.is_complete() {
        let Coverage { encoded, chunks, .. } = status.coverage;
        text.line(format!(
            "{encoded} of {chunks} chunks have vectors, the others are found by their words; `retune index` goes on"
        ));
    }
    for file in &status.damaged_files {
        text.line(format!("{} is damaged", file.display()));
    }
    if let Some(folder) = status.damaged_files.first().and_then(|file| file.parent()) {
        text.line(format!(
            "to repair it, restore {0} from a copy, or delete {0} and index the documents again; \
             what was learnt stays",
            folder.display()
        ));
    }
    if !status.kept_generations.is_empty() {
        let kept: Vec<String> = status.kept_generations.iter().map(ToString::to_string).collect();
        text.line(format!("kept for a rollback: {}", kept.join(", ")));
    }
    if let Some(trial) = &status.trial {
        text.line(format!("on trial: generation {}, {}", trial.candidate, trial.verdict()));
    }
    if let Some(log) = &status.feedback {
        let damage = match log.dropped > 0 || log.damaged_bytes > 0 {
            true => format!("; {} records lost, {} damaged bytes", log.dropped, log.damaged_bytes),
            false => String::new(),
        };
        let records = records(log.impressions as usize, log.judgements as usize);
        text.line(format!("feedback: {records}{damage}"));
    }
    if let Some(round) = &status.last_round {
        text.line(format!("last round {}: {}", round.round, round.gate.reason));
    }
    text
}
