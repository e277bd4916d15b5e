//! Products with weight matrices, `x Wᵀ + b`, for `x` of shape `(tokens, inputs)` and `W` of shape `(outputs, inputs)`.

use super::factor::{Source, View};
use super::kernel::EncoderPrecision;
use super::panels::Panels;
use super::part::Part;
use super::product::multiply;
use super::run::{Run, map};
use super::target::Target;
use super::{ROWS, simd};

/// A packed weight and a bias. Weights that share an input are packed side by side as one.
#[derive(Default)]
pub(in crate::encoder) struct Linear {
    panels: Panels,
    bias: Vec<f32>,
    /// Smoothing factors. Inputs are divided by them; the packed weight is already multiplied by them.
    smoothing: Option<Smoothing>,
}

struct Smoothing {
    factors: Vec<f32>,
    inverse: Vec<f32>,
}

/// Tokens that a weight gradient sums over at a time. With more, a block that fits the cache would be so narrow that
/// each of its rows is on a page of its own.
const SUMMED: usize = 1024;

/// What to do with `x Wᵀ + b` while it is still in the L1 cache.
#[derive(Clone, Copy)]
pub(in crate::encoder) enum Then<'a> {
    Nothing,
    /// The Gaussian error linear unit.
    Gelu,
    /// Add these numbers, which have the result's shape.
    Add(&'a [f32]),
}

/// A weight's numbers and their shape.
#[derive(Clone, Copy)]
pub(in crate::encoder) struct Weight<'a> {
    pub(in crate::encoder) numbers: &'a [f32],
    pub(in crate::encoder) outputs: usize,
    pub(in crate::encoder) inputs: usize,
}

impl<'a> Weight<'a> {
    fn view(self) -> View<'a> {
        View::new(self.numbers, self.outputs, self.inputs, self.inputs)
    }
}

impl Linear {
    /// Divides the inputs by these factors before they are quantised to int8, and multiplies the weight by them. This
    /// moves outliers of the inputs into the weight (Xiao et al., "SmoothQuant", 2023).
    pub(in crate::encoder) fn smooth(&mut self, factors: Vec<f32>) {
        let inverse = factors.iter().map(|factor| 1.0 / factor).collect();
        self.smoothing = Some(Smoothing { factors, inverse });
    }

    /// Packs weights and biases of one or more layers, side by side.
    pub(in crate::encoder) fn set(
        &mut self,
        run: Run,
        precision: EncoderPrecision,
        weights: &[Weight<'_>],
        biases: &[&[f32]],
    ) {
        let views: Vec<_> = weights.iter().map(|weight| weight.view()).collect();
        let factors = self.smoothing.as_ref().map(|smoothing| &smoothing.factors[..]);
        self.panels.fill_transposed(run.kernel, precision, &views, factors);
        self.bias.clear();
        biases.iter().for_each(|bias| self.bias.extend_from_slice(bias));
        assert_eq!(self.bias.len(), self.panels.columns(), "a bias for each output");
    }

    pub(in crate::encoder) fn forward(&self, run: Run, x: &[f32], then: Then<'_>, out: &mut [f32]) {
        let (inputs, outputs) = (self.panels.depth(), self.panels.columns());
        let rows = x.len() / inputs.max(1);
        let view = View::new(x, rows, inputs, inputs);
        let source = match &self.smoothing {
            Some(smoothing) => Source::Smoothed(view, &smoothing.inverse),
            None => Source::Rows(view),
        };
        multiply(run, source, &self.panels, Target::new(out, outputs), &|mut part: Part<'_>| {
            let bias = &self.bias[part.column..part.column + part.width()];
            match then {
                Then::Nothing => simd::write_with_bias(&mut part, bias),
                Then::Gelu => simd::write_gelu_with_bias(&mut part, bias),
                Then::Add(more) => simd::write_with_bias_and(&mut part, bias, more, outputs),
            }
        });
    }
}

/// Columns of a matrix that holds the gradients of the results of one or more layers, side by side.
#[derive(Clone, Copy)]
pub(in crate::encoder) struct Columns<'a> {
    pub(in crate::encoder) numbers: &'a [f32],
    /// The matrix's columns in all.
    pub(in crate::encoder) stride: usize,
    /// The first of these columns.
    pub(in crate::encoder) first: usize,
}

impl<'a> Columns<'a> {
    /// All columns of a matrix.
    pub(in crate::encoder) fn all(numbers: &'a [f32], stride: usize) -> Self {
        Columns { numbers, stride, first: 0 }
    }

    /// `width` of the columns, of `rows` rows from `row` on.
    fn view(self, row: usize, rows: usize, width: usize) -> View<'a> {
        View::new(&self.numbers[row * self.stride + self.first..], rows, width, self.stride)
    }
}

/// The gradient of a layer's result, and the place of its weight's gradient; empty if the weight is frozen.
pub(in crate::encoder) struct WeightGradient<'a> {
    pub(in crate::encoder) grad: Columns<'a>,
    pub(in crate::encoder) into: &'a mut [f32],
}

/// Adds the weight gradients, `gradᵀ x` each, of several weights with the same input `x` of `inputs` columns. Skips
/// frozen ones. `panels` is scratch memory.
pub(in crate::encoder) fn weight_gradients(
    run: Run,
    precision: EncoderPrecision,
    x: &[f32],
    inputs: usize,
    weights: &mut [WeightGradient<'_>],
    panels: &mut Panels,
) {
    if weights.iter().all(|weight| weight.into.is_empty()) {
        return;
    }
    let rows = x.len() / inputs;
    let some = rows.div_ceil(rows.div_ceil(SUMMED).max(1)).next_multiple_of(2).max(2);
    for start in (0..rows).step_by(some) {
        let count = some.min(rows - start);
        panels.fill(run, precision, View::new(&x[start * inputs..], count, inputs, inputs));
        for WeightGradient { grad, into } in &mut *weights {
            let grad = grad.view(start, count, into.len() / inputs);
            let target = Target::new(into, inputs);
            multiply(run, Source::Columns(grad), panels, target, &|part: Part<'_>| part.add());
        }
    }
}

/// Whether a result replaces the numbers in its place or is added to them.
#[derive(Clone, Copy)]
pub(in crate::encoder) enum Before {
    Replaced,
    Added,
}

/// Writes `grad W`, the gradient of an input, to `into`, or adds it. `panels` is scratch memory.
pub(in crate::encoder) fn input_gradient(
    run: Run,
    precision: EncoderPrecision,
    weight: Weight<'_>,
    grad: Columns<'_>,
    into: &mut [f32],
    before: Before,
    panels: &mut Panels,
) {
    let rows = into.len() / weight.inputs;
    panels.fill(run, precision, weight.view());
    let target = Target::new(into, weight.inputs);
    let grad = grad.view(0, rows, weight.outputs);
    multiply(run, Source::Rows(grad), panels, target, &|part: Part<'_>| match before {
        Before::Replaced => part.write(),
        Before::Added => part.add(),
    });
}

/// Adds the column sums of `grad`, the gradient of a bias, to `into`. Does nothing if `into` is empty.
pub(in crate::encoder) fn bias_gradient(run: Run, grad: &[f32], into: &mut [f32]) {
    let width = into.len();
    if width == 0 {
        return;
    }
    let parts = map(run.threads, grad.chunks(ROWS * width).collect(), |rows: &[f32]| {
        let mut sums = vec![0.0; width];
        rows.chunks_exact(width).for_each(|row| simd::add(&mut sums, row));
        sums
    });
    parts.iter().for_each(|part| simd::add(into, part));
}
