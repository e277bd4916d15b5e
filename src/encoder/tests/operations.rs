//! Each fused operation against the same thing written with candle's plain operations: values and gradients.

use candle_core::{D, Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::distance;
use crate::encoder::ops::{
    AddNorm, Attention, BUCKETS, GeluLinear, Linear, LinearPair, MeanPool, Normalise,
    relative_position_bucket,
};

type Operation<'a> = &'a dyn Fn(&[Var]) -> candle_core::Result<Tensor>;

fn random(rng: &mut ChaCha8Rng, shape: &[usize]) -> Tensor {
    let data: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.5..1.5)).collect();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Both must give the same result, and for a random gradient of the result the same gradients of every argument.
fn same(shapes: &[&[usize]], fused: Operation<'_>, plain: Operation<'_>) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let arguments: Vec<Var> =
        shapes.iter().map(|shape| Var::from_tensor(&random(&mut rng, shape)).unwrap()).collect();
    let (fused, plain) = (fused(&arguments).unwrap(), plain(&arguments).unwrap());
    assert_eq!(fused.dims(), plain.dims());
    let apart = distance(&numbers(&fused), &numbers(&plain));
    assert!(apart < 1e-5, "results are {apart} apart");
    // A gradient that is not contiguous, as a transposed result would send back.
    let back = random(&mut rng, &fused.dims().iter().rev().copied().collect::<Vec<_>>()).t().unwrap();
    let gradients = |result: Tensor| (result * &back).unwrap().sum_all().unwrap().backward().unwrap();
    let (fused, plain) = (gradients(fused), gradients(plain));
    for (i, argument) in arguments.iter().enumerate() {
        let fused = numbers(fused.get(argument).unwrap_or_else(|| panic!("argument {i} got no gradient")));
        let plain = numbers(plain.get(argument).unwrap());
        let scale = plain.iter().fold(1f32, |max, x| max.max(x.abs()));
        assert!(fused.iter().any(|x| *x != 0.0));
        assert!(distance(&fused, &plain) < 2e-5 * scale, "argument {i}: {}", distance(&fused, &plain));
    }
}

fn project(x: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
    x.matmul(&weight.t()?)
}

#[test]
fn linear() {
    for threads in [1, 2] {
        same(&[&[70, 5], &[7, 5], &[7]], &|a| a[0].apply_op3(&a[1], &a[2], Linear { threads }), &|a| {
            project(&a[0], &a[1])?.broadcast_add(&a[2])
        });
    }
}

#[test]
fn linear_pair() {
    same(&[&[9, 5], &[6, 5], &[6, 5]], &|a| a[0].apply_op3(&a[1], &a[2], LinearPair { threads: 1 }), &|a| {
        Tensor::cat(&[project(&a[0], &a[1])?, project(&a[0], &a[2])?], 1)
    });
}

#[test]
fn gelu_linear() {
    for threads in [1, 2] {
        same(&[&[70, 33], &[4, 33], &[4]], &|a| a[0].apply_op3(&a[1], &a[2], GeluLinear { threads }), &|a| {
            project(&a[0].gelu_erf()?, &a[1])?.broadcast_add(&a[2])
        });
    }
}

#[test]
fn add_norm() {
    for threads in [1, 2] {
        same(
            &[&[130, 20], &[130, 20], &[40]],
            &|a| a[0].apply_op3(&a[1], &a[2], AddNorm { eps: 1e-5, threads }),
            &|a| {
                let sum = (a[0].as_tensor() + a[1].as_tensor())?;
                let centred = sum.broadcast_sub(&sum.mean_keepdim(D::Minus1)?)?;
                let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
                let standard = centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)?;
                standard.broadcast_mul(&a[2].narrow(0, 0, 20)?)?.broadcast_add(&a[2].narrow(0, 20, 20)?)
            },
        );
    }
}

#[test]
fn mean_pool_and_normalise() {
    same(
        &[&[9, 17]],
        &|a| a[0].apply_op1(MeanPool { lengths: [2, 6, 1].into() })?.apply_op1(Normalise),
        &|a| {
            let mean = |start, length| a[0].narrow(0, start, length)?.mean_keepdim(0);
            let pooled = Tensor::cat(&[mean(0, 2)?, mean(2, 6)?, mean(8, 1)?], 0)?;
            pooled.broadcast_div(&pooled.sqr()?.sum_keepdim(1)?.sqrt()?)
        },
    );
}

/// One head of one text, with plain operations.
fn plain_head(a: &[Var], rows: (usize, usize), head: usize, heads: usize) -> candle_core::Result<Tensor> {
    let (width, (start, length)) = (a[1].dim(1)?, rows);
    let d = width / heads;
    let columns = |x: &Tensor, first| x.narrow(0, start, length)?.narrow(1, first, d);
    let bias = |first| a[2].narrow(0, first, d);
    let q = columns(&a[0], head * d)?.broadcast_add(&bias(head * d)?)?;
    let k = columns(&a[0], width + head * d)?.broadcast_add(&bias(width + head * d)?)?;
    let table = a[2].narrow(0, 2 * width, BUCKETS * heads)?.reshape((BUCKETS, heads))?.narrow(1, head, 1)?;
    let of_pair = |i: usize| relative_position_bucket((i % length) as isize - (i / length) as isize) as u32;
    let buckets: Vec<u32> = (0..length * length).map(of_pair).collect();
    let buckets = Tensor::from_vec(buckets, length * length, &Device::Cpu)?;
    let position = table.contiguous()?.index_select(&buckets, 0)?.reshape((length, length))?;
    let scores = ((q.matmul(&k.t()?)? / (d as f64).sqrt())? + position)?;
    let weights = scores.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(1)?)?;
    weights.matmul(&columns(&a[1], head * d)?.contiguous()?)
}

#[test]
fn attention() {
    let (width, heads, lengths) = (12, 3, [1, 35, 6]);
    for threads in [1, 2] {
        same(
            &[&[42, 2 * width], &[42, width], &[2 * width + BUCKETS * heads]],
            &|a| {
                let attention = Attention { lengths: lengths.into(), heads, threads };
                a[0].apply_op3(&a[1], &a[2], attention)
            },
            &|a| {
                let texts = [(0, 1), (1, 35), (36, 6)].map(|rows| {
                    let parts = (0..heads).map(|head| plain_head(a, rows, head, heads));
                    Tensor::cat(&parts.collect::<candle_core::Result<Vec<_>>>()?, 1)
                });
                Tensor::cat(&texts.into_iter().collect::<candle_core::Result<Vec<_>>>()?, 0)
            },
        );
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut t = |shape: &[usize]| random(&mut rng, shape);
    assert!(t(&[3, 4]).apply_op3(&t(&[5, 6]), &t(&[5]), Linear { threads: 1 }).is_err());
    assert!(t(&[3, 4]).apply_op3(&t(&[5, 4]), &t(&[6, 4]), LinearPair { threads: 1 }).is_err());
    assert!(t(&[3, 4]).apply_op3(&t(&[3, 5]), &t(&[8]), AddNorm { eps: 1e-5, threads: 1 }).is_err());
    assert!(t(&[3, 4]).apply_op1(MeanPool { lengths: [2, 2].into() }).is_err());
    let attention = || Attention { lengths: [3].into(), heads: 2, threads: 1 };
    assert!(t(&[3, 8]).apply_op3(&t(&[3, 4]), &t(&[8]), attention()).is_err());
    assert!(t(&[3, 6]).apply_op3(&t(&[3, 4]), &t(&[72]), attention()).is_err());
}
