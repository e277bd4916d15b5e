//! The guard: another collection, which is not trained on and should not get worse.

use std::ops::ControlFlow;

use super::by_mode::ByMode;
use super::progress::Progress;
use super::scores::score_modes;
use super::test_set::TestSet;
use crate::error::{Error, Result};
use crate::eval::{Evaluation, Figures, Metric};
use crate::{Engine, Options};

/// Options for measuring a guard.
pub(super) struct Measures<'a> {
    pub(super) depth: usize,
    pub(super) metrics: &'a [Metric],
}

/// Measures a guard in a temporary index with an engine's encoders and fusion. Other index settings come from
/// `options`.
pub(super) fn measure_guard(
    engine: &Engine,
    guard: &TestSet,
    options: Options,
    measures: &Measures<'_>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<ByMode<Figures>> {
    let folder =
        tempfile::tempdir().map_err(Error::io("create a folder in", std::env::temp_dir().as_path()))?;
    let options = options.with_fusion(engine.status()?.generation.fusion).with_model(engine.model_folder());
    let other = Engine::open(folder.path().join("index"), options)?;
    guard.add_to(&other, progress)?;
    other.adopt_query_side(engine)?;
    let scores = score_modes(&other, &guard.split, measures.depth, measures.metrics, progress)?;
    other.close()?;
    Ok(scores.map(Evaluation::means))
}
