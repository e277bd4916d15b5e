//! The peak rate of matrix products on this machine.

use std::time::{Duration, Instant};

use super::factor::{Source, View};
use super::panels::Panels;
use super::part::Part;
use super::product::multiply;
use super::run::{Run, each};
use super::target::Target;
use super::{EncoderPrecision, Kernel};

/// Rows, depth and columns: large enough that only the products count.
const SHAPE: (usize, usize, usize) = (336, 768, 768);

/// The peak rate of matrix products in cache, in 10⁹ multiplications and additions a second, summed over `threads`
/// threads. Takes the best of the runs that fit into `time`.
pub fn peak_gflops(kernel: Kernel, precision: EncoderPrecision, threads: usize, time: Duration) -> f64 {
    let (m, k, n) = SHAPE;
    let precision = kernel.precision(precision);
    let numbers: Vec<f32> = (0..m.max(n) * k).map(|i| (i % 17) as f32 - 8.0).collect();
    let mut right = Panels::default();
    right.fill_transposed(kernel, precision, &[View::new(&numbers, n, k, k)], None);
    let mut fastest = f64::INFINITY;
    let started = Instant::now();
    while started.elapsed() < time || fastest.is_infinite() {
        let round = Instant::now();
        each(threads, threads, |_| {
            let mut out = vec![0.0; m * n];
            let left = Source::Rows(View::new(&numbers, m, k, k));
            for _ in 0..4 {
                let target = Target::new(&mut out, n);
                multiply(Run { kernel, threads: 1 }, left, &right, target, &|part: Part<'_>| part.write());
            }
        });
        fastest = fastest.min(round.elapsed().as_secs_f64());
    }
    let operations = (threads * 4 * 2 * m * k * n) as f64;
    operations / fastest / 1e9
}
