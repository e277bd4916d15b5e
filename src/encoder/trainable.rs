//! The encoder for training: parameters that change, and a backward pass.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::candle::{self, DeviceAdamW};
use super::config::ModelConfig;
use super::device::Device;
use super::encode::Encoder;
use super::ops::{EncoderPrecision, Kernel, Run};
use super::packed_learner::PackedLearner;
use super::parameters::Parameters;
use super::saving;
use super::tokens::Tokens;
use super::weights::WeightFile;
use crate::error::{Error, Result};

/// Texts that are encoded at a time.
const ENCODED: usize = 16;

/// A trainable encoder: f32 parameters, and the model of [`super::Encoder`] made from them. It has no dropout.
///
/// Gradients accumulate inside it from [`zero_gradients`](Self::zero_gradients) to the optimiser's step, so that they
/// and the parameters stay on their device.
pub(crate) struct TrainableEncoder {
    folder: PathBuf,
    tokens: Tokens,
    names: Vec<String>,
    lengths: Vec<usize>,
    /// The parameters of each layer, as indices into the names.
    layers: Vec<Vec<usize>>,
    config: ModelConfig,
    frozen: usize,
    kernel: Kernel,
    learner: Learner,
}

/// The two implementations of the model.
enum Learner {
    Packed(Box<PackedLearner>),
    Candle(Box<candle::Learner>),
}

/// The input of the trainable layers, and its gradient. Both are `(tokens, dimensions)`.
pub(crate) struct InputGradient {
    pub(crate) input: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
}

impl TrainableEncoder {
    /// [`load`](Self::load) with the device and kernel of `encoder`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(crate) fn load_beside(
        encoder: &Encoder,
        folder: &Path,
        precision: EncoderPrecision,
    ) -> Result<TrainableEncoder> {
        TrainableEncoder::load(encoder.backend().device, folder, precision, encoder.kernel())
    }

    /// Loads the model in `folder` to a device. Products use `precision`, or what the kernel or device has in its
    /// place. On [`Device::Cpu`] they use `kernel`.
    ///
    /// # Errors
    /// [`Error::Model`] if a file is missing or damaged, or the model is of a kind that this encoder does not support.
    /// [`Error::Invalid`] if the processor lacks the kernel, or this build can't use the device. [`Error::Encoder`] if
    /// the device fails.
    pub(crate) fn load(
        device: Device,
        folder: &Path,
        precision: EncoderPrecision,
        kernel: Kernel,
    ) -> Result<TrainableEncoder> {
        let run = Run { kernel: kernel.checked()?, threads: rayon::current_num_threads() };
        let precision = precision.of_training();
        let config = ModelConfig::read(folder)?;
        let tokens = Tokens::read(folder, config.vocabulary, config.lower_case)?;
        let (names, numbers) = read(&config, folder)?;
        let places = Parameters::build(&config, &mut |name, _| {
            // Every name was collected above.
            Ok(names.binary_search_by(|other| other.as_str().cmp(name)).unwrap_or_default())
        })?;
        let of_layer = |layer: &super::parameters::LayerParameters<usize>| {
            let mut of_layer = Vec::new();
            layer.for_each(&mut |&place| of_layer.push(place));
            of_layer
        };
        let layers = places.layers.iter().map(of_layer).collect();
        let lengths = numbers.iter().map(Vec::len).collect();
        let learner = match device {
            Device::Cpu => {
                Learner::Packed(Box::new(PackedLearner::new(run, precision, &config, places, numbers)))
            }
            device => {
                Learner::Candle(Box::new(candle::Learner::new(device, precision, &config, &names, &numbers)?))
            }
        };
        Ok(TrainableEncoder {
            folder: folder.to_path_buf(),
            tokens,
            names,
            lengths,
            layers,
            config,
            frozen: 0,
            kernel,
            learner,
        })
    }

    /// The number of layers, frozen or not.
    pub(crate) fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Freezes the lowest `layers` layers, and with them the embeddings and the position biases. With 0, everything is
    /// trainable.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no trainable layer is left. [`Error::Io`] if the frozen layers' output can't be kept in a
    /// temporary file.
    pub(crate) fn freeze(&mut self, layers: usize) -> Result<()> {
        let most = self.layers() - 1;
        if layers > most {
            return Err(Error::invalid("the number of frozen layers", layers, format!("0 to {most}")));
        }
        self.frozen = layers;
        let moves = self.moves();
        match &mut self.learner {
            Learner::Packed(learner) => learner.freeze(layers, moves),
            Learner::Candle(learner) => learner.freeze(layers, moves),
        }
    }

    /// Whether each parameter is trainable, in the order of their names.
    fn moves(&self) -> Vec<bool> {
        let mut moves = vec![self.frozen == 0; self.names.len()];
        self.layers[self.frozen..].iter().flatten().for_each(|&place| moves[place] = true);
        moves
    }

    /// The number of trainable values in each parameter, in the order of their names. 0 if it is frozen.
    pub(crate) fn moving_lengths(&self) -> Vec<usize> {
        let parameters = self.lengths.iter().zip(self.moves());
        parameters.map(|(&length, moves)| if moves { length } else { 0 }).collect()
    }

    fn check_max_tokens(&self, max_tokens: usize) -> Result<()> {
        let longest = self.config.positions - 2;
        if (3..=longest).contains(&max_tokens) {
            return Ok(());
        }
        Err(Error::invalid("max_tokens", max_tokens, format!("a number from 3 to {longest}")))
    }

    /// The longest input in tokens, including the two special tokens. Longer texts are truncated.
    pub(crate) fn max_tokens(&self) -> usize {
        self.config.max_tokens
    }

    /// The dimensions of a vector.
    pub(crate) fn dimensions(&self) -> usize {
        self.config.hidden
    }

    /// How many tokens fit on the tape at a time within its memory limit.
    pub(crate) fn part_tokens(&self) -> usize {
        match &self.learner {
            Learner::Packed(learner) => learner.part_tokens(),
            Learner::Candle(learner) => learner.part_tokens(),
        }
    }

    /// The token ids of a text for embedding: with the two special tokens, truncated to `max_tokens`.
    pub(crate) fn token_ids(&self, text: &str, max_tokens: usize) -> Result<Vec<u32>> {
        self.check_max_tokens(max_tokens)?;
        self.tokens.ids(text, max_tokens)
    }

    /// Embeds tokenised texts in one batch: `(texts, dimensions)`, L2-normalised. With `record`, it keeps what
    /// [`backward`](Self::backward) needs until the next call.
    ///
    /// # Errors
    /// [`Error::Io`] if the frozen layers' output can't be kept. [`Error::Encoder`] if the device fails.
    pub(crate) fn embed(&mut self, texts: &[&[u32]], record: bool) -> Result<&[f32]> {
        self.embed_with(texts, &[], record)
    }

    /// As [`embed`](Self::embed) with `record`, after adding `displacement` to the input of the trainable layers. That
    /// input is the sum of word and position vectors before its layer norm or, with frozen layers, their output.
    /// `displacement` is `(tokens, dimensions)`, with the texts concatenated. [`backward`](Self::backward) treats it as
    /// a constant.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub(crate) fn embed_displaced(&mut self, texts: &[&[u32]], displacement: &[f32]) -> Result<&[f32]> {
        self.embed_with(texts, displacement, true)
    }

    fn embed_with(&mut self, texts: &[&[u32]], displacement: &[f32], record: bool) -> Result<&[f32]> {
        match &mut self.learner {
            Learner::Packed(learner) => learner.embed(texts, displacement, record),
            Learner::Candle(learner) => learner.embed(texts, displacement, record),
        }
    }

    /// Encodes texts without a tape: one L2-normalised vector each, in the given order. Longer texts are truncated.
    /// `going_on` is called before each batch, and its error ends the work.
    ///
    /// # Errors
    /// As [`embed`](Self::embed), and the errors of `going_on`.
    pub(crate) fn encode(
        &mut self,
        texts: &[&str],
        going_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<Vec<f32>>> {
        self.encode_cut(texts, self.max_tokens(), going_on)
    }

    /// [`encode`](Self::encode) with texts truncated to `limit` tokens.
    ///
    /// # Errors
    /// As [`encode`](Self::encode). [`Error::Invalid`] if the model does not support this length.
    pub(crate) fn encode_cut(
        &mut self,
        texts: &[&str],
        limit: usize,
        going_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<Vec<f32>>> {
        let ids = texts.iter().map(|text| self.token_ids(text, limit)).collect::<Result<Vec<_>>>()?;
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|&text| ids[text].len());
        let mut vectors = vec![Vec::new(); ids.len()];
        for part in order.chunks(ENCODED) {
            going_on()?;
            let texts: Vec<&[u32]> = part.iter().map(|&text| &ids[text][..]).collect();
            let width = self.dimensions();
            for (vector, &text) in self.embed(&texts, false)?.chunks_exact(width).zip(part) {
                vectors[text] = vector.to_vec();
            }
        }
        Ok(vectors)
    }

    /// Adds to the gradient of every trainable parameter, given the gradient of the vectors that the last
    /// [`embed`](Self::embed) recorded.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails.
    pub(crate) fn backward(&mut self, d_vectors: Vec<f32>) -> Result<()> {
        match &mut self.learner {
            Learner::Packed(learner) => learner.backward(d_vectors),
            Learner::Candle(learner) => learner.backward(&d_vectors)?,
        }
        Ok(())
    }

    /// The input of the trainable layers in the last recorded batch, in the layout of
    /// [`embed_displaced`](Self::embed_displaced), and its gradient, given that of the vectors. No parameter gets a
    /// gradient.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails.
    pub(crate) fn input_gradient(&mut self, d_vectors: Vec<f32>) -> Result<InputGradient> {
        let (input, gradient) = match &mut self.learner {
            Learner::Packed(learner) => learner.input_gradient(d_vectors),
            Learner::Candle(learner) => learner.input_gradient(&d_vectors)?,
        };
        Ok(InputGradient { input, gradient })
    }

    /// Sets all gradients to zero.
    pub(crate) fn zero_gradients(&mut self) {
        match &mut self.learner {
            Learner::Packed(learner) => learner.zero_gradients(),
            Learner::Candle(learner) => learner.zero_gradients(),
        }
    }

    /// The gradients, in the order of the parameters' names. Empty for frozen parameters. Copied if they are on a
    /// device.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails.
    pub(crate) fn gradients(&self) -> Result<Cow<'_, [Vec<f32>]>> {
        match &self.learner {
            Learner::Packed(learner) => Ok(Cow::Borrowed(learner.gradients())),
            Learner::Candle(learner) => Ok(Cow::Owned(learner.gradients()?)),
        }
    }

    /// The L2 norm of all gradients together. `None` if they are not on a device.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails.
    pub(crate) fn device_gradient_norm(&self) -> Result<Option<f64>> {
        match &self.learner {
            Learner::Packed(_) => Ok(None),
            Learner::Candle(learner) => learner.gradient_norm().map(Some),
        }
    }

    /// The kernel that it uses.
    pub(crate) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The sorted names of the parameters that an embedding uses. They are the names in the weights' file.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The parameters, in the order of their names. Copied if they are on a device.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails.
    pub(crate) fn parameters(&self) -> Result<Cow<'_, [Vec<f32>]>> {
        match &self.learner {
            Learner::Packed(learner) => Ok(Cow::Borrowed(learner.parameters())),
            Learner::Candle(learner) => Ok(Cow::Owned(learner.parameters()?)),
        }
    }

    /// Changes the trainable parameters. `change` also gets the gradients. It must leave frozen parameters alone.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails.
    pub(crate) fn update(&mut self, change: impl FnOnce(&mut [Vec<f32>], &[Vec<f32>])) -> Result<()> {
        match &mut self.learner {
            Learner::Packed(learner) => learner.update(change),
            Learner::Candle(learner) => {
                let (mut numbers, gradients) = (learner.parameters()?, learner.gradients()?);
                change(&mut numbers, &gradients);
                learner.set(&numbers)?;
            }
        }
        Ok(())
    }

    /// An optimiser for the trainable parameters on their device. `decays` tells by name whether weight decay applies
    /// to a parameter. `None` if they are not on a device.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails.
    pub(crate) fn device_adamw(
        &self,
        weight_decay: f64,
        decays: impl Fn(&str) -> bool,
    ) -> Result<Option<DeviceAdamW>> {
        match &self.learner {
            Learner::Packed(_) => Ok(None),
            Learner::Candle(learner) => learner.adamw(weight_decay, decays).map(Some),
        }
    }

    /// One step of an optimiser from [`device_adamw`](Self::device_adamw), with the gradients times `factor`.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails, or a trainable parameter has no gradient.
    pub(crate) fn device_step(
        &mut self,
        optimizer: &mut DeviceAdamW,
        factor: f64,
        learning_rate: f64,
    ) -> Result<()> {
        match &mut self.learner {
            Learner::Packed(_) => Err(Error::Encoder {
                doing: "train",
                message: "the optimiser is on a device, but the parameters are not".to_string(),
            }),
            Learner::Candle(learner) => learner.step(optimizer, factor, learning_rate),
        }
    }

    /// Writes a complete model folder: the source's files with the current weights. `folder` must not exist. It appears
    /// under its name once everything in it is durable.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let parameters = self.parameters()?;
        let names = self.names.iter().map(String::as_str);
        let changed: HashMap<&str, &[f32]> = names.zip(parameters.iter().map(Vec::as_slice)).collect();
        saving::save(&self.folder, &changed, folder)
    }
}

/// The parameters' names, sorted, and their numbers.
fn read(config: &ModelConfig, folder: &Path) -> Result<(Vec<String>, Vec<Vec<f32>>)> {
    let file = WeightFile::open(folder)?;
    let weights = file.tensors()?;
    let mut named = Vec::new();
    Parameters::build(config, &mut |name, shape| {
        named.push((name.to_string(), weights.get(name, shape)?.into_owned()));
        Ok(())
    })?;
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(named.into_iter().unzip())
}
