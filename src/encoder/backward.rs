//! The backward pass: from the gradient of the vectors to the gradients of all parameters.

use super::mpnet::{Mpnet, Workspace};
use super::ops::{
    Attended, Before, Columns, Panels, Run, Weight, WeightGradient, bias_gradient, fit, gelu_backward,
    input_gradient, mean_pool_backward, normalise_backward, weight_gradients,
};
use super::parameters::{Affine, Parameters};
use super::tape::{LayerTape, Tape};

/// Gradients of activations. Their memory is reused from batch to batch.
#[derive(Default)]
pub(super) struct BackwardSpace {
    /// The gradient of a layer's result, then that of its input. Swaps buffers with the workspace's `sum`.
    grad: Vec<f32>,
    middle: Vec<f32>,
    attended: Vec<f32>,
    wide: Vec<f32>,
    qkv: Vec<f32>,
    panels: Panels,
}

/// The parameters as indices into a list, their numbers, and their accumulated gradients.
pub(super) struct Sums<'a> {
    pub(super) places: &'a Parameters<usize>,
    pub(super) numbers: &'a [Vec<f32>],
    pub(super) gradients: &'a mut [Vec<f32>],
    /// The number of frozen layers. If it is not 0, the embeddings and the position biases are frozen too. The gradient
    /// of a frozen parameter is empty, and nothing is added to it.
    pub(super) frozen: usize,
}

impl Sums<'_> {
    /// The gradients of a weight and of its bias.
    ///
    /// # Panics
    /// If both have the same index. [`Parameters::build`] gives each its own.
    fn both(&mut self, affine: &Affine<usize>) -> (&mut [f32], &mut [f32]) {
        match self.gradients.get_disjoint_mut([affine.weight, affine.bias]) {
            Ok([weight, bias]) => (weight, bias),
            Err(_) => unreachable!("a weight and its bias in one place"),
        }
    }

    /// The gradients of the weights of several layers.
    ///
    /// # Panics
    /// As [`both`](Self::both).
    fn weights<const N: usize>(&mut self, affines: &[Affine<usize>; N]) -> [&mut [f32]; N] {
        match self.gradients.get_disjoint_mut(affines.each_ref().map(|affine| affine.weight)) {
            Ok(weights) => weights.map(Vec::as_mut_slice),
            Err(_) => unreachable!("two weights in one place"),
        }
    }
}

impl Mpnet {
    /// Adds the gradients of all parameters that are not frozen to `sums`, given the gradient of the vectors, `(texts,
    /// hidden)`. `tape` and `space` belong to the batch of those vectors. `space.batch` is as `embed` left it.
    pub(super) fn backward(
        &self,
        run: Run,
        space: &mut Workspace,
        back: &mut BackwardSpace,
        tape: &Tape,
        d_vectors: &mut [f32],
        sums: &mut Sums<'_>,
    ) {
        let grad = self.input_backward(run, space, back, tape, d_vectors, sums);
        if sums.frozen > 0 {
            return;
        }
        let (hidden, places) = (self.hidden, sums.places);
        for (ids, place) in [(&space.batch.ids, places.words), (&space.batch.positions, places.positions)] {
            let table = &mut sums.gradients[place];
            for (&id, row) in ids.iter().zip(grad.chunks_exact(hidden)) {
                let into = &mut table[id as usize * hidden..][..hidden];
                into.iter_mut().zip(row).for_each(|(into, x)| *into += x);
            }
        }
    }

    /// Runs [`backward`](Self::backward) down to the tape's input and returns its gradient, `(tokens, hidden)`. The
    /// input is the sum of the embeddings or, with frozen layers, their output.
    pub(super) fn input_backward<'a>(
        &self,
        run: Run,
        space: &mut Workspace,
        back: &'a mut BackwardSpace,
        tape: &Tape,
        d_vectors: &mut [f32],
        sums: &mut Sums<'_>,
    ) -> &'a [f32] {
        let (tokens, hidden, frozen) = (space.batch.tokens(), self.hidden, sums.frozen);
        let narrow = tokens * hidden;
        self.prepare(space);
        let pooled = &space.pooled[..d_vectors.len()];
        normalise_backward(hidden, pooled, d_vectors);
        mean_pool_backward(&space.batch.lengths, hidden, d_vectors, fit(&mut back.grad, narrow));
        let places = sums.places;
        for index in (frozen..places.layers.len()).rev() {
            match index == frozen && frozen > 0 {
                true => tape.input.load(run, fit(&mut space.x, narrow)),
                false => self.layer_input(run, index, tape, space, narrow),
            }
            self.layer_backward(run, index, &tape.layers()[index], space, back, sums);
        }
        if frozen == 0 {
            let sum = fit(&mut space.sum, narrow);
            tape.input.load(run, sum);
            let (d_weight, d_bias) = sums.both(&places.norm);
            self.norm.backward(run, sum, &back.grad[..narrow], d_weight, d_bias);
            std::mem::swap(&mut space.sum, &mut back.grad);
        }
        &back.grad[..narrow]
    }

    /// Recomputes the input of a layer from the input of the norm before it, into `space.x`.
    fn layer_input(&self, run: Run, index: usize, tape: &Tape, space: &mut Workspace, narrow: usize) {
        let sum = fit(&mut space.sum, narrow);
        let norm = match index.checked_sub(1) {
            None => {
                tape.input.load(run, sum);
                &self.norm
            }
            Some(before) => {
                tape.layers()[before].output_sum.load(run, sum);
                &self.layers[before].output_norm
            }
        };
        norm.forward(run, sum, fit(&mut space.x, narrow));
    }

    /// Turns `back.grad` from the gradient of a layer's result into that of its input, which is in `space.x`.
    fn layer_backward(
        &self,
        run: Run,
        index: usize,
        tape: &LayerTape,
        space: &mut Workspace,
        back: &mut BackwardSpace,
        sums: &mut Sums<'_>,
    ) {
        self.wide_backward(run, index, tape, space, back, sums);
        self.attention_backward(run, index, tape, space, back, sums);
    }

    /// Turns `back.grad` from the gradient of a layer's result into that of its first norm's result. Leaves the input
    /// of that norm in `space.sum`.
    fn wide_backward(
        &self,
        run: Run,
        index: usize,
        tape: &LayerTape,
        space: &mut Workspace,
        back: &mut BackwardSpace,
        sums: &mut Sums<'_>,
    ) {
        let (layer, from) = (&self.layers[index], &sums.places.layers[index]);
        let (hidden, wide, precision) = (self.hidden, self.wide, self.precision);
        let tokens = space.batch.tokens();
        let narrow = tokens * hidden;
        let BackwardSpace { grad, middle, wide: d_wide, panels, .. } = back;

        let sum = fit(&mut space.sum, narrow);
        tape.output_sum.load(run, sum);
        let (d_weight, d_bias) = sums.both(&from.output_norm);
        layer.output_norm.backward(run, sum, &grad[..narrow], d_weight, d_bias);

        let active = fit(&mut space.wide, tokens * wide);
        tape.wide.load(run, active);
        let d_wide = fit(d_wide, tokens * wide);
        let down = Weight { numbers: &sums.numbers[from.down.weight], outputs: hidden, inputs: wide };
        input_gradient(run, precision, down, Columns::all(sum, hidden), d_wide, Before::Replaced, panels);
        gelu_backward(run, active, d_wide, wide);
        let (d_weight, d_bias) = sums.both(&from.down);
        let of_weight = WeightGradient { grad: Columns::all(sum, hidden), into: d_weight };
        weight_gradients(run, precision, active, wide, &mut [of_weight], panels);
        bias_gradient(run, sum, d_bias);

        std::mem::swap(&mut space.sum, grad);
        let (sum, grad) = (fit(&mut space.sum, narrow), &mut grad[..narrow]);
        tape.attention_sum.load(run, sum);
        let middle = fit(middle, narrow);
        layer.attention_norm.forward(run, sum, middle);
        let up = Weight { numbers: &sums.numbers[from.up.weight], outputs: wide, inputs: hidden };
        input_gradient(run, precision, up, Columns::all(d_wide, wide), grad, Before::Added, panels);
        let (d_weight, d_bias) = sums.both(&from.up);
        let of_weight = WeightGradient { grad: Columns::all(d_wide, wide), into: d_weight };
        weight_gradients(run, precision, middle, hidden, &mut [of_weight], panels);
        bias_gradient(run, d_wide, d_bias);
    }

    /// Turns `back.grad` from the gradient of the first norm's result into that of the layer's input.
    fn attention_backward(
        &self,
        run: Run,
        index: usize,
        tape: &LayerTape,
        space: &mut Workspace,
        back: &mut BackwardSpace,
        sums: &mut Sums<'_>,
    ) {
        let (layer, from) = (&self.layers[index], &sums.places.layers[index]);
        let (hidden, precision) = (self.hidden, self.precision);
        let narrow = space.batch.tokens() * hidden;
        let BackwardSpace { grad, attended, qkv: d_qkv, panels, .. } = back;
        let sum = fit(&mut space.sum, narrow);
        let (d_weight, d_bias) = sums.both(&from.attention_norm);
        layer.attention_norm.backward(run, sum, &grad[..narrow], d_weight, d_bias);
        let out = fit(&mut space.attended, narrow);
        tape.attended.load(run, out);
        let d_out = fit(attended, narrow);
        let weight = Weight { numbers: &sums.numbers[from.out.weight], outputs: hidden, inputs: hidden };
        input_gradient(run, precision, weight, Columns::all(sum, hidden), d_out, Before::Replaced, panels);
        let (d_weight, d_bias) = sums.both(&from.out);
        let of_weight = WeightGradient { grad: Columns::all(sum, hidden), into: d_weight };
        weight_gradients(run, precision, out, hidden, &mut [of_weight], panels);
        bias_gradient(run, sum, d_bias);

        let qkv = fit(&mut space.qkv, 3 * narrow);
        tape.qkv.load(run, qkv);
        let d_qkv = fit(d_qkv, 3 * narrow);
        let attention = self.attention(&space.batch, &space.bias);
        let attended = Attended { out, grad: d_out };
        attention.backward(run, qkv, attended, d_qkv, &mut sums.gradients[sums.places.table]);
        std::mem::swap(&mut space.sum, grad);
        let (grad, x) = (&mut grad[..narrow], &space.x[..narrow]);
        let mut d_biases = vec![0.0; 3 * hidden];
        bias_gradient(run, d_qkv, &mut d_biases);
        let columns =
            [0, 1, 2].map(|which| Columns { numbers: &*d_qkv, stride: 3 * hidden, first: which * hidden });
        for (columns, from) in columns.into_iter().zip(&from.qkv) {
            let weight = Weight { numbers: &sums.numbers[from.weight], outputs: hidden, inputs: hidden };
            input_gradient(run, precision, weight, columns, grad, Before::Added, panels);
        }
        let weights = columns.into_iter().zip(sums.weights(&from.qkv));
        let mut weights: Vec<_> = weights.map(|(grad, into)| WeightGradient { grad, into }).collect();
        weight_gradients(run, precision, x, hidden, &mut weights, panels);
        for (from, d_bias) in from.qkv.iter().zip(d_biases.chunks_exact(hidden)) {
            let into = &mut sums.gradients[from.bias];
            into.iter_mut().zip(d_bias).for_each(|(into, x)| *into += x);
        }
    }
}
