//! The trainable model on a candle device.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};

use super::adamw::DeviceAdamW;
use super::batch::Batch;
use super::build::Build;
use super::device;
use super::failed;
use super::forms::Forms;
use super::model::{Mpnet, pool};
use crate::encoder::config::ModelConfig;
use crate::encoder::device::Device as Place;
use crate::encoder::ops::EncoderPrecision;
use crate::encoder::parameters::Parameters;
use crate::error::{Error, Result};

/// Memory limits for the graph of one batch, in bytes.
const GPU_BYTES: usize = 8 << 30;
const CPU_BYTES: usize = 2 << 30;

/// Tokens of a typical text, to estimate the memory of its attention.
const TYPICAL: usize = 128;

/// Parameters on a device, with their gradients.
pub(in crate::encoder) struct Learner {
    config: ModelConfig,
    device: Device,
    precision: EncoderPrecision,
    /// Sorted. The variables have the same order.
    names: Vec<String>,
    variables: Vec<Var>,
    frozen: usize,
    moves: Vec<bool>,
    /// With gradients for trainable parameters.
    learning: Mpnet,
    /// The same weights without gradients.
    resting: Mpnet,
    record: Option<Record>,
    gradients: GradStore,
    vectors: Vec<f32>,
}

/// The graph of a batch.
struct Record {
    batch: Batch,
    /// The sum of embeddings with its own graph, if the embeddings are trainable.
    sum: Option<Tensor>,
    /// The input of the trainable layers, `(texts · longest, hidden)`.
    input: Var,
    /// The vectors, `(texts, hidden)`.
    vectors: Tensor,
}

impl Learner {
    /// Takes the parameters in the order of their names.
    ///
    /// # Errors
    /// [`Error::Invalid`] if this build can't use the device; [`Error::Encoder`] if the device fails.
    pub(in crate::encoder) fn new(
        place: Place,
        precision: EncoderPrecision,
        config: &ModelConfig,
        names: &[String],
        numbers: &[Vec<f32>],
    ) -> Result<Learner> {
        let device = device::open(place)?;
        let failed = failed("load the model");
        let mut shapes: HashMap<String, Vec<usize>> = HashMap::new();
        Parameters::build(config, &mut |name, shape| {
            shapes.insert(name.to_string(), shape.to_vec());
            Ok(())
        })?;
        let variable = |(name, numbers): (&String, &Vec<f32>)| {
            Var::from_slice(numbers, &shapes[name][..], &device).map_err(&failed)
        };
        let variables: Vec<Var> = names.iter().zip(numbers).map(variable).collect::<Result<_>>()?;
        let moves = vec![true; variables.len()];
        let names = names.to_vec();
        let precision = device::precision(&device, precision);
        let model = |forms, moves: &[bool]| {
            let build =
                Build { config, device: &device, product: device::dtype(precision), forms, fixed: false };
            Mpnet::new(&build, tensors(&names, &variables, moves)).map_err(&failed)
        };
        let resting = model(Forms::Fused, &vec![false; moves.len()])?;
        let learning = model(Forms::Composed, &moves)?;
        Ok(Learner {
            config: config.clone(),
            precision,
            learning,
            resting,
            names,
            variables,
            frozen: 0,
            moves,
            record: None,
            gradients: GradStore::default(),
            vectors: Vec::new(),
            device,
        })
    }

    /// The number of layers, frozen or not.
    pub(in crate::encoder) fn layers(&self) -> usize {
        self.config.layers
    }

    /// Freezes the lowest `layers` layers and the embeddings. `moves` tells which parameters remain trainable.
    pub(in crate::encoder) fn freeze(&mut self, layers: usize, moves: Vec<bool>) -> Result<()> {
        let build = Build {
            config: &self.config,
            device: &self.device,
            product: device::dtype(self.precision),
            forms: Forms::Composed,
            fixed: false,
        };
        let tensors = tensors(&self.names, &self.variables, &moves);
        self.learning = Mpnet::new(&build, tensors).map_err(failed("freeze layers"))?;
        (self.frozen, self.moves, self.record) = (layers, moves, None);
        self.zero_gradients();
        Ok(())
    }

    /// How many tokens can be recorded at a time.
    pub(in crate::encoder) fn part_tokens(&self) -> usize {
        let ModelConfig { hidden, intermediate, heads, .. } = self.config;
        let layer = 4 * (28 * hidden + 3 * intermediate + 6 * heads * TYPICAL);
        let budget = if self.device.is_cpu() { CPU_BYTES } else { GPU_BYTES };
        budget / (layer * (self.layers() - self.frozen))
    }

    /// As [`TrainableEncoder::embed_displaced`](crate::encoder::TrainableEncoder::embed_displaced). An empty
    /// displacement means none.
    pub(in crate::encoder) fn embed(
        &mut self,
        texts: &[&[u32]],
        displacement: &[f32],
        record: bool,
    ) -> Result<&[f32]> {
        let failed = failed("encode a batch");
        let batch = Batch::new(texts, &self.device).map_err(&failed)?;
        let vectors = match record {
            false => self.resting.embed(&batch).map_err(&failed)?,
            true => {
                let recorded = self.recorded(batch, displacement).map_err(&failed)?;
                self.record.insert(recorded).vectors.detach()
            }
        };
        self.vectors = vectors.flatten_all().and_then(|vectors| vectors.to_vec1()).map_err(&failed)?;
        Ok(&self.vectors)
    }

    fn recorded(&self, batch: Batch, displacement: &[f32]) -> candle_core::Result<Record> {
        let (sum, below) = match self.frozen {
            0 => {
                let sum = self.learning.sum(&batch)?;
                (Some(sum.clone()), sum.detach())
            }
            frozen => {
                let x = self.resting.normalise(&self.resting.sum(&batch)?)?;
                (None, self.resting.pass(0..frozen, &x, &batch)?)
            }
        };
        let below = match displacement {
            [] => below,
            rows => (below + batch.padded(rows, self.config.hidden, &self.device)?)?,
        };
        let input = Var::from_tensor(&below)?;
        let x = match self.frozen {
            0 => self.learning.normalise(&input)?,
            _ => input.as_tensor().clone(),
        };
        let x = self.learning.pass(self.frozen..self.layers(), &x, &batch)?;
        let vectors = pool(&x, &batch)?;
        Ok(Record { batch, sum, input, vectors })
    }

    /// Adds to the gradient of every trainable parameter, given the gradient of the vectors recorded last.
    pub(in crate::encoder) fn backward(&mut self, d_vectors: &[f32]) -> Result<()> {
        let Some(record) = &self.record else { return Err(nothing_recorded()) };
        let mut add = || {
            let mut found = record.backward(d_vectors)?;
            let d_input = found.remove(&record.input);
            if let (Some(sum), Some(d_input)) = (&record.sum, d_input) {
                found.extend((sum * d_input)?.sum_all()?.backward()?)?;
            }
            // The remaining entries are gradients of intermediate results.
            for variable in &self.variables {
                let Some(more) = found.remove(variable) else { continue };
                let sum = match self.gradients.get(variable) {
                    Some(sum) => (sum + more)?,
                    None => more,
                };
                self.gradients.insert(variable, sum.detach());
            }
            Ok(())
        };
        add().map_err(failed("compute gradients"))
    }

    /// The input of the trainable layers in the last recorded batch, and its gradient, given that of the vectors.
    pub(in crate::encoder) fn input_gradient(&self, d_vectors: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let Some(record) = &self.record else { return Err(nothing_recorded()) };
        let both = || {
            let mut found = record.backward(d_vectors)?;
            let Some(gradient) = found.remove(&record.input) else {
                candle_core::bail!("the vectors do not depend on the input")
            };
            Ok((record.batch.unpadded(&record.input)?, record.batch.unpadded(&gradient)?))
        };
        both().map_err(failed("compute gradients"))
    }

    /// Sets all gradients to zero.
    pub(in crate::encoder) fn zero_gradients(&mut self) {
        self.gradients = GradStore::default();
    }

    /// The L2 norm of all gradients together.
    pub(in crate::encoder) fn gradient_norm(&self) -> Result<f64> {
        let squares = || -> candle_core::Result<f64> {
            let found = self.variables.iter().filter_map(|variable| self.gradients.get(variable));
            let sums: Vec<Tensor> = found
                // Sums row by row first, because a sum of millions of squares in f32 would lose digits.
                .map(|gradient| gradient.sqr()?.sum(candle_core::D::Minus1)?.sum_all())
                .collect::<candle_core::Result<_>>()?;
            if sums.is_empty() {
                return Ok(0.0);
            }
            let sums: Vec<f32> = Tensor::stack(&sums, 0)?.to_vec1()?;
            Ok(sums.into_iter().map(f64::from).sum())
        };
        squares().map(f64::sqrt).map_err(failed("compute gradients"))
    }

    /// The gradients as numbers, in the order of the names. Empty for frozen parameters.
    pub(in crate::encoder) fn gradients(&self) -> Result<Vec<Vec<f32>>> {
        let numbers = |(variable, moves): (&Var, &bool)| match (self.gradients.get(variable), moves) {
            (Some(gradient), true) => gradient.flatten_all()?.to_vec1(),
            (_, moves) => Ok(vec![0.0; if *moves { variable.elem_count() } else { 0 }]),
        };
        let all = self.variables.iter().zip(&self.moves).map(numbers);
        all.collect::<candle_core::Result<_>>().map_err(failed("read gradients"))
    }

    /// The parameters as numbers, in the order of the names.
    pub(in crate::encoder) fn parameters(&self) -> Result<Vec<Vec<f32>>> {
        let numbers = self.variables.iter().map(|variable| variable.flatten_all()?.to_vec1());
        numbers.collect::<candle_core::Result<_>>().map_err(failed("read the parameters"))
    }

    /// Replaces the trainable parameters.
    pub(in crate::encoder) fn set(&mut self, numbers: &[Vec<f32>]) -> Result<()> {
        let moving = self.variables.iter().zip(numbers).zip(&self.moves).filter(|(_, moves)| **moves);
        let mut set = moving.map(|((variable, numbers), _)| {
            variable.set(&Tensor::from_slice(numbers, variable.shape(), &self.device)?)
        });
        set.try_for_each(|set| set).map_err(failed("write the parameters"))
    }

    /// An optimiser for the trainable parameters. `decays` tells by name whether weight decay applies.
    pub(in crate::encoder) fn adamw(
        &self,
        weight_decay: f64,
        decays: impl Fn(&str) -> bool,
    ) -> Result<DeviceAdamW> {
        let (mut decaying, mut others) = (Vec::new(), Vec::new());
        for ((name, variable), moves) in self.names.iter().zip(&self.variables).zip(&self.moves) {
            match (moves, decays(name)) {
                (true, true) => decaying.push(variable.clone()),
                (true, false) => others.push(variable.clone()),
                (false, _) => {}
            }
        }
        DeviceAdamW::new(decaying, others, weight_decay)
    }

    /// One step of the optimiser, with the gradients times `factor`.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails, or a trainable parameter has no gradient: candle would skip it silently.
    pub(in crate::encoder) fn step(
        &mut self,
        optimizer: &mut DeviceAdamW,
        factor: f64,
        learning_rate: f64,
    ) -> Result<()> {
        let mut step = || {
            for (variable, _) in self.variables.iter().zip(&self.moves).filter(|(_, moves)| **moves) {
                let Some(gradient) = self.gradients.get(variable) else {
                    candle_core::bail!("a parameter has no gradient")
                };
                let gradient = (gradient * factor)?;
                self.gradients.insert(variable, gradient);
            }
            optimizer.step(&self.gradients, learning_rate)
        };
        step().map_err(failed("train"))
    }
}

impl Record {
    fn backward(&self, d_vectors: &[f32]) -> candle_core::Result<GradStore> {
        let vectors = &self.vectors;
        let d_vectors = Tensor::from_slice(d_vectors, vectors.shape(), vectors.device())?;
        (vectors * d_vectors)?.sum_all()?.backward()
    }
}

fn nothing_recorded() -> Error {
    Error::Encoder { doing: "compute gradients", message: "no batch was recorded".to_string() }
}

/// The variables by name. Frozen ones are detached from the graph.
fn tensors(names: &[String], variables: &[Var], moves: &[bool]) -> HashMap<String, Tensor> {
    let tensor = |((name, variable), moves): ((&String, &Var), &bool)| {
        let tensor = if *moves { variable.as_tensor().clone() } else { variable.as_detached_tensor() };
        (name.clone(), tensor)
    };
    names.iter().zip(variables).zip(moves).map(tensor).collect()
}
