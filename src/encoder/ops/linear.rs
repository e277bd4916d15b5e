//! Products with weight matrices, `x Wᵀ + b`.
//!
//! A weight has shape `(outputs, inputs)`. Its memory may be row-major, as files and variables have it, or column-major,
//! as [`column_major`] makes it: the forward product wants the latter and makes a transposed copy of a row-major one,
//! which is lost time for a query, but nothing beside a training batch.

use std::borrow::Cow;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::matrix::{Matrix, MatrixMut, Write, multiply, transpose};
use super::{Floats, ROWS, column_sums, floats, map, simd, tensor};

/// A weight of shape `(outputs, inputs)` in column-major memory, from its row-major numbers.
pub(in crate::encoder) fn column_major(numbers: &[f32], shape: (usize, usize)) -> Result<Tensor> {
    let mut turned = vec![0.0; numbers.len()];
    transpose(numbers, shape.1, &mut turned, rayon::current_num_threads());
    tensor(turned, (shape.1, shape.0))?.t()
}

/// `Wᵀ`, row-major.
struct Transposed<'a>(Cow<'a, [f32]>);

impl<'a> Transposed<'a> {
    fn new(storage: &'a CpuStorage, layout: &Layout, threads: usize) -> Result<Self> {
        if !layout.is_contiguous() {
            return floats(storage, &layout.transpose(0, 1)?).map(|weight| Transposed(Cow::Borrowed(weight)));
        }
        let weight = floats(storage, layout)?;
        let mut turned = vec![0.0; weight.len()];
        transpose(weight, layout.dims()[1], &mut turned, threads);
        Ok(Transposed(Cow::Owned(turned)))
    }

    fn matrix(&self, inputs: usize, outputs: usize) -> Matrix<'_> {
        Matrix::new(&self.0, inputs, outputs, outputs)
    }
}

/// `(rows, inputs)` of the argument and `outputs` of a weight `(outputs, inputs)`.
fn sizes(x: &[usize], weight: &[usize]) -> Result<(usize, usize, usize)> {
    match (x, weight) {
        (&[rows, inputs], &[outputs, same]) if inputs == same => Ok((rows, inputs, outputs)),
        _ => bail!("a linear layer got an input of shape {x:?} for a weight of shape {weight:?}"),
    }
}

fn add_bias(out: &mut [f32], bias: &[f32], threads: usize) {
    let chunks = out.chunks_mut(ROWS * bias.len()).collect();
    map(threads, chunks, |rows: &mut [f32]| {
        rows.chunks_exact_mut(bias.len()).for_each(|row| simd::add(row, bias));
    });
}

/// Gradients of the input and of the weight of `x Wᵀ`, where `grad`'s rows start `stride` apart.
struct Backward<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    sizes: (usize, usize, usize),
    grad: &'a [f32],
    stride: usize,
    threads: usize,
}

impl Backward<'_> {
    fn grad(&self) -> Matrix<'_> {
        Matrix::new(self.grad, self.sizes.0, self.sizes.2, self.stride)
    }

    fn input(&self, into: &mut [f32], write: Write) {
        let (_, inputs, outputs) = self.sizes;
        let weight = Matrix::new(self.weight, outputs, inputs, inputs);
        multiply(MatrixMut::new(into, inputs), self.grad(), weight, write, self.threads);
    }

    fn weight(&self) -> Result<Tensor> {
        let (rows, inputs, outputs) = self.sizes;
        let mut d_weight = vec![0.0; outputs * inputs];
        let x = Matrix::new(self.x, rows, inputs, inputs);
        multiply(MatrixMut::new(&mut d_weight, inputs), self.grad().t(), x, Write::Replace, self.threads);
        tensor(d_weight, (outputs, inputs))
    }
}

/// `(x, W, b) ↦ x Wᵀ + b` for `x` of shape `(rows, inputs)` and `W` of shape `(outputs, inputs)`.
pub(in crate::encoder) struct Linear {
    pub(in crate::encoder) threads: usize,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs, outputs) = sizes(l1.dims(), l2.dims())?;
        let x = Matrix::new(floats(s1, l1)?, rows, inputs, inputs);
        let weight = Transposed::new(s2, l2, self.threads)?;
        let weight = weight.matrix(inputs, outputs);
        let mut out = vec![0.0; rows * outputs];
        multiply(MatrixMut::new(&mut out, outputs), x, weight, Write::Replace, self.threads);
        add_bias(&mut out, floats(s3, l3)?, self.threads);
        Ok((CpuStorage::F32(out), (rows, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let sizes = sizes(x.dims(), weight.dims())?;
        let (x, weight, grad) = (Floats::of(x)?, Floats::of(weight)?, Floats::of(&grad)?);
        let (rows, inputs, outputs) = sizes;
        let threads = self.threads;
        let backward = Backward { x: &x, weight: &weight, sizes, grad: &grad, stride: outputs, threads };
        let mut d_x = vec![0.0; rows * inputs];
        backward.input(&mut d_x, Write::Replace);
        let d_bias = tensor(column_sums(&grad, outputs, threads), outputs)?;
        Ok((Some(tensor(d_x, (rows, inputs))?), Some(backward.weight()?), Some(d_bias)))
    }
}

/// `(x, V, W) ↦ [x Vᵀ | x Wᵀ]`: two projections of one input side by side, without biases.
pub(in crate::encoder) struct LinearPair {
    pub(in crate::encoder) threads: usize,
}

impl CustomOp3 for LinearPair {
    fn name(&self) -> &'static str {
        "linear-pair"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs, outputs) = sizes(l1.dims(), l2.dims())?;
        if l2.dims() != l3.dims() {
            bail!("a linear pair got weights of shapes {:?} and {:?}", l2.dims(), l3.dims());
        }
        let x = Matrix::new(floats(s1, l1)?, rows, inputs, inputs);
        let mut out = vec![0.0; rows * 2 * outputs];
        for (storage, layout, start) in [(s2, l2, 0), (s3, l3, outputs)] {
            let weight = Transposed::new(storage, layout, self.threads)?;
            let into = MatrixMut::new(out.get_mut(start..).unwrap_or_default(), 2 * outputs);
            multiply(into, x, weight.matrix(inputs, outputs), Write::Replace, self.threads);
        }
        Ok((CpuStorage::F32(out), (rows, 2 * outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        first: &Tensor,
        second: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let sizes = sizes(x.dims(), first.dims())?;
        let (rows, inputs, outputs) = sizes;
        let (x, grad) = (Floats::of(x)?, Floats::of(&grad)?);
        let mut d_x = vec![0.0; rows * inputs];
        let mut side = |weight: &Tensor, start: usize, write: Write| {
            let weight = Floats::of(weight)?;
            let grad = grad.get(start..).unwrap_or_default();
            let (stride, threads) = (2 * outputs, self.threads);
            let backward = Backward { x: &x, weight: &weight, sizes, grad, stride, threads };
            backward.input(&mut d_x, write);
            backward.weight()
        };
        let d_first = side(first, 0, Write::Replace)?;
        let d_second = side(second, outputs, Write::Accumulate)?;
        Ok((Some(tensor(d_x, (rows, inputs))?), Some(d_first), Some(d_second)))
    }
}

/// `(x, W, b) ↦ gelu(x) Wᵀ + b`. The activation is computed again in the backward pass instead of being kept.
pub(in crate::encoder) struct GeluLinear {
    pub(in crate::encoder) threads: usize,
}

impl GeluLinear {
    fn activate(&self, x: &[f32], width: usize) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        let chunk = ROWS * width.max(1);
        let pairs = x.chunks(chunk).zip(out.chunks_mut(chunk)).collect();
        map(self.threads, pairs, |(x, out): (&[f32], &mut [f32])| simd::gelu(x, out));
        out
    }
}

impl CustomOp3 for GeluLinear {
    fn name(&self) -> &'static str {
        "gelu-linear"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inputs, outputs) = sizes(l1.dims(), l2.dims())?;
        let active = self.activate(floats(s1, l1)?, inputs);
        let weight = Transposed::new(s2, l2, self.threads)?;
        let weight = weight.matrix(inputs, outputs);
        let mut out = vec![0.0; rows * outputs];
        let x = Matrix::new(&active, rows, inputs, inputs);
        multiply(MatrixMut::new(&mut out, outputs), x, weight, Write::Replace, self.threads);
        add_bias(&mut out, floats(s3, l3)?, self.threads);
        Ok((CpuStorage::F32(out), (rows, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let sizes = sizes(x.dims(), weight.dims())?;
        let (rows, inputs, outputs) = sizes;
        let (x, weight, grad) = (Floats::of(x)?, Floats::of(weight)?, Floats::of(&grad)?);
        let threads = self.threads;
        let (mut active, mut d_x) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let mut backward = Backward { x: &[], weight: &weight, sizes, grad: &grad, stride: outputs, threads };
        backward.input(&mut d_x, Write::Replace);
        let chunk = ROWS * inputs.max(1);
        let parts = x.chunks(chunk).zip(d_x.chunks_mut(chunk)).zip(active.chunks_mut(chunk)).collect();
        map(threads, parts, |((x, d_x), active): ((&[f32], &mut [f32]), &mut [f32])| {
            simd::gelu_backward(x, d_x, active);
        });
        backward.x = &active;
        let d_weight = backward.weight()?;
        let d_bias = tensor(column_sums(&grad, outputs, threads), outputs)?;
        Ok((Some(tensor(d_x, (rows, inputs))?), Some(d_weight), Some(d_bias)))
    }
}
