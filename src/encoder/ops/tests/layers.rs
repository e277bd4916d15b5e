use candle_core::{D, Device, Tensor, Var};

use super::{apart, random};
use crate::encoder::ops::{
    Attended, Attention, BUCKETS, EncoderPrecision, Kernel, Norm, PositionBias, Run, bias_gradient, gelu,
    gelu_backward, mean_pool, mean_pool_backward, normalise, normalise_backward, relative_position_bucket,
    starts,
};

fn var(numbers: &[f32], shape: &[usize]) -> Var {
    Var::from_slice(numbers, shape, &Device::Cpu).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The gradients of the variables, given the gradient of a result.
fn gradients(result: &Tensor, grad: &[f32], of: &[&Var]) -> Vec<Vec<f32>> {
    let grad = Tensor::from_slice(grad, result.shape(), &Device::Cpu).unwrap();
    let store = (result * grad).unwrap().sum_all().unwrap().backward().unwrap();
    of.iter().map(|var| numbers(store.get(var).unwrap())).collect()
}

fn runs() -> [Run; 2] {
    [1, 2].map(|threads| Run { kernel: Kernel::best().unwrap(), threads })
}

fn near(found: &[f32], golden: &[f32], what: &str) {
    assert!(apart(found, golden) < 2e-5, "{what}: {} off", apart(found, golden));
}

#[test]
fn layer_norm() {
    let (rows, width) = (130, 20);
    let (x, weight, bias) = (random(1, rows * width), random(2, width), random(3, width));
    let grad = random(4, rows * width);
    let vars = [var(&x, &[rows, width]), var(&weight, &[width]), var(&bias, &[width])];
    let plain = || {
        let centred = vars[0].broadcast_sub(&vars[0].mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let standard = centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)?;
        standard.broadcast_mul(&vars[1])?.broadcast_add(&vars[2])
    };
    let plain = plain().unwrap();
    let golden = gradients(&plain, &grad, &vars.each_ref());
    for run in runs() {
        let norm = Norm::new(&weight, &bias, 1e-5);
        let mut out = vec![0.0; x.len()];
        norm.forward(run, &x, &mut out);
        near(&out, &numbers(&plain), "result");
        let (mut d_x, mut d_weight, mut d_bias) = (x.clone(), vec![0.0; width], vec![0.0; width]);
        norm.backward(run, &mut d_x, &grad, &mut d_weight, &mut d_bias);
        for (found, golden) in [d_x, d_weight, d_bias].iter().zip(&golden) {
            near(found, golden, "gradient");
        }
    }
}

#[test]
fn gelu_and_bias() {
    let (rows, width) = (150, 33);
    let (x, grad) = (random(1, rows * width), random(2, rows * width));
    let vars = [var(&x, &[rows, width]), var(&random(3, width), &[width])];
    let plain = vars[0].gelu_erf().unwrap().broadcast_add(&vars[1]).unwrap();
    let golden = gradients(&plain, &grad, &vars.each_ref());
    for run in runs() {
        let (mut y, mut y_again, mut d_x) = (x.clone(), x.clone(), grad.clone());
        gelu(run, &mut y, width);
        near(&y, &numbers(&vars[0].gelu_erf().unwrap()), "result");
        gelu_backward(run, &mut y_again, &mut d_x, width);
        near(&y_again, &y, "result of the backward pass");
        near(&d_x, &golden[0], "gradient");
        let mut d_bias = vec![0.0; width];
        bias_gradient(run, &grad, &mut d_bias);
        near(&d_bias, &golden[1], "gradient of a bias");
    }
}

#[test]
fn mean_pool_and_normalisation() {
    let (lengths, width) = ([2, 6, 1], 17);
    let (x, grad) = (random(1, 9 * width), random(2, 3 * width));
    let vars = [var(&x, &[9, width])];
    let plain = || {
        let mean = |start, length| vars[0].narrow(0, start, length)?.mean_keepdim(0);
        let pooled = Tensor::cat(&[mean(0, 2)?, mean(2, 6)?, mean(8, 1)?], 0)?;
        pooled.broadcast_div(&pooled.sqr()?.sum_keepdim(1)?.sqrt()?)
    };
    let plain = plain().unwrap();
    let (mut pooled, mut out) = (vec![0.0; 3 * width], vec![0.0; 3 * width]);
    mean_pool(&lengths, width, &x, &mut pooled);
    normalise(width, &pooled, &mut out);
    near(&out, &numbers(&plain), "result");
    let (mut d_pooled, mut d_x) = (grad.clone(), vec![0.0; x.len()]);
    normalise_backward(width, &pooled, &mut d_pooled);
    mean_pool_backward(&lengths, width, &d_pooled, &mut d_x);
    near(&d_x, &gradients(&plain, &grad, &vars.each_ref())[0], "gradient");
}

const HEADS: usize = 3;
const WIDTH: usize = 12;

/// One head of one text, in plain operations.
fn plain_head(
    qkv: &Tensor,
    table: &Tensor,
    rows: (usize, usize),
    head: usize,
) -> candle_core::Result<Tensor> {
    let ((start, length), d) = (rows, WIDTH / HEADS);
    let part = |which| qkv.narrow(0, start, length)?.narrow(1, which * WIDTH + head * d, d)?.contiguous();
    let of_pair = |i: usize| relative_position_bucket((i % length) as isize - (i / length) as isize) as u32;
    let buckets: Vec<u32> = (0..length * length).map(of_pair).collect();
    let buckets = Tensor::from_vec(buckets, length * length, &Device::Cpu)?;
    let table = table.narrow(1, head, 1)?.contiguous()?;
    let position = table.index_select(&buckets, 0)?.reshape((length, length))?;
    let scores = ((part(0)?.matmul(&part(1)?.t()?)? / (d as f64).sqrt())? + position)?;
    let weights = scores.exp()?;
    weights.broadcast_div(&weights.sum_keepdim(1)?)?.matmul(&part(2)?)
}

#[test]
fn attention() {
    // One token, more rows than are scored at a time, few.
    let lengths = [1, 105, 6];
    let tokens = lengths.iter().sum();
    let (qkv, table) = (random(1, tokens * 3 * WIDTH), random(2, BUCKETS * HEADS));
    let grad = random(3, tokens * WIDTH);
    let vars = [var(&qkv, &[tokens, 3 * WIDTH]), var(&table, &[BUCKETS, HEADS])];
    let texts: Vec<Tensor> = starts(&lengths)
        .zip(lengths)
        .map(|rows| {
            let heads = (0..HEADS).map(|head| plain_head(&vars[0], &vars[1], rows, head).unwrap());
            Tensor::cat(&heads.collect::<Vec<_>>(), 1).unwrap()
        })
        .collect();
    let plain = Tensor::cat(&texts, 0).unwrap();
    let golden = gradients(&plain, &grad, &vars.each_ref());
    let mut bias = PositionBias::default();
    bias.set(&table, HEADS, 105);
    let starts: Vec<usize> = starts(&lengths).collect();
    for kernel in Kernel::available() {
        for (threads, precision, tolerance) in [
            (1, EncoderPrecision::F32, 2e-5),
            (2, EncoderPrecision::F32, 2e-5),
            (2, EncoderPrecision::Bf16, 2e-2),
        ] {
            let run = Run { kernel, threads };
            let attention = Attention {
                lengths: &lengths,
                starts: &starts,
                heads: HEADS,
                width: WIDTH,
                bias: &bias,
                precision,
            };
            let mut out = vec![f32::NAN; tokens * WIDTH];
            attention.forward(run, &qkv, &mut out);
            assert!(apart(&out, &numbers(&plain)) < tolerance, "{kernel} in {precision}");
            let (mut d_qkv, mut d_table) = (vec![f32::NAN; qkv.len()], vec![0.0; table.len()]);
            attention.backward(run, &qkv, Attended { out: &out, grad: &grad }, &mut d_qkv, &mut d_table);
            for (found, golden) in [d_qkv, d_table].iter().zip(&golden) {
                assert!(
                    apart(found, golden) < tolerance,
                    "{kernel} in {precision}: {}",
                    apart(found, golden)
                );
            }
        }
    }
}
