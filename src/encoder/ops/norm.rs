//! Layer normalisation of a sum.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{Floats, ROWS, floats, map, simd, tensor};

/// `(x, residual, [weight | bias]) ↦ LayerNorm(x + residual) * weight + bias` over the last dimension (Ba et al. 2016).
/// The sum is not kept. Weight and bias come as one vector because an operation has three arguments at most.
pub(in crate::encoder) struct AddNorm {
    pub(in crate::encoder) eps: f32,
    pub(in crate::encoder) threads: usize,
}

fn width_of(x: &[usize], residual: &[usize], affine: &[usize]) -> Result<usize> {
    match (x, affine) {
        (&[_, width], &[both]) if both == 2 * width && width > 0 && x == residual => Ok(width),
        _ => bail!("a layer norm got shapes {x:?}, {residual:?} and {affine:?}"),
    }
}

impl CustomOp3 for AddNorm {
    fn name(&self) -> &'static str {
        "add-norm"
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
        let width = width_of(l1.dims(), l2.dims(), l3.dims())?;
        let (x, residual) = (floats(s1, l1)?, floats(s2, l2)?);
        let (weight, bias) = floats(s3, l3)?.split_at(width);
        let mut out = vec![0.0; x.len()];
        let chunk = ROWS * width;
        let parts = out.chunks_mut(chunk).zip(x.chunks(chunk)).zip(residual.chunks(chunk)).collect();
        map(self.threads, parts, |((out, x), residual): ((&mut [f32], &[f32]), &[f32])| {
            let rows =
                out.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(residual.chunks_exact(width));
            for ((out, x), residual) in rows {
                simd::standardise(x, residual, self.eps, out);
                simd::affine(out, weight, bias);
            }
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        residual: &Tensor,
        affine: &Tensor,
        _res: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let shape = x.shape().clone();
        let width = width_of(x.dims(), residual.dims(), affine.dims())?;
        let grad = grad.contiguous()?;
        let (x, residual, grad) = (Floats::of(x)?, Floats::of(residual)?, Floats::of(&grad)?);
        let affine = Floats::of(affine)?;
        let weight = &affine[..width];
        let mut d_x = vec![0.0; x.len()];
        let chunk = ROWS * width;
        let parts: Vec<_> = d_x.chunks_mut(chunk).enumerate().collect();
        let sums = map(self.threads, parts, |(at, d_x): (usize, &mut [f32])| {
            let mut d_affine = vec![0.0; 2 * width];
            let (d_weight, d_bias) = d_affine.split_at_mut(width);
            for (row, d_x) in d_x.chunks_exact_mut(width).enumerate() {
                let here = at * chunk + row * width..at * chunk + (row + 1) * width;
                let scale = simd::standardise(&x[here.clone()], &residual[here.clone()], self.eps, d_x);
                simd::affine_backward(d_x, scale, weight, &grad[here], d_weight, d_bias);
            }
            d_affine
        });
        let mut d_affine = vec![0.0; 2 * width];
        sums.iter().for_each(|part| simd::add(&mut d_affine, part));
        let d_x = tensor(d_x, shape)?;
        Ok((Some(d_x.clone()), Some(d_x), Some(tensor(d_affine, 2 * width)?)))
    }
}
