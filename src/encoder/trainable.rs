//! The encoder as training sees it: parameters that move, and a backward pass.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::backward::{BackwardSpace, Sums};
use super::config::{self, ModelConfig};
use super::frozen::Frozen;
use super::mpnet::{Mpnet, Record, Workspace};
use super::ops::{EncoderPrecision, Kernel, Run};
use super::parameters::Parameters;
use super::tape::Tape;
use super::tokens::Tokens;
use super::weights::{WEIGHTS, WeightFile};
use crate::error::{Error, Result};
use crate::storage::publish_folder;

/// Files of a model folder beside the weights. Others (a README, weights in other formats) are not copied by
/// [`TrainableEncoder::save`]: they describe the untrained model.
const FILES: [&str; 8] = [
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
];

/// Texts that are encoded at a time.
const ENCODED: usize = 16;

/// An encoder that learns: f32 parameters, and the same model as [`super::Encoder`]'s packed from them, without dropout.
pub(crate) struct TrainableEncoder {
    folder: PathBuf,
    tokens: Tokens,
    names: Vec<String>,
    places: Parameters<usize>,
    numbers: Vec<Vec<f32>>,
    model: Mpnet,
    run: Run,
    tape: Tape,
    space: Workspace,
    back: BackwardSpace,
    max_tokens: usize,
    longest: usize,
    frozen: Option<Frozen>,
}

impl TrainableEncoder {
    /// Loads the model in `folder`, to compute products in `precision`, or what the kernel has in its place, with the
    /// instructions of `kernel`.
    ///
    /// # Errors
    /// [`Error::Model`] if a file is missing, damaged, or of a model that this encoder does not compute;
    /// [`Error::Invalid`] if the processor lacks the kernel.
    pub(crate) fn load(
        folder: &Path,
        precision: EncoderPrecision,
        kernel: Kernel,
    ) -> Result<TrainableEncoder> {
        let run = Run { kernel: kernel.checked()?, threads: rayon::current_num_threads() };
        let precision = precision.of_training();
        let config = ModelConfig::read(folder)?;
        let tokens = Tokens::read(folder, config.vocabulary, config.lower_case)?;
        let file = WeightFile::open(folder)?;
        let weights = file.tensors()?;
        let mut named = Vec::new();
        Parameters::build(&config, &mut |name, shape| {
            named.push((name.to_string(), weights.get(name, shape)?.into_owned()));
            Ok(())
        })?;
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (names, numbers): (Vec<String>, Vec<Vec<f32>>) = named.into_iter().unzip();
        let places = Parameters::build(&config, &mut |name, _| {
            // Every name was collected above.
            Ok(names.binary_search_by(|other| other.as_str().cmp(name)).unwrap_or_default())
        })?;
        let model = Mpnet::new(run, precision, &config, &places, &|&place| &numbers[place], None);
        Ok(TrainableEncoder {
            folder: folder.to_path_buf(),
            tokens,
            names,
            places,
            numbers,
            tape: Tape::new(precision),
            model,
            run,
            space: Workspace::default(),
            back: BackwardSpace::default(),
            max_tokens: config.max_tokens,
            longest: config.positions - 2,
            frozen: None,
        })
    }

    /// Layers, frozen or not.
    pub(crate) fn layers(&self) -> usize {
        self.model.layers.len()
    }

    /// Keeps the lowest `layers` layers as they are from now on, and with them the embeddings and the position biases.
    /// With 0, everything learns. What they give for a text is computed once and kept in a temporary file.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no layer is left to learn; [`Error::Io`] if there can be no temporary file.
    pub(crate) fn freeze(&mut self, layers: usize) -> Result<()> {
        let most = self.layers() - 1;
        if layers > most {
            return Err(Error::invalid("the number of frozen layers", layers, format!("0 to {most}")));
        }
        self.frozen = (layers > 0).then(|| Frozen::new(layers)).transpose()?;
        Ok(())
    }

    fn frozen_layers(&self) -> usize {
        self.frozen.as_ref().map_or(0, |frozen| frozen.layers)
    }

    /// Whether each parameter moves, in the order of their names.
    fn moves(&self) -> Vec<bool> {
        let frozen = self.frozen_layers();
        let mut moves = vec![frozen == 0; self.numbers.len()];
        for layer in &self.places.layers[frozen..] {
            layer.for_each(&mut |&place| moves[place] = true);
        }
        moves
    }

    /// Room for a gradient of every parameter that moves, in their order; nothing for those that do not.
    pub(crate) fn gradients(&self) -> Vec<Vec<f32>> {
        let parameters = self.numbers.iter().zip(self.moves());
        parameters.map(|(numbers, moves)| vec![0.0; if moves { numbers.len() } else { 0 }]).collect()
    }

    fn check_max_tokens(&self, max_tokens: usize) -> Result<()> {
        if (3..=self.longest).contains(&max_tokens) {
            return Ok(());
        }
        Err(Error::invalid("max_tokens", max_tokens, format!("a number from 3 to {}", self.longest)))
    }

    /// The longest input in tokens, with the two special ones. Longer texts are cut.
    pub(crate) fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The length of a vector.
    pub(crate) fn dimensions(&self) -> usize {
        self.model.hidden
    }

    /// About how many bytes the tape takes for a token.
    pub(crate) fn tape_bytes(&self) -> usize {
        let numbers = 6 * self.model.hidden + self.model.wide;
        (self.model.layers.len() - self.frozen_layers()) * numbers * self.tape.number_bytes()
    }

    /// The token ids of a text as it is embedded: with the two special ones, cut at `max_tokens`.
    pub(crate) fn token_ids(&self, text: &str, max_tokens: usize) -> Result<Vec<u32>> {
        self.check_max_tokens(max_tokens)?;
        self.tokens.ids(text, max_tokens)
    }

    /// Embeds tokenised texts in one batch: `(texts, dimensions)`, L2-normalised. With `record`, what
    /// [`backward`](Self::backward) needs is kept until the next call.
    ///
    /// # Errors
    /// [`Error::Io`] if what frozen layers give can't be kept.
    pub(crate) fn embed(&mut self, texts: &[&[u32]], record: bool) -> Result<&[f32]> {
        self.embed_with(texts, &[], record)
    }

    /// As [`embed`](Self::embed) with `record`, once `displacement` is added to what the layers that learn take: the sum of
    /// word and position vectors before its layer norm or, above frozen layers, what they give. It is `(tokens, dimensions)`,
    /// the texts behind one another. To [`backward`](Self::backward) it is a constant.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub(crate) fn embed_displaced(&mut self, texts: &[&[u32]], displacement: &[f32]) -> Result<&[f32]> {
        self.embed_with(texts, displacement, true)
    }

    fn embed_with(&mut self, texts: &[&[u32]], displacement: &[f32], record: bool) -> Result<&[f32]> {
        let displace = |into: &mut [f32]| into.iter_mut().zip(displacement).for_each(|(x, by)| *x += by);
        let tables = (&self.numbers[self.places.words][..], &self.numbers[self.places.positions][..]);
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

    /// Encodes texts without a tape: one L2-normalised vector each, in the order given; longer texts are cut. `going_on` is
    /// asked before each batch, and its error ends the work.
    ///
    /// # Errors
    /// As [`embed`](Self::embed), and that of `going_on`.
    pub(crate) fn encode(
        &mut self,
        texts: &[&str],
        going_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<Vec<f32>>> {
        self.encode_cut(texts, self.max_tokens, going_on)
    }

    /// [`encode`](Self::encode) of texts that are cut at `limit` tokens.
    ///
    /// # Errors
    /// As [`encode`](Self::encode); [`Error::Invalid`] for a length that the model can't take.
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

    /// Adds the gradient of every parameter that moves to `gradients`, which are as [`gradients`](Self::gradients) made
    /// them, given that of the vectors that the last call of [`embed`](Self::embed) recorded.
    pub(crate) fn backward(&mut self, mut d_vectors: Vec<f32>, gradients: &mut [Vec<f32>]) {
        let frozen = self.frozen_layers();
        let mut sums = Sums { places: &self.places, numbers: &self.numbers, gradients, frozen };
        let (space, back) = (&mut self.space, &mut self.back);
        self.model.backward(self.run, space, back, &self.tape, &mut d_vectors, &mut sums);
    }

    /// What the layers that learn took when texts were last recorded, as [`embed_displaced`](Self::embed_displaced) has it,
    /// and its gradient, given that of the vectors; both `(tokens, dimensions)`. No parameter gets a gradient, which costs
    /// about half of [`backward`](Self::backward).
    pub(crate) fn input_gradient(&mut self, mut d_vectors: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
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

    /// The instructions that it uses.
    pub(crate) fn kernel(&self) -> Kernel {
        self.run.kernel
    }

    /// The names of the parameters that take part in an embedding, sorted. They are those of the weights' file.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The parameters, in the order of their names.
    pub(crate) fn parameters(&self) -> &[Vec<f32>] {
        &self.numbers
    }

    /// Changes the parameters that move; to the others nothing may be done.
    pub(crate) fn update(&mut self, change: impl FnOnce(&mut [Vec<f32>])) {
        change(&mut self.numbers);
        let (frozen, numbers) = (self.frozen_layers(), &self.numbers);
        self.model.set(self.run, frozen, &self.places, &|&place| &numbers[place]);
    }

    /// Writes a complete model folder to `folder`, which must not exist: the source's files with the weights as they
    /// are now. The folder appears whole, under its name, when everything in it is durable.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.is_empty() || folder.exists() {
            return Err(Error::invalid("the folder to save the model to", folder.display(), "a new name"));
        }
        let building = folder.with_file_name(format!(".tmp-{name}"));
        if building.exists() {
            fs::remove_dir_all(&building).map_err(Error::io("remove the unfinished folder", &building))?;
        }
        fs::create_dir_all(&building).map_err(Error::io("create the folder", &building))?;
        let written = self.write(&building).and_then(|()| publish_folder(&building, folder));
        if written.is_err() {
            let _ = fs::remove_dir_all(&building); // the first error is the one to report
        }
        written
    }

    fn write(&self, folder: &Path) -> Result<()> {
        for name in FILES {
            copy_if_there(&self.folder.join(name), &folder.join(name))?;
        }
        let mut modules = config::module_folders(&self.folder)?;
        if modules.is_empty() {
            modules.push("1_Pooling".to_string());
        }
        for name in modules {
            let (from, into) = (self.folder.join(&name), folder.join(&name));
            if from.is_dir() {
                fs::create_dir_all(&into).map_err(Error::io("create the folder", &into))?;
                copy_if_there(&from.join("config.json"), &into.join("config.json"))?;
            }
        }
        let names = self.names.iter().map(String::as_str);
        let changed: HashMap<&str, &[f32]> = names.zip(self.numbers.iter().map(Vec::as_slice)).collect();
        let file = WeightFile::open(&self.folder)?;
        file.tensors()?.write_with(&folder.join(WEIGHTS), &changed)
    }
}

fn copy_if_there(from: &Path, to: &Path) -> Result<()> {
    match fs::read(from) {
        Ok(bytes) => fs::write(to, bytes).map_err(Error::io("write", to)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("read", from)(e)),
    }
}
