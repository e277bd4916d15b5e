//! `retune status`: shows what an index is and holds.

use retune::{Result, Status};

use super::args::Place;
use super::print::Output;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let engine = args.place.open_without_model()?;
    out.print(&engine.status()?, text)?;
    engine.close()
}

fn text(status: &Status) -> String {
    let generation = &status.generation;
    let mut text = format!(
        "{} documents, {} chunks, {:.1} MB on disk\ngeneration {} · {} dimensions · {} · weights {:.12}…\n\
         encoder on {}, documents in {}, queries in {}",
        status.documents,
        status.chunks,
        status.bytes as f64 / 1e6,
        generation.id,
        generation.dimensions,
        generation.fusion,
        generation.weights.to_string(),
        generation.hardware(),
        generation.precisions.documents,
        generation.precisions.queries,
    );
    if let Some(weights) = generation.query_weights {
        text.push_str(&format!(
            "\nqueries have an encoder of their own, weights {weights:.12}…",
            weights = weights.to_string()
        ));
    }
    if generation.missing_vectors > 0 {
        text.push_str(&format!("\n{} chunks have no vector", generation.missing_vectors));
    }
    for file in &status.damaged_files {
        text.push_str(&format!("\n{} is damaged", file.display()));
    }
    if let Some(folder) = status.damaged_files.first().and_then(|file| file.parent()) {
        text.push_str(&format!(
            "\nto repair it, restore {0} from a copy, or delete {0} and index the documents again; \
             what was learnt stays",
            folder.display()
        ));
    }
    if !status.kept_generations.is_empty() {
        let kept: Vec<String> = status.kept_generations.iter().map(ToString::to_string).collect();
        text.push_str(&format!("\nkept for a rollback: {}", kept.join(", ")));
    }
    if let Some(log) = &status.feedback {
        text.push_str(&format!("\nfeedback: {} queries, {} judgements", log.impressions, log.judgements));
        if log.dropped > 0 || log.damaged_bytes > 0 {
            text.push_str(&format!("; {} records lost, {} damaged bytes", log.dropped, log.damaged_bytes));
        }
    }
    if let Some(round) = &status.last_round {
        text.push_str(&format!("\nlast round {}: {}", round.round, round.gate.reason));
    }
    text
}
