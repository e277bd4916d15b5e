//! The trainable model on this processor.

use super::backward::{BackwardSpace, Sums};
use super::config::ModelConfig;
use super::frozen::Frozen;
use super::mpnet::{Mpnet, Record, Tables, Workspace};
use super::ops::{EncoderPrecision, Run};
use super::parameters::Parameters;
use super::tape::Tape;
use crate::error::Result;

/// The memory limit of the tape for one batch, in bytes.
const TAPE_BYTES: usize = 1 << 30;

/// f32 parameters, the model packed from them, and their gradients.
pub(super) struct PackedLearner {
    places: Parameters<usize>,
    numbers: Vec<Vec<f32>>,
    model: Mpnet,
    run: Run,
    tape: Tape,
    space: Workspace,
    back: BackwardSpace,
    frozen: Option<Frozen>,
    moves: Vec<bool>,
    /// One for each parameter. Empty if it is frozen.
    gradients: Vec<Vec<f32>>,
}

impl PackedLearner {
    /// `places` holds the index in `numbers` of each parameter.
    pub(super) fn new(
        run: Run,
        precision: EncoderPrecision,
        config: &ModelConfig,
        places: Parameters<usize>,
        numbers: Vec<Vec<f32>>,
    ) -> PackedLearner {
        let model = Mpnet::new(run, precision, config, &places, &|&place| &numbers[place], None);
        PackedLearner {
            moves: vec![true; numbers.len()],
            places,
            numbers,
            tape: Tape::new(precision),
            model,
            run,
            space: Workspace::default(),
            back: BackwardSpace::default(),
            frozen: None,
            gradients: Vec::new(),
        }
    }

    /// The number of layers, frozen or not.
    pub(super) fn layers(&self) -> usize {
        self.model.layers.len()
    }

    /// Freezes the lowest `layers` layers and the embeddings. `moves` tells which parameters remain trainable. The
    /// frozen layers' output for a text is computed once and kept in a temporary file.
    pub(super) fn freeze(&mut self, layers: usize, moves: Vec<bool>) -> Result<()> {
        self.frozen = (layers > 0).then(|| Frozen::new(layers)).transpose()?;
        self.moves = moves;
        self.gradients = Vec::new();
        Ok(())
    }

    fn frozen_layers(&self) -> usize {
        self.frozen.as_ref().map_or(0, |frozen| frozen.layers)
    }

    /// How many tokens can be recorded at a time.
    pub(super) fn part_tokens(&self) -> usize {
        let numbers = 6 * self.model.hidden + self.model.wide;
        TAPE_BYTES / ((self.layers() - self.frozen_layers()) * numbers * self.tape.number_bytes())
    }

    /// As [`TrainableEncoder::embed_displaced`](super::TrainableEncoder::embed_displaced). An empty displacement means
    /// none.
    pub(super) fn embed(&mut self, texts: &[&[u32]], displacement: &[f32], record: bool) -> Result<&[f32]> {
        let displace = |into: &mut [f32]| into.iter_mut().zip(displacement).for_each(|(x, by)| *x += by);
        let Parameters { words, positions, .. } = self.places;
        let tables = Tables { words: &self.numbers[words], positions: &self.numbers[positions] };
        let (run, model, space) = (self.run, &self.model, &mut self.space);
        let mut record = if record { Record::Tape(&mut self.tape) } else { Record::Nothing };
        match &mut self.frozen {
            None => {
                space.batch.set(texts.iter().copied());
                model.sum(tables, space);
                displace(&mut space.sum);
                model.normalise(run, space, &mut record);
                model.pass(run, 0..model.layers.len(), space, &mut record);
            }
            Some(frozen) => {
                frozen.outputs(run, model, tables, texts, space)?;
                displace(&mut space.x);
                if let Record::Tape(tape) = &mut record {
                    tape.input.store(run, &space.x[..space.batch.tokens() * model.hidden]);
                }
                model.pass(run, frozen.layers..model.layers.len(), space, &mut record);
            }
        }
        model.pool(space);
        Ok(&self.space.vectors[..texts.len() * self.model.hidden])
    }

    /// Sets all gradients to zero.
    pub(super) fn zero_gradients(&mut self) {
        if self.gradients.is_empty() {
            let rooms = self.numbers.iter().zip(&self.moves);
            let room =
                |(numbers, moves): (&Vec<f32>, &bool)| vec![0.0; if *moves { numbers.len() } else { 0 }];
            self.gradients = rooms.map(room).collect();
        } else {
            self.gradients.iter_mut().for_each(|sums| sums.fill(0.0));
        }
    }

    /// Adds to the gradient of every trainable parameter, given the gradient of the vectors recorded last.
    pub(super) fn backward(&mut self, mut d_vectors: Vec<f32>) {
        if self.gradients.is_empty() {
            self.zero_gradients();
        }
        let frozen = self.frozen_layers();
        let (numbers, gradients) = (&self.numbers, &mut self.gradients[..]);
        let mut sums = Sums { places: &self.places, numbers, gradients, frozen };
        let (space, back) = (&mut self.space, &mut self.back);
        self.model.backward(self.run, space, back, &self.tape, &mut d_vectors, &mut sums);
    }

    /// The input of the trainable layers in the last recorded batch, and its gradient, given that of the vectors. No
    /// parameter gets a gradient, so it costs about half of [`backward`](Self::backward).
    pub(super) fn input_gradient(&mut self, mut d_vectors: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
        let mut nothing = vec![Vec::new(); self.numbers.len()];
        let (frozen, gradients) = (self.frozen_layers(), &mut nothing[..]);
        let mut sums = Sums { places: &self.places, numbers: &self.numbers, gradients, frozen };
        let (space, back) = (&mut self.space, &mut self.back);
        let gradient =
            self.model.input_backward(self.run, space, back, &self.tape, &mut d_vectors, &mut sums);
        let mut input = vec![0.0; gradient.len()];
        self.tape.input.load(self.run, &mut input);
        (input, gradient.to_vec())
    }

    /// The gradients, in the parameters' order. Empty for frozen parameters.
    pub(super) fn gradients(&self) -> &[Vec<f32>] {
        &self.gradients
    }

    /// The parameters, in the order of their names.
    pub(super) fn parameters(&self) -> &[Vec<f32>] {
        &self.numbers
    }

    /// Lets `change` update the trainable parameters, given their gradients. Then packs the model again.
    pub(super) fn update(&mut self, change: impl FnOnce(&mut [Vec<f32>], &[Vec<f32>])) {
        change(&mut self.numbers, &self.gradients);
        let (frozen, numbers) = (self.frozen_layers(), &self.numbers);
        self.model.set(self.run, frozen, &self.places, &|&place| &numbers[place]);
    }
}
