//! The hybrid by its dense weight.

use retune::eval::{AveragedOver, Metric, Qrels, Run, evaluate};
use retune::{Engine, Fusion, Mode, Result};

use super::collection::{Ranking, of_queries};
use super::output::Output;

/// Weights from 0 to 1, apart from each other by one of so many steps.
const STEPS: u8 = 10;

/// The means of a metric by weight. `ranking` is how the hybrid was measured; it is as deep here, but only the documents that
/// the metric looks at are fetched.
pub(super) fn by_weight(
    engine: &Engine,
    queries: &[(String, String)],
    qrels: &Qrels,
    (metric, ranking): (Metric, Ranking),
    out: &Output,
) -> Result<Vec<(f64, f64)>> {
    let bar = out.bar("weights", queries.len() as u64);
    let weights: Vec<f64> = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS)).collect();
    let mut sums = vec![0.0; weights.len()];
    // All weights of one query after each other: its vector is remembered, those of all queries may not be.
    for query in queries {
        let judged = of_queries(qrels, std::slice::from_ref(query));
        for (sum, &weight) in sums.iter_mut().zip(&weights) {
            let fusion = Fusion::Convex { dense_weight: weight as f32 };
            let asked =
                Ranking { mode: Mode::Hybrid, fusion: Some(fusion), limit: metric.depth(), ..ranking };
            let mut run = Run::new();
            run.insert(&query.0, asked.of(engine, query)?)?;
            *sum += evaluate(&run, &judged, &[metric], AveragedOver::Judged).mean(metric).unwrap_or(0.0);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mean = |sum: f64| sum / queries.len().max(1) as f64;
    Ok(weights.into_iter().zip(sums.into_iter().map(mean)).collect())
}
