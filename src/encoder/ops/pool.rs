//! From token vectors to one vector a text.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::{Floats, Lengths, floats, simd, starts, tensor};

/// `(tokens, width) ↦ (texts, width)`: the mean over the tokens of each text.
pub(in crate::encoder) struct MeanPool {
    pub(in crate::encoder) lengths: Lengths,
}

impl CustomOp1 for MeanPool {
    fn name(&self) -> &'static str {
        "mean-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let &[tokens, width] = layout.dims() else { bail!("mean pooling takes (tokens, width)") };
        if tokens != self.lengths.iter().sum::<usize>() {
            bail!("mean pooling got {tokens} tokens for texts of {:?}", self.lengths);
        }
        let x = floats(storage, layout)?;
        let mut out = vec![0.0; self.lengths.len() * width];
        for ((sum, start), &length) in
            out.chunks_exact_mut(width).zip(starts(&self.lengths)).zip(&*self.lengths)
        {
            let rows = &x[start * width..(start + length) * width];
            rows.chunks_exact(width).for_each(|row| simd::add(sum, row));
            let scale = 1.0 / length as f32;
            sum.iter_mut().for_each(|x| *x *= scale);
        }
        Ok((CpuStorage::F32(out), (self.lengths.len(), width).into()))
    }

    fn bwd(&self, arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, width) = arg.dims2()?;
        let grad = grad.contiguous()?;
        let grad = Floats::of(&grad)?;
        let mut d_x = Vec::with_capacity(arg.elem_count());
        for (row, &length) in grad.chunks_exact(width).zip(&*self.lengths) {
            let start = d_x.len();
            let scale = 1.0 / length as f32;
            d_x.extend(row.iter().map(|g| g * scale));
            (1..length).for_each(|_| d_x.extend_from_within(start..start + width));
        }
        tensor(d_x, arg.shape().clone()).map(Some)
    }
}

/// Each row divided by its Euclidean length (at least 1e-12, as in PyTorch).
pub(in crate::encoder) struct Normalise;

const SHORTEST: f32 = 1e-12;

fn length(row: &[f32]) -> f32 {
    simd::dot(row, row).sqrt().max(SHORTEST)
}

impl CustomOp1 for Normalise {
    fn name(&self) -> &'static str {
        "normalise"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let &[_, width] = layout.dims() else { bail!("normalisation takes (texts, width)") };
        let mut out = floats(storage, layout)?.to_vec();
        for row in out.chunks_exact_mut(width.max(1)) {
            let scale = 1.0 / length(row);
            row.iter_mut().for_each(|x| *x *= scale);
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, arg: &Tensor, res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, width) = arg.dims2()?;
        let grad = grad.contiguous()?;
        let (x, y, grad) = (Floats::of(arg)?, Floats::of(res)?, Floats::of(&grad)?);
        let mut d_x = grad.to_vec();
        let rows = d_x.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(y.chunks_exact(width));
        for ((d, x), y) in rows {
            let (scale, along) = (1.0 / length(x), simd::dot(y, d));
            d.iter_mut().zip(y).for_each(|(d, y)| *d = (*d - y * along) * scale);
        }
        tensor(d_x, arg.shape().clone()).map(Some)
    }
}
