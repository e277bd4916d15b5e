//! The page of a comparison: runs compared with a first one.

use super::colours::{EQUAL, GAINED, LOST};
use super::markup::{cut, figure, figures, heading, key, paragraph, section, signed, table, texts};
use super::parts::Parts;
use super::plots::{Axes, Series, clouds, gains};
use crate::error::Result;
use crate::eval::{Change, Comparison};

/// Runs compared with a first one, ready to be drawn.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ComparisonReport {
    /// The name of the first run.
    pub first: String,
    /// Run by run, metric by metric: see [`Comparison::of_all`]. The plots show each run's first metric.
    pub comparisons: Vec<Comparison>,
    /// How many queries to name of those won most, and of those lost most. Default 5.
    pub most: usize,
}

impl ComparisonReport {
    /// Comparisons with the run called `first`.
    pub fn new(first: impl Into<String>, comparisons: Vec<Comparison>) -> ComparisonReport {
        ComparisonReport { first: first.into(), comparisons, most: 5 }
    }

    /// Sets [`most`](ComparisonReport::most).
    pub fn with_most(mut self, most: usize) -> ComparisonReport {
        self.most = most;
        self
    }
}

impl Parts for ComparisonReport {
    fn title(&self) -> String {
        format!("Comparison with {}", self.first)
    }

    fn content(&self) -> Result<String> {
        let mut content =
            paragraph(&format!("A is {}, the run that the others are compared with.", self.first));
        content.push_str(&self.tests());
        // The first metric begins a run's comparisons. Its name would not do: the same run may be given twice.
        let runs = self.comparisons.chunk_by(|_, next| next.metric != self.comparisons[0].metric);
        let mut drawn = String::new();
        for one in runs.filter_map(<[Comparison]>::first) {
            drawn.push_str(&self.queries(one)?);
        }
        content.push_str(&section("queries", "Queries", &drawn));
        Ok(content)
    }
}

impl ComparisonReport {
    fn tests(&self) -> String {
        let row = |one: &Comparison| {
            let mut row = vec![format!("{}, {}", one.run, one.metric)];
            row.extend([one.first, one.second].map(|mean| format!("{mean:.4}")));
            row.push(signed(one.difference));
            row.push(format!("{} to {}", signed(one.interval.low), signed(one.interval.high)));
            row.extend([one.p_value, one.p_holm].map(|p| format!("{p:.4}")));
            row.extend([one.won, one.lost, one.tied].map(|count| count.to_string()));
            row
        };
        let rows: Vec<Vec<String>> = self.comparisons.iter().map(row).collect();
        let head = [
            "run and metric",
            "A",
            "this",
            "difference",
            "95 % interval",
            "p",
            "p (Holm)",
            "won",
            "lost",
            "tied",
        ];
        let caption = "Means over queries, bootstrap intervals and paired randomisation tests";
        let note = format!(
            "p is the probability of such a difference by chance. p (Holm) is corrected for all {} comparisons.",
            rows.len()
        );
        section("tests", "Means and tests", &(texts(caption, &head, &rows) + &paragraph(&note)))
    }

    /// One run and metric, query by query.
    fn queries(&self, one: &Comparison) -> Result<String> {
        let Comparison { run, metric, changes, .. } = one;
        let of = |colour, side: fn(f64) -> bool| Series {
            colour,
            points: changes
                .iter()
                .filter(|change| side(change.difference()))
                .map(|change| (change.first, change.second))
                .collect(),
        };
        let series = [of(GAINED, |d| d > 0.0), of(EQUAL, |d| d == 0.0), of(LOST, |d| d < 0.0)];
        let (first, second) = (format!("{metric} of A"), format!("{metric} of this run"));
        let axes = Axes { x: &first, y: &second };
        let scatter = clouds(&format!("each query by its scores in A and in {run}"), axes, &series)?;
        let differences: Vec<f64> = changes.iter().map(Change::difference).collect();
        let axes = Axes { x: "queries, by their difference", y: "this run minus A" };
        let label = format!("the differences of the queries between {run} and A");
        let sorted = gains(&label, axes, &differences)?;
        let [won, tied, lost] =
            [(one.won, "won"), (one.tied, "tied"), (one.lost, "lost")].map(|(n, what)| format!("{n} {what}"));
        let keys = [key(GAINED, &won), key(LOST, &lost), key(EQUAL, &tied)];
        let mut html = heading(&format!("{run}: {metric}"));
        html.push_str(&figures(&[
            figure("Query by query", &keys, &scatter),
            figure("Differences in order", &keys[..2], &sorted),
        ]));
        let row = |change: &Change| {
            let values = [change.first, change.second].map(|value| format!("{value:.4}"));
            let difference = signed(change.difference());
            [vec![cut(&change.query)], values.to_vec(), vec![difference]].concat()
        };
        let head = ["query", "A", "this", "difference"];
        let (won, lost): (Vec<_>, Vec<_>) =
            (one.won_most(self.most).map(row).collect(), one.lost_most(self.most).map(row).collect());
        let most = [("Queries won most", won), ("Queries lost most", lost)];
        html.push_str(&figures(&most.map(|(caption, rows)| table(caption, &head, &rows))));
        Ok(html)
    }
}
