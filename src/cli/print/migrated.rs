//! What a migration has done.

use std::path::Path;

use retune::cluster::{MigrateReport, RestoreReport};

use super::text::Text;

pub(crate) fn migrated_text(report: &MigrateReport) -> Text {
    let MigrateReport { name, generation, chunks, encoded, sent, weights_bytes, seconds, behind, .. } =
        report;
    let mut text = Text::of(format!("{name} on the cluster: generation {generation} serves"));
    let rate = *sent as f64 / seconds.max(f64::EPSILON);
    let passages = format!("{chunks} passages, {encoded} with a vector");
    text.line(match *sent == *chunks {
        true => format!("{passages}, in {seconds:.1} s ({rate:.0}/s)"),
        false if *sent == 0 => format!("{passages}, all of them there already, in {seconds:.1} s"),
        false => format!("{passages}, {sent} sent or removed, in {seconds:.1} s"),
    });
    if *weights_bytes > 0 {
        text.line(format!("{:.1} MB of trained weights sent", *weights_bytes as f64 / 1e6));
    }
    if *behind {
        text.line("documents that were changed on the cluster itself stay as they are there");
        text.line("those that were changed here since the last migration are not there");
        text.line("before the next round: retune migrate NEW_DIR --store URL --back");
    }
    text
}

pub(crate) fn restored_text(report: &RestoreReport, index: &Path) -> Text {
    let RestoreReport { name, generation, chunks, encoded, seconds, .. } = report;
    let mut text = Text::of(format!("generation {generation} of {name} is in {}", index.display()));
    text.line(format!("{chunks} passages, {encoded} with a vector, in {seconds:.1} s"));
    text
}
