//! Tier `query_side`: a query encoder trained against the serving vectors, which all stay.

use super::attempt::{Attempt, Materials, Proposal, Proposed};
use super::train::{Plan, precision, train_on};
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::fusion::Fusion;
use crate::generation::{Building, Candidate};
use crate::learn::input::RoundInput;
use crate::learn::mine::TrainingSet;
use crate::learn::progress::Tracker;
use crate::learn::training_report::TrainingStart;
use crate::search::Snapshot;
use crate::train::{Documents, TrainOptions};

/// Epochs for each epoch of the encoder's training. They are cheap: only queries are encoded.
const EPOCHS: usize = 3;
/// The learning rate is the encoder's divided by this: a higher one helps one collection and harms another
/// (docs/benchmarks.md).
const RATE: f64 = 5.0;

/// Trains the serving query encoder further. Training takes a minute, so there are no checkpoints.
pub(super) fn attempt(
    materials: Materials<'_>,
    set: &TrainingSet,
    tracker: &mut Tracker<'_>,
) -> Result<Attempt> {
    let input = materials.input;
    let serving = &input.snapshot.pinned.generation;
    let options = options(&input.options.train);
    let mut model =
        TrainableEncoder::load_beside(serving.encoder()?, &serving.query_model_folder(), precision(input)?)?;
    let plan = Plan {
        options: &options,
        start: TrainingStart::Serving,
        documents: Documents::Stand(&set.guide),
        checkpoints: None,
    };
    let training = train_on(&mut model, set, plan, input, tracker)?;
    let candidate = Candidate::with_encoder(input.root, serving, |folder| model.save(folder))?;
    let proposal = Box::new(QuerySideProposal(candidate));
    Ok(Attempt::Proposed(Proposed { proposal, fusion: None, training: Some(training) }))
}

fn options(encoder: &TrainOptions) -> TrainOptions {
    let options = encoder.clone().with_epochs(EPOCHS * encoder.epochs.0);
    // Documents don't move, so they can't be displaced.
    options.with_learning_rate(encoder.learning_rate / RATE).with_gradient_negatives(None)
}

/// The serving generation with another query encoder.
struct QuerySideProposal(Candidate);

impl Proposal for QuerySideProposal {
    fn snapshot(&self, serving: &Snapshot) -> Result<Snapshot> {
        Ok(Snapshot { lexical: serving.lexical.clone(), pinned: self.0.pin(&serving.pinned)? })
    }

    fn build(self: Box<Self>, input: &RoundInput<'_>, fusion: Fusion) -> Result<Building> {
        Building::sibling(input.root, &input.snapshot.pinned, fusion, Some(self.0), input.dense)
    }
}
