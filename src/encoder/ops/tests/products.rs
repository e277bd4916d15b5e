use super::{apart, random};
use crate::encoder::ops::factor::{Source, View};
use crate::encoder::ops::panels::Panels;
use crate::encoder::ops::part::Part;
use crate::encoder::ops::product::multiply;
use crate::encoder::ops::run::Run;
use crate::encoder::ops::target::Target;
use crate::encoder::ops::{
    Before, Columns, EncoderPrecision, Kernel, Linear, Then, Weight, WeightGradient, input_gradient,
    weight_gradients,
};

const PRECISIONS: [EncoderPrecision; 4] =
    [EncoderPrecision::F32, EncoderPrecision::Bf16, EncoderPrecision::Int16, EncoderPrecision::Int8];

/// Every kernel that can run here, with each precision that it supports. numkong's kernels run on any processor.
fn kernels() -> Vec<(Kernel, EncoderPrecision)> {
    let everywhere = [(Kernel::Amx, EncoderPrecision::Bf16), (Kernel::Amx, EncoderPrecision::Int8)];
    let here = Kernel::available().filter(|kernel| *kernel != Kernel::Amx);
    let of = |kernel: Kernel| PRECISIONS.map(|precision| (kernel, precision));
    let has = |(kernel, precision): &(Kernel, EncoderPrecision)| kernel.precision(*precision) == *precision;
    here.flat_map(of).filter(has).chain(everywhere).collect()
}

/// The allowed error of a product, as a share of its largest number.
fn tolerance(precision: EncoderPrecision) -> f32 {
    match precision {
        EncoderPrecision::F32 => 1e-5,
        EncoderPrecision::Bf16 => 1e-2,
        EncoderPrecision::Int16 => 1e-3,
        EncoderPrecision::Int8 => 3e-2,
    }
}

/// `a b` for `a` of `m × k` and `b` of `k × n`, in f64.
fn schoolbook(a: &[f32], b: &[f32], (m, k, n): (usize, usize, usize)) -> Vec<f32> {
    let sum =
        |i: usize| (0..k).map(|l| f64::from(a[i / n * k + l]) * f64::from(b[l * n + i % n])).sum::<f64>();
    (0..m * n).map(|i| sum(i) as f32).collect()
}

fn transposed(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| x[i % rows * columns + i / rows]).collect()
}

/// One row, an odd number of rows, many blocks; depths below and above a line of words; columns below and above a
/// panel.
const SHAPES: [(usize, usize, usize); 10] = [
    (1, 1, 1),
    (1, 768, 33),
    (7, 5, 3),
    (12, 64, 32),
    (13, 33, 70),
    (25, 100, 31),
    (50, 31, 96),
    (130, 129, 65),
    (30, 65, 600),
    (700, 640, 40),
];

fn product(run: Run, left: Source<'_>, panels: &Panels, size: (usize, usize)) -> Vec<f32> {
    let mut out = vec![f32::NAN; size.0 * size.1];
    multiply(run, left, panels, Target::new(&mut out, size.1), &|part: Part<'_>| part.write());
    out
}

#[test]
fn products_are_the_schoolbooks_on_every_kernel_and_shape() {
    for (m, k, n) in SHAPES {
        let (a, b) = (random(1, m * k), random(2, k * n));
        let golden = schoolbook(&a, &b, (m, k, n));
        let (a_turned, b_turned) = (transposed(&a, m, k), transposed(&b, k, n));
        for (kernel, precision) in kernels() {
            let (mut from_rows, mut from_columns) = (Vec::new(), Vec::new());
            for threads in [1, 2, 3] {
                let run = Run { kernel, threads };
                let mut by_rows = Panels::default();
                let mut by_columns = Panels::default();
                by_columns.fill_transposed(kernel, precision, &[View::new(&b_turned, n, k, k)], None);
                from_rows.push(product(run, Source::Rows(View::new(&a, m, k, k)), &by_columns, (m, n)));
                if precision == EncoderPrecision::Int8 {
                    continue; // factors in these precisions come from rows only
                }
                by_rows.fill(run, precision, View::new(&b, k, n, n));
                let left = Source::Columns(View::new(&a_turned, k, m, m));
                from_columns.push(product(run, left, &by_rows, (m, n)));
            }
            for results in [from_rows, from_columns].iter().filter(|results| !results.is_empty()) {
                let off = apart(&results[0], &golden);
                assert!(off < tolerance(precision), "{kernel} in {precision}, {m} × {k} × {n}: {off} off");
                let same = results.iter().all(|result| result == &results[0]);
                assert!(same, "{kernel} in {precision}, {m} × {k} × {n}: not the same for all threads");
            }
        }
    }
}

#[test]
fn factors_may_be_parts_of_wider_matrices() {
    let (m, k, n, stride) = (30, 20, 40, 50);
    let (a, b) = (random(1, m * stride), random(2, n * stride));
    let cut = |x: &[f32]| x.chunks(stride).flat_map(|row| row[3..3 + k].to_vec()).collect::<Vec<_>>();
    let golden = schoolbook(&cut(&a), &transposed(&cut(&b), n, k), (m, k, n));
    for (kernel, precision) in kernels() {
        let mut panels = Panels::default();
        // Longer than what follows, so that stale numbers would be seen.
        panels.fill_transposed(kernel, precision, &[View::new(&b, n, stride, stride)], None);
        panels.fill_transposed(kernel, precision, &[View::new(&b[3..], n, k, stride)], None);
        let left = Source::Rows(View::new(&a[3..], m, k, stride));
        let found = product(Run { kernel, threads: 1 }, left, &panels, (m, n));
        assert!(apart(&found, &golden) < tolerance(precision), "{kernel} in {precision}");
    }
}

#[test]
fn a_linear_layer_adds_bias_activation_and_residual() {
    let (rows, inputs, outputs) = (29, 48, 40);
    let (x, weight) = (random(1, rows * inputs), random(2, outputs * inputs));
    let (bias, residual) = (random(3, outputs), random(4, rows * outputs));
    let product = schoolbook(&x, &transposed(&weight, outputs, inputs), (rows, inputs, outputs));
    let golden = |then: fn(f32, f32) -> f32| -> Vec<f32> {
        (0..rows * outputs).map(|i| then(product[i] + bias[i % outputs], residual[i])).collect()
    };
    // The sigmoid form is within 0.02 of the exact one.
    let gelu = |x: f32, _| x / (1.0 + (-1.702 * x).exp());
    for (kernel, precision) in kernels() {
        let run = Run { kernel, threads: 2 };
        for smooth in [false, precision == EncoderPrecision::Int8] {
            let mut linear = Linear::default();
            if smooth {
                linear.smooth(random(5, inputs).iter().map(|x| 1.0 + x.abs()).collect());
            }
            let half = outputs / 2 * inputs;
            let weights = [&weight[..half], &weight[half..]].map(|numbers| Weight {
                numbers,
                outputs: outputs / 2,
                inputs,
            });
            linear.set(run, precision, &weights, &[&bias[..outputs / 2], &bias[outputs / 2..]]);
            let cases: [(Then<'_>, Vec<f32>, f32); 3] = [
                (Then::Nothing, golden(|x, _| x), 0.0),
                (Then::Add(&residual), golden(|x, more| x + more), 0.0),
                (Then::Gelu, golden(gelu), 5e-3),
            ];
            for (then, golden, more) in cases {
                let mut out = vec![f32::NAN; rows * outputs];
                linear.forward(run, &x, then, &mut out);
                let off = apart(&out, &golden);
                assert!(
                    off < tolerance(precision) + more,
                    "{kernel} in {precision}, smooth {smooth}: {off} off"
                );
            }
        }
    }
}

/// The number in place before gradients are added: large enough that its loss shows in sums over a thousand rows.
const BEFORE: f32 = 8.0;

#[test]
fn gradients_of_a_linear_layer_are_added_up() {
    // More rows than a weight gradient sums over at a time, and an odd number of them.
    let (rows, inputs, outputs, stride) = (1061, 300, 17, 48);
    let (x, weight) = (random(1, rows * inputs), random(2, outputs * inputs));
    let grad = random(3, rows * stride);
    // Two layers with the same input: the gradients of their results are side by side.
    let columns = [9, 9 + outputs].map(|first| Columns { numbers: &grad, stride, first });
    let cut = columns.map(|Columns { numbers, stride, first }| -> Vec<f32> {
        numbers.chunks(stride).flat_map(|row| row[first..first + outputs].to_vec()).collect()
    });
    let d_x = schoolbook(&cut[0], &weight, (rows, outputs, inputs));
    let d_weights =
        cut.map(|grad| schoolbook(&transposed(&grad, rows, outputs), &x, (outputs, rows, inputs)));
    let plus = |x: &[f32]| x.iter().map(|x| x + BEFORE).collect::<Vec<_>>();
    for (kernel, precision) in kernels() {
        if precision == EncoderPrecision::Int8 {
            continue; // not used in training
        }
        let is_near = |found: &[f32], golden: &[f32]| apart(found, golden) < tolerance(precision);
        let mut panels = Panels::default();
        let weight = Weight { numbers: &weight, outputs, inputs };
        let found = [1, 2, 3].map(|threads| {
            let run = Run { kernel, threads };
            let mut found = [0; 2].map(|_| vec![BEFORE; rows * inputs]);
            for (found, before) in found.iter_mut().zip([Before::Added, Before::Replaced]) {
                input_gradient(run, precision, weight, columns[0], found, before, &mut panels);
            }
            let mut sums = [0; 2].map(|_| vec![BEFORE; outputs * inputs]);
            let mut weights: Vec<_> = columns
                .into_iter()
                .zip(&mut sums)
                .map(|(grad, into)| WeightGradient { grad, into })
                .collect();
            weight_gradients(run, precision, &x, inputs, &mut weights, &mut panels);
            (found, sums)
        });
        let ([added, replaced], sums) = &found[0];
        assert!(is_near(added, &plus(&d_x)), "{kernel} in {precision}");
        assert!(is_near(replaced, &d_x), "{kernel} in {precision}");
        for (sum, golden) in sums.iter().zip(&d_weights) {
            assert!(is_near(sum, &plus(golden)), "{kernel} in {precision}");
        }
        assert!(found.iter().all(|other| *other == found[0]), "{kernel} in {precision}: threads differ");
    }
}
