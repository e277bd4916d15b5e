//! How the encoder was trained: loss, gradient norm and learning rate.

use super::super::colours::{AFTER, GRADIENT, RATE};
use super::super::markup::{figure, figures, paragraph, section, table};
use super::super::plots::{Axes, Series, lines};
use crate::RoundReport;
use crate::error::Result;
use crate::learn::{NegativeScope, StepReport, TrainingStart};

/// The steps of a round.
pub(super) fn training(report: &RoundReport) -> Result<String> {
    let Some(training) = &report.training else {
        return Ok(section("training", "Training", &paragraph("The encoder was not trained.")));
    };
    let over_steps = |title: &str, unit: &str, colour, of: &dyn Fn(&StepReport) -> f64| -> Result<String> {
        let points = training.steps.iter().map(|step| (step.step as f64, of(step))).collect();
        let axes = Axes { x: "step", y: unit };
        let svg = lines(&format!("{title} over the steps"), axes, &[Series { colour, points }])?;
        Ok(figure(title, &[], &svg))
    };
    let mut content = figures(&[
        over_steps("Loss", "mean over rows (nats)", AFTER, &|step| f64::from(step.loss))?,
        over_steps("Gradient norm before clipping", "L2 norm", GRADIENT, &|step| step.grad_norm)?,
        over_steps("Learning rate", "rate", RATE, &|step| step.learning_rate)?,
    ]);
    let scope = match training.scope {
        NegativeScope::Batch => "every anchor of the batch",
        NegativeScope::OwnAnchor => "their own anchor",
        NegativeScope::Auto => "by the corpus",
    };
    let start = match training.start {
        TrainingStart::FirstModel => "the model that the index was created with",
        TrainingStart::Serving => "the serving encoder",
    };
    let mut facts = vec![
        vec!["starts from".to_string(), start.into()],
        vec!["steps".to_string(), training.steps.len().to_string()],
        vec!["hard negatives are shown to".into(), format!("{scope} ({})", training.scope_reason)],
    ];
    if let Some(step) = training.resumed_at {
        facts.push(vec!["resumed from a checkpoint after step".into(), step.to_string()]);
    }
    if training.stopped_by_time {
        facts.push(vec!["stopped by the time limit".into(), "yes".into()]);
    }
    content.push_str(&table("How it was trained", &["what", "value"], &facts));
    Ok(section("training", "Training", &content))
}
