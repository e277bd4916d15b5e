//! The page of a round of learning.

mod evidence;
mod gate;
mod negatives;
mod queries;
mod training;
mod trial;

use super::markup::{paragraph, section, table};
use super::parts::Parts;
use crate::error::Result;
use crate::{Decision, RoundReport};

impl Parts for RoundReport {
    fn title(&self) -> String {
        title(self)
    }

    fn content(&self) -> Result<String> {
        let mut content = paragraph(&self.gate.reason);
        content.push_str(&paragraph(&format!(
            "The round read the log at {} and took {:.0} seconds: {} training rows, {} held-out queries. {}Generation \
             {} answers now.",
            utc(self.started_ms),
            self.seconds.total,
            self.examples,
            self.held_out,
            if self.dry_run { "Nothing was changed. " } else { "" },
            self.generation
        )));
        content.push_str(&gate::gate(self)?);
        content.push_str(&trial::trial(self)?);
        content.push_str(&queries::queries(self));
        content.push_str(&evidence::evidence(self));
        content.push_str(&training::training(self)?);
        content.push_str(&negatives::similarities(self)?);
        content.push_str(&negatives::difficulty(self)?);
        content.push_str(&sources(self));
        content.push_str(&time(self));
        Ok(content)
    }
}

fn title(report: &RoundReport) -> String {
    let what = match (report.gate.decision, report.tier, report.dry_run) {
        (Decision::Published, Some(tier), false) => format!("published {tier}"),
        (Decision::Published, Some(tier), true) => format!("would publish {tier}"),
        (Decision::OnTrial, _, false) => "on trial".into(),
        (Decision::OnTrial, _, true) => "would go on trial".into(),
        (decision, _, false) => decision.name().to_string(),
        (decision, _, true) => format!("would be {}", decision.name()),
    };
    let kind = if report.dry_run { "Dry run of round" } else { "Round" };
    format!("{kind} {}: {what}", report.round)
}

/// The sources of negatives, what was dropped and what was masked.
fn sources(report: &RoundReport) -> String {
    let count = |(what, count): (&str, u64)| vec![what.replace('_', " "), count.to_string()];
    let sources =
        report.sources.iter().map(|(what, number)| count((what.as_str(), *number))).collect::<Vec<_>>();
    let mut content = match sources.is_empty() {
        true => paragraph("No negatives were mined: the round ended before."),
        false => table("Where negatives came from, and what was left out", &["what", "number"], &sources),
    };
    if let Some(training) = &report.training {
        let masked = training.masked;
        let rows = [
            ("pairs of an anchor and a candidate", masked.looked_at),
            ("hidden as known answers", masked.known_answer),
            ("hidden as nearly the positive", masked.near_positive),
            ("hidden as suspected answers", masked.suspected),
        ];
        let rows: Vec<Vec<String>> = rows.into_iter().map(count).collect();
        content.push_str(&table(
            "Candidates that were hidden from anchors, over all steps",
            &["what", "number"],
            &rows,
        ));
    }
    section("sources", "Sources", &content)
}

fn time(report: &RoundReport) -> String {
    let seconds = report.seconds;
    let stages = [
        ("collect", seconds.collect),
        ("train", seconds.train),
        ("gate", seconds.gate),
        ("reindex", seconds.reindex),
        ("publish", seconds.publish),
        ("the whole round", seconds.total),
    ];
    let rows: Vec<Vec<String>> =
        stages.into_iter().map(|(stage, seconds)| vec![stage.to_string(), format!("{seconds:.1}")]).collect();
    section("time", "Time", &table("Where the time went", &["stage", "seconds"], &rows))
}

/// The UTC time, to the minute, of a number of milliseconds since the Unix epoch (days to dates: Hinnant,
/// "chrono-compatible low-level date algorithms").
fn utc(ms: u64) -> String {
    let (days, minutes) = (ms / 86_400_000, ms / 60_000 % 1440);
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + carry;
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        // date -u -d @…
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_827_696, "2000-02-29 12:34 UTC"),
            (4_107_542_399, "2100-02-28 23:59 UTC"),
            (1_767_225_600, "2026-01-01 00:00 UTC"),
        ] {
            assert_eq!(utc(seconds * 1000), expected);
        }
    }
}
