//! Measures how fast the encoder encodes documents, encodes queries and trains on this machine.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::encoder::{
    Device, Encoder, EncoderOptions, EncoderPrecision, Kernel, TrainableEncoder, peak_gflops,
};
use crate::error::{Error, Result};
use crate::train::{Documents, TrainOptions, Training, TrainingRow, train};

/// Tokens of the measured documents, including the two special tokens.
const LENGTHS: [usize; 5] = [16, 64, 128, 256, 384];
/// Tokens to encode in one call, per thread.
const CALL: usize = 4096;
/// Tokens of a query, including the two special tokens.
const QUERY: usize = 12;
/// Tokens of an anchor in training.
const ANCHOR: usize = 16;
/// Tokens of a document in training.
const DOCUMENT: usize = 128;

/// Options of the benchmark.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BenchOptions {
    /// Number of threads. Default: all.
    pub threads: Option<usize>,
    /// Precision of matrix products. Default bf16. Training has no int8 and uses bf16 instead.
    pub precision: EncoderPrecision,
    /// Where the encoder computes. Default: on this processor, with the engine's own kernels.
    pub device: Device,
    /// The instruction set. Default: [`Kernel::best`].
    pub kernel: Option<Kernel>,
    /// Options of training, such as batches of `batch_size` triplets (default 16). The precision is that of the
    /// benchmark. Options that change neither time nor memory have no effect.
    pub train: TrainOptions,
    /// Measure only this part. Default: all parts.
    pub only: Option<BenchPart>,
    /// How long to measure each figure, in seconds, with at least three runs. Default 3.
    pub seconds: f64,
}

impl Default for BenchOptions {
    fn default() -> Self {
        BenchOptions {
            threads: None,
            precision: EncoderPrecision::Bf16,
            device: Device::Cpu,
            kernel: None,
            train: TrainOptions::default().with_frozen_layers(0),
            only: None,
            seconds: 3.0,
        }
    }
}

impl BenchOptions {
    /// Sets [`threads`](BenchOptions::threads).
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Sets [`precision`](BenchOptions::precision).
    pub fn with_precision(mut self, precision: EncoderPrecision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets [`device`](BenchOptions::device).
    pub fn with_device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Sets [`kernel`](BenchOptions::kernel).
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = Some(kernel);
        self
    }

    /// Sets [`train`](BenchOptions::train).
    pub fn with_train(mut self, train: TrainOptions) -> Self {
        self.train = train;
        self
    }

    /// Sets [`only`](BenchOptions::only).
    pub fn with_only(mut self, part: BenchPart) -> Self {
        self.only = Some(part);
        self
    }

    /// Sets [`seconds`](BenchOptions::seconds).
    pub fn with_seconds(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BenchPart {
    /// Documents of five lengths.
    Encode,
    /// One query of 12 tokens at a time.
    Query,
    /// Training steps of [`TrainOptions::batch_size`] triplets: anchors of 16 tokens, positives and negatives of 128.
    Train,
}

impl FromStr for BenchPart {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        match name {
            "encode" => Ok(BenchPart::Encode),
            "query" => Ok(BenchPart::Query),
            "train" => Ok(BenchPart::Train),
            _ => Err(format!("there is no benchmark {name}; use encode, query or train")),
        }
    }
}

/// The results. All rates are medians.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BenchReport {
    /// Where it was measured.
    pub device: Device,
    /// The instruction set used on [`Device::Cpu`].
    pub kernel: Kernel,
    /// The precision used. f32 if the processor or the device does not support the requested one.
    pub precision: EncoderPrecision,
    /// Number of threads.
    pub threads: usize,
    /// Documents per second, by their length in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encode: Option<BTreeMap<usize, f64>>,
    /// Time of a query in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_ms: Option<QueryTimes>,
    /// Speed of training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<TrainRate>,
    /// Speed of a large matrix product in this precision on these threads, in 10⁹ multiplications and additions per
    /// second. Absent on devices other than [`Device::Cpu`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_gflops: Option<f64>,
}

/// The time of a query, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct QueryTimes {
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
}

/// The speed of training.
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct TrainRate {
    /// Triplets per second, including the optimiser's work.
    pub triplets_per_second: f64,
    /// Peak memory of this process so far; `None` if the operating system does not report it.
    pub peak_rss_bytes: Option<u64>,
}

/// Measures the model in `folder`. Calls `progress` with the name of each part before it starts.
///
/// # Errors
/// As [`Encoder::load_with`]; [`Error::Invalid`] for no threads or no time.
pub fn bench(folder: &Path, options: &BenchOptions, progress: &(dyn Fn(&str) + Sync)) -> Result<BenchReport> {
    if options.threads == Some(0) {
        return Err(Error::invalid("the number of threads", 0, "1 or more"));
    }
    if !(options.seconds > 0.0 && options.seconds.is_finite()) {
        return Err(Error::invalid("the seconds per figure", options.seconds, "a positive number"));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.unwrap_or(0)).build();
    let pool = pool.map_err(|e| Error::Encoder { doing: "start the threads", message: e.to_string() })?;
    pool.install(|| measure(folder, options, progress))
}

fn measure(folder: &Path, options: &BenchOptions, progress: &(dyn Fn(&str) + Sync)) -> Result<BenchReport> {
    let threads = rayon::current_num_threads();
    let wants = |part| options.only.is_none_or(|only| only == part);
    let kernel = options.kernel.map_or_else(Kernel::best, Ok)?;
    let mut report = BenchReport {
        device: options.device,
        kernel,
        precision: kernel.precision(options.precision),
        threads,
        encode: None,
        query_ms: None,
        train: None,
        peak_gflops: None,
    };
    if options.device == Device::Cpu {
        progress("peak");
        let time = Duration::from_secs_f64(options.seconds);
        report.peak_gflops = Some(peak_gflops(kernel, report.precision, threads, time));
    }
    if wants(BenchPart::Encode) || wants(BenchPart::Query) {
        let asked = EncoderOptions::of(options.precision).with_device(options.device).with_kernel(kernel);
        let encoder = Encoder::load_with(folder, asked)?;
        if options.device != Device::Cpu {
            report.precision = encoder.computes_in().documents;
        }
        if encoder.wants_calibration() {
            let sample: Vec<String> = LENGTHS.iter().map(|&length| text(&encoder, length, 0)).collect();
            encoder.use_calibration(&encoder.calibrate(&sample)?)?;
        }
        if wants(BenchPart::Query) {
            progress("query");
            let query = text(&encoder, QUERY, 0);
            let mut times = times(options.seconds, || encoder.encode_one(&query).map(|_| ()))?;
            times.sort_by(f64::total_cmp);
            let at = |share: f64| 1000.0 * times[((times.len() - 1) as f64 * share) as usize];
            report.query_ms = Some(QueryTimes { p50: at(0.5), p95: at(0.95) });
        }
        if wants(BenchPart::Encode) {
            let mut rates = BTreeMap::new();
            for length in LENGTHS {
                progress(&format!("documents of {length} tokens"));
                let count = CALL / length * threads;
                let texts: Vec<String> = (0..count).map(|i| text(&encoder, length, i)).collect();
                let seconds = median(times(options.seconds, || encoder.encode(&texts).map(|_| ()))?);
                rates.insert(length, texts.len() as f64 / seconds);
            }
            report.encode = Some(rates);
        }
    }
    if wants(BenchPart::Train) {
        progress("training");
        report.train = Some(train_rate(folder, kernel, options)?);
    }
    Ok(report)
}

fn train_rate(folder: &Path, kernel: Kernel, options: &BenchOptions) -> Result<TrainRate> {
    let precision = options.precision.of_training();
    let encoder = Encoder::load(folder)?;
    let triplets = options.train.batch_size;
    let rows: Vec<TrainingRow> = (0..triplets)
        .map(|row| TrainingRow {
            anchor: text(&encoder, ANCHOR, row),
            positive: text(&encoder, DOCUMENT, 2 * row),
            other_answers: Vec::new(),
            weight: 1.0,
            negatives: vec![text(&encoder, DOCUMENT, 2 * row + 1)],
            kinds: Vec::new(),
        })
        .collect();
    drop(encoder);
    let mut learner = TrainableEncoder::load(options.device, folder, precision, kernel)?;
    let repeated = options.train.clone().with_epochs(1000);
    let training = Training {
        rows: &rows,
        options: &repeated,
        chunks: 0,
        guide: None,
        documents: Documents::Move,
        monitor: false,
        checkpoints: None,
    };
    let (mut last, mut steps) = (Instant::now(), Vec::new());
    let result = train(&mut learner, training, &mut |_| {
        steps.push(last.elapsed().as_secs_f64());
        last = Instant::now();
        // The first step allocates memory for all others, so it does not count.
        match steps.len() > 3 && steps[1..].iter().sum::<f64>() >= options.seconds {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    match result {
        Err(error) if !matches!(error, Error::Cancelled { .. }) => Err(error),
        _ => Ok(TrainRate {
            triplets_per_second: triplets as f64 / median(steps.split_off(1)),
            peak_rss_bytes: peak_rss_bytes(),
        }),
    }
}

/// A text with this many tokens, including the two special tokens. Each `number` gives another text.
fn text(encoder: &Encoder, tokens: usize, number: usize) -> String {
    let mut text = format!("text {number}");
    while encoder.count_tokens(&text) + 2 < tokens {
        text.push_str(" and");
    }
    text
}

/// The time of each run in seconds, after a warm-up run. At least three runs.
fn times(seconds: f64, mut run: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    run()?;
    let (started, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || started.elapsed().as_secs_f64() < seconds {
        let run_started = Instant::now();
        run()?;
        times.push(run_started.elapsed().as_secs_f64());
    }
    Ok(times)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The peak memory of this process, on Linux.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::test_model::tiny_model;

    #[test]
    fn every_part_is_measured_and_one_alone() {
        let quick = || BenchOptions::default().with_seconds(0.001).with_threads(1);
        let all = bench(&tiny_model(), &quick(), &|_| ()).unwrap();
        assert_eq!(all.threads, 1);
        assert!(all.peak_gflops.unwrap() > 0.0);
        let rates = all.encode.unwrap();
        assert!(rates.keys().copied().eq(LENGTHS) && rates.values().all(|rate| *rate > 0.0), "{rates:?}");
        let query = all.query_ms.unwrap();
        assert!(query.p50 > 0.0 && query.p95 >= query.p50);
        assert!(all.train.unwrap().triplets_per_second > 0.0);
        let query = bench(&tiny_model(), &quick().with_only(BenchPart::Query), &|_| ()).unwrap();
        let json = serde_json::to_value(&query).unwrap();
        assert!(json["query_ms"]["p50"].is_number() && json.get("encode").is_none(), "{json}");
    }

    #[test]
    fn another_device_is_measured_by_the_same_parts() {
        let options = BenchOptions::default().with_device(Device::CandleCpu).with_seconds(0.001);
        let report = bench(&tiny_model(), &options, &|_| ()).unwrap();
        assert_eq!((report.device, report.precision), (Device::CandleCpu, EncoderPrecision::F32));
        assert!(report.query_ms.unwrap().p50 > 0.0 && report.train.unwrap().triplets_per_second > 0.0);
        assert!(report.peak_gflops.is_none());
    }

    #[test]
    fn no_threads_and_no_time_are_refused() {
        for options in [BenchOptions::default().with_threads(0), BenchOptions::default().with_seconds(0.0)] {
            assert!(matches!(bench(&tiny_model(), &options, &|_| ()), Err(Error::Invalid { .. })));
        }
    }
}
