//! What a migration has done.

use retune::cluster::MigrateReport;

use super::text::Text;

pub(crate) fn migrated_text(report: &MigrateReport) -> Text {
    let MigrateReport { name, generation, chunks, encoded, sent, weights_bytes, seconds, .. } = report;
    let mut text = Text::of(format!("{name}: generation {generation} serves"));
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
    text
}
