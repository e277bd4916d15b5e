//! Post-processing of a product's sums while they are in the L1 cache.

use super::{gelu_of, mul_add};
use crate::encoder::ops::part::Part;
use crate::encoder::ops::tile::COLUMNS;

/// Dequantises sums of integer products. `number` converts one sum to f32.
#[inline(always)]
fn real<const FMA: bool>(
    sums: &mut [f32],
    stride: usize,
    rows: &[(f32, f32)],
    units: &[f32],
    totals: &[f32],
    number: impl Fn(f32) -> f32,
) {
    for (sums, &(scale, zero)) in sums.chunks_mut(stride).zip(rows) {
        for ((sum, unit), total) in sums.iter_mut().zip(units).zip(totals) {
            *sum = mul_add::<FMA>(-zero, *total, number(*sum)) * (scale * unit);
        }
    }
}

vectorised! {
    /// Dequantises sums of int8 products, i32 in the bits of f32. Rows of sums are `stride` apart. `rows` holds the
    /// scale and zero point of each left row, `units` and `totals` the scale and sum of each right column.
    fn dequantise(sums: &mut [f32], stride: usize, rows: &[(f32, f32)], units: &[f32], totals: &[f32]), FMA => {
        real::<FMA>(sums, stride, rows, units, totals, |sum| sum.to_bits().cast_signed() as f32);
    }
}

vectorised! {
    /// [`dequantise`] for int16 products, whose sums are f32 already.
    fn dequantise_sums(sums: &mut [f32], stride: usize, rows: &[(f32, f32)], units: &[f32], totals: &[f32]), FMA => {
        real::<FMA>(sums, stride, rows, units, totals, |sum| sum);
    }
}

/// `out = finish(sum, bias, more)`, element by element. Rows as wide as a panel, which nearly all are, have their own
/// loop, which the compiler unrolls.
#[inline(always)]
fn finish(out: &mut [f32], sums: &[f32], bias: &[f32], more: &[f32], with: impl Fn(f32, f32, f32) -> f32) {
    const WIDE: usize = COLUMNS;
    let whole = (
        <&mut [f32; WIDE]>::try_from(&mut *out),
        <&[f32; WIDE]>::try_from(sums),
        <&[f32; WIDE]>::try_from(bias),
        <&[f32; WIDE]>::try_from(more),
    );
    if let (Ok(out), Ok(sums), Ok(bias), Ok(more)) = whole {
        for i in 0..WIDE {
            out[i] = with(sums[i], bias[i], more[i]);
        }
        return;
    }
    for (((out, sum), bias), more) in out.iter_mut().zip(sums).zip(bias).zip(more) {
        *out = with(*sum, *bias, *more);
    }
}

vectorised! {
    /// Writes a part of a product plus a bias.
    fn write_with_bias(part: &mut Part<'_>, bias: &[f32]), FMA => {
        let _ = FMA;
        for row in 0..part.rows() {
            let (out, sums) = part.of_row(row);
            finish(out, sums, bias, bias, |sum, bias, _| sum + bias);
        }
    }
}

vectorised! {
    /// Writes a part of a product plus a bias and the numbers at the same place of a matrix with `width` columns.
    fn write_with_bias_and(part: &mut Part<'_>, bias: &[f32], more: &[f32], width: usize), FMA => {
        let _ = FMA;
        for row in 0..part.rows() {
            let more = &more[(part.row + row) * width + part.column..][..part.width()];
            let (out, sums) = part.of_row(row);
            finish(out, sums, bias, more, |sum, bias, more| sum + bias + more);
        }
    }
}

vectorised! {
    /// Writes the [`gelu`] of a part of a product plus a bias.
    fn write_gelu_with_bias(part: &mut Part<'_>, bias: &[f32]), FMA => {
        for row in 0..part.rows() {
            let (out, sums) = part.of_row(row);
            finish(out, sums, bias, bias, |sum, bias, _| gelu_of::<FMA>(sum + bias));
        }
    }
}

vectorised! {
    /// Writes a part of a product.
    fn write(part: &mut Part<'_>), FMA => {
        let _ = FMA;
        for row in 0..part.rows() {
            let (out, sums) = part.of_row(row);
            finish(out, sums, sums, sums, |sum, _, _| sum);
        }
    }
}

impl Part<'_> {
    /// Writes the sums to their destination.
    pub(in crate::encoder::ops) fn write(mut self) {
        write(&mut self);
    }
}
