//! The model: MPNet (Song et al. 2020), packed for the processor, and its forward pass.

use std::ops::Range;

use super::batch::Batch;
use super::calibration::{Calibration, LayerCalibration, factors, observe};
use super::config::ModelConfig;
use super::ops::{
    Attention, EncoderPrecision, Linear, Norm, PositionBias, Run, Then, Weight, fit, gelu, mean_pool,
    normalise,
};
use super::parameters::{Affine, LayerParameters, Parameters};
use super::tape::{LayerTape, Tape};

/// The model's weights, except for the word and position tables.
pub(super) struct Mpnet {
    pub(super) precision: EncoderPrecision,
    pub(super) heads: usize,
    pub(super) hidden: usize,
    pub(super) wide: usize,
    table: Vec<f32>,
    pub(super) norm: Norm,
    pub(super) layers: Vec<Layer>,
}

/// The tables of word and position vectors, which are looked up row by row.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) words: &'a [f32],
    pub(super) positions: &'a [f32],
}

/// One transformer block.
pub(super) struct Layer {
    qkv: Linear,
    out: Linear,
    pub(super) attention_norm: Norm,
    up: Linear,
    down: Linear,
    pub(super) output_norm: Norm,
}

/// The recordings of a forward pass.
pub(super) enum Record<'a> {
    Nothing,
    /// For the backward pass.
    Tape(&'a mut Tape),
    /// The largest inputs of products, for int8.
    Largest(&'a mut Calibration),
}

/// The part of a [`Record`] for one block.
pub(super) enum LayerRecord<'a> {
    Nothing,
    Tape(&'a mut LayerTape),
    Largest(&'a mut LayerCalibration),
}

impl Record<'_> {
    fn layer(&mut self, index: usize) -> LayerRecord<'_> {
        match self {
            Record::Nothing => LayerRecord::Nothing,
            Record::Tape(tape) => LayerRecord::Tape(tape.layer(index)),
            Record::Largest(largest) => LayerRecord::Largest(largest.layer_mut(index)),
        }
    }
}

/// The activations of a batch. Their memory is reused, so that a query allocates nothing.
#[derive(Default)]
pub(super) struct Workspace {
    pub(super) batch: Batch,
    pub(super) bias: PositionBias,
    /// `(tokens, hidden)`: the input of a layer, then its output.
    pub(super) x: Vec<f32>,
    /// `(tokens, hidden)`: the input of a layer norm.
    pub(super) sum: Vec<f32>,
    /// `(tokens, hidden)`: between attention and the feed-forward part.
    pub(super) middle: Vec<f32>,
    /// `(tokens, hidden)`: the result of attention.
    pub(super) attended: Vec<f32>,
    /// `(tokens, 3 · hidden)`.
    pub(super) qkv: Vec<f32>,
    /// `(tokens, intermediate)`.
    pub(super) wide: Vec<f32>,
    /// `(texts, hidden)`.
    pub(super) pooled: Vec<f32>,
    /// `(texts, hidden)`, L2-normalised: the result.
    pub(super) vectors: Vec<f32>,
}

impl Mpnet {
    /// Packs the model. `numbers` returns the numbers of a parameter. `calibration` is for int8.
    pub(super) fn new<'a, T>(
        run: Run,
        precision: EncoderPrecision,
        config: &ModelConfig,
        parameters: &'a Parameters<T>,
        numbers: &(impl Fn(&'a T) -> &'a [f32] + Sync),
        calibration: Option<&Calibration>,
    ) -> Mpnet
    where
        T: Sync,
    {
        let norm = |from: &'a Affine<T>| Norm::new(numbers(&from.weight), numbers(&from.bias), config.eps);
        let layers = parameters.layers.iter().map(|from| Layer {
            qkv: Linear::default(),
            out: Linear::default(),
            attention_norm: norm(&from.attention_norm),
            up: Linear::default(),
            down: Linear::default(),
            output_norm: norm(&from.output_norm),
        });
        let mut model = Mpnet {
            precision: run.kernel.precision(precision),
            heads: config.heads,
            hidden: config.hidden,
            wide: config.intermediate,
            table: numbers(&parameters.table).to_vec(),
            norm: norm(&parameters.norm),
            layers: layers.collect(),
        };
        if let Some(calibration) = calibration {
            model.smooth(parameters, numbers, calibration);
        }
        model.set(run, 0, parameters, numbers);
        model
    }

    /// Smooths the products' inputs by the measurements on a sample.
    fn smooth<'a, T>(
        &mut self,
        parameters: &'a Parameters<T>,
        numbers: &impl Fn(&'a T) -> &'a [f32],
        calibration: &Calibration,
    ) {
        let (hidden, wide) = (self.hidden, self.wide);
        for (index, (layer, from)) in self.layers.iter_mut().zip(&parameters.layers).enumerate() {
            let Some(seen) = calibration.layer(index) else { return };
            let Layer { qkv, out, up, down, .. } = layer;
            let products = [
                (qkv, &from.qkv[..], &seen.qkv, (hidden, hidden)),
                (out, std::slice::from_ref(&from.out), &seen.out, (hidden, hidden)),
                (up, std::slice::from_ref(&from.up), &seen.up, (wide, hidden)),
                (down, std::slice::from_ref(&from.down), &seen.down, (hidden, wide)),
            ];
            for (linear, from, largest, shape) in products {
                let weight = |from: &'a Affine<T>| Weight {
                    numbers: numbers(&from.weight),
                    outputs: shape.0,
                    inputs: shape.1,
                };
                let weights: Vec<_> = from.iter().map(weight).collect();
                if let Some(factors) = factors(largest, &weights) {
                    linear.smooth(factors);
                }
            }
        }
    }

    /// Packs the current parameters again, except for those of the lowest `frozen` layers.
    pub(super) fn set<'a, T: Sync>(
        &mut self,
        run: Run,
        frozen: usize,
        parameters: &'a Parameters<T>,
        numbers: &(impl Fn(&'a T) -> &'a [f32] + Sync),
    ) {
        let (precision, hidden, wide) = (self.precision, self.hidden, self.wide);
        self.table.copy_from_slice(numbers(&parameters.table));
        self.norm.set(numbers(&parameters.norm.weight), numbers(&parameters.norm.bias));
        let layers: Vec<_> = self.layers.iter_mut().zip(&parameters.layers).skip(frozen).collect();
        super::ops::map(run.threads, layers, |(layer, from): (&mut Layer, &'a LayerParameters<T>)| {
            let set = |linear: &mut Linear, from: &'a [Affine<T>], outputs: usize, inputs: usize| {
                let weights: Vec<_> = from
                    .iter()
                    .map(|from| Weight { numbers: numbers(&from.weight), outputs, inputs })
                    .collect();
                let biases: Vec<_> = from.iter().map(|from| numbers(&from.bias)).collect();
                linear.set(run, precision, &weights, &biases);
            };
            set(&mut layer.qkv, &from.qkv, hidden, hidden);
            set(&mut layer.out, std::slice::from_ref(&from.out), hidden, hidden);
            set(&mut layer.up, std::slice::from_ref(&from.up), wide, hidden);
            set(&mut layer.down, std::slice::from_ref(&from.down), hidden, wide);
            for (norm, from) in [
                (&mut layer.attention_norm, &from.attention_norm),
                (&mut layer.output_norm, &from.output_norm),
            ] {
                norm.set(numbers(&from.weight), numbers(&from.bias));
            }
        });
    }

    /// Encodes the texts in `space.batch`: one L2-normalised vector each, left in `space.vectors`.
    /// `record` keeps what the backward pass or a calibration needs.
    pub(super) fn embed(&self, run: Run, tables: Tables<'_>, space: &mut Workspace, mut record: Record<'_>) {
        self.input(run, tables, space, &mut record);
        self.pass(run, 0..self.layers.len(), space, &mut record);
        self.pool(space);
    }

    /// Runs some of the layers on `space.x`, in place.
    pub(super) fn pass(
        &self,
        run: Run,
        layers: Range<usize>,
        space: &mut Workspace,
        record: &mut Record<'_>,
    ) {
        for index in layers {
            self.layers[index].forward(run, self, space, record.layer(index));
        }
    }

    /// The input of the first layer: the sum of word and position vectors, normalised.
    pub(super) fn input(&self, run: Run, tables: Tables<'_>, space: &mut Workspace, record: &mut Record<'_>) {
        self.sum(tables, space);
        self.normalise(run, space, record);
    }

    /// Computes the sum of word and position vectors into `space.sum`.
    pub(super) fn sum(&self, tables: Tables<'_>, space: &mut Workspace) {
        self.prepare(space);
        let sum = fit(&mut space.sum, space.batch.tokens() * self.hidden);
        add_embeddings(&space.batch, tables, self.hidden, sum);
    }

    /// Computes the input of the first layer from `space.sum`.
    pub(super) fn normalise(&self, run: Run, space: &mut Workspace, record: &mut Record<'_>) {
        let narrow = space.batch.tokens() * self.hidden;
        let sum = &space.sum[..narrow];
        if let Record::Tape(tape) = record {
            tape.input.store(run, sum);
        }
        self.norm.forward(run, sum, fit(&mut space.x, narrow));
    }

    /// Computes the vectors of the texts from the output of the last layer.
    pub(super) fn pool(&self, space: &mut Workspace) {
        let narrow = space.batch.lengths.len() * self.hidden;
        let pooled = fit(&mut space.pooled, narrow);
        mean_pool(&space.batch.lengths, self.hidden, &space.x, pooled);
        normalise(self.hidden, pooled, fit(&mut space.vectors, narrow));
    }

    /// Looks up the position biases of a batch.
    pub(super) fn prepare(&self, space: &mut Workspace) {
        let longest = space.batch.lengths.iter().copied().max().unwrap_or(1);
        space.bias.set(&self.table, self.heads, longest);
    }

    pub(super) fn attention<'a>(&self, batch: &'a Batch, bias: &'a PositionBias) -> Attention<'a> {
        Attention {
            lengths: &batch.lengths,
            starts: &batch.starts,
            heads: self.heads,
            width: self.hidden,
            bias,
            precision: self.precision,
        }
    }
}

impl Layer {
    /// Turns `space.x` from the layer's input into its output.
    pub(super) fn forward(
        &self,
        run: Run,
        model: &Mpnet,
        space: &mut Workspace,
        mut record: LayerRecord<'_>,
    ) {
        let tokens = space.batch.tokens();
        let (narrow, wide) = (tokens * model.hidden, tokens * model.wide);
        let x = fit(&mut space.x, narrow);
        let qkv = fit(&mut space.qkv, 3 * narrow);
        self.qkv.forward(run, x, Then::Nothing, qkv);
        let attended = fit(&mut space.attended, narrow);
        model.attention(&space.batch, &space.bias).forward(run, qkv, attended);
        let sum = fit(&mut space.sum, narrow);
        self.out.forward(run, attended, Then::Add(x), sum);
        let middle = fit(&mut space.middle, narrow);
        self.attention_norm.forward(run, sum, middle);
        match &mut record {
            LayerRecord::Nothing => {}
            LayerRecord::Tape(tape) => {
                tape.qkv.store(run, qkv);
                tape.attended.store(run, attended);
                tape.attention_sum.store(run, sum);
            }
            LayerRecord::Largest(largest) => {
                observe(&mut largest.qkv, x, model.hidden);
                observe(&mut largest.out, attended, model.hidden);
                observe(&mut largest.up, middle, model.hidden);
            }
        }
        let wide = fit(&mut space.wide, wide);
        if let LayerRecord::Tape(tape) = &mut record {
            self.up.forward(run, middle, Then::Nothing, wide);
            tape.wide.store(run, wide);
            gelu(run, wide, model.wide);
        } else {
            self.up.forward(run, middle, Then::Gelu, wide);
        }
        self.down.forward(run, wide, Then::Add(middle), sum);
        match record {
            LayerRecord::Nothing => {}
            LayerRecord::Tape(tape) => tape.output_sum.store(run, sum),
            LayerRecord::Largest(largest) => observe(&mut largest.down, wide, model.wide),
        }
        self.output_norm.forward(run, sum, x);
    }
}

/// The sum of the word vector and the position vector of each token.
fn add_embeddings(batch: &Batch, tables: Tables<'_>, hidden: usize, into: &mut [f32]) {
    let Tables { words, positions } = tables;
    let places = batch.ids.iter().zip(&batch.positions);
    for ((&id, &position), into) in places.zip(into.chunks_exact_mut(hidden)) {
        into.copy_from_slice(&words[id as usize * hidden..][..hidden]);
        for (x, y) in into.iter_mut().zip(&positions[position as usize * hidden..][..hidden]) {
            *x += y;
        }
    }
}
