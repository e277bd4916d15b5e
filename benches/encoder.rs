//! Measures the encoder on every kernel, in every precision, with one thread and two: documents per second by length in
//! tokens, GFLOP/s at 128 tokens and its share of the peak, a query of 12 tokens, training steps of 16 triplets.
//!
//!     cargo bench --bench encoder -- [avx512bf16] [bf16]
//!
//! Words after `--` select lines that contain all of them. Measures the model in `RETUNE_MODEL`, or the fixtures' tiny
//! model, whose speed means little. If `RETUNE_BENCH_CORPUS` names a corpus.jsonl in BEIR's layout, column `mixed`
//! measures its first 200 documents.

use std::path::{Path, PathBuf};
use std::time::Instant;

use retune::bench::{BenchOptions, BenchReport, bench};
use retune::encoder::{Encoder, EncoderOptions, EncoderPrecision, Kernel};

const PRECISIONS: [EncoderPrecision; 4] =
    [EncoderPrecision::F32, EncoderPrecision::Bf16, EncoderPrecision::Int16, EncoderPrecision::Int8];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let tiny = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet");
    let folder = std::env::var_os("RETUNE_MODEL").map_or_else(tiny, PathBuf::from);
    let corpus = std::env::var_os("RETUNE_BENCH_CORPUS").map(|path| documents(Path::new(&path)));
    println!(
        "| kernel | in | threads | 16 | 64 | 128 | 256 | 384 | mixed | GFLOP/s | of peak | query p50, p95 ms \
         | triplets/s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for kernel in Kernel::available() {
        for precision in PRECISIONS.into_iter().filter(|precision| kernel.precision(*precision) == *precision)
        {
            for threads in [1, 2] {
                let label = format!("| {kernel} | {precision} | {threads} |");
                if words.iter().all(|word| label.contains(&format!(" {word} "))) {
                    let options = BenchOptions::default()
                        .with_kernel(kernel)
                        .with_precision(precision)
                        .with_threads(threads);
                    let report = bench(&folder, &options, &|_| ()).expect("a measurement");
                    let mixed =
                        corpus.as_ref().map(|texts| mixed(&folder, kernel, precision, threads, texts));
                    println!("{label} {}", row(&report, mixed));
                }
            }
        }
    }
}

fn documents(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("the corpus");
    let document = |line: &str| {
        let fields: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        format!(
            "{} {}",
            fields["title"].as_str().unwrap_or_default(),
            fields["text"].as_str().unwrap_or_default()
        )
    };
    text.lines().take(200).map(document).collect()
}

/// Documents per second of a real corpus.
fn mixed(
    folder: &Path,
    kernel: Kernel,
    precision: EncoderPrecision,
    threads: usize,
    texts: &[String],
) -> f64 {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let encoder =
            Encoder::load_with(folder, EncoderOptions::of(precision).with_kernel(kernel)).expect("a model");
        if encoder.wants_calibration() {
            let calibration = encoder.calibrate(&texts[..32.min(texts.len())]).expect("a calibration");
            encoder.use_calibration(&calibration).expect("int8");
        }
        let started = Instant::now();
        encoder.encode(texts).expect("vectors");
        texts.len() as f64 / started.elapsed().as_secs_f64()
    })
}

/// Multiplications and additions for a document of 128 tokens in all-mpnet-base-v2, in its weights and in attention.
const OPERATIONS: f64 = 128.0 * (2.0 * 12.0 * 12.0 * 768.0 * 768.0 + 12.0 * 4.0 * 768.0 * 128.0);

fn row(report: &BenchReport, mixed: Option<f64>) -> String {
    let rates = report.encode.clone().unwrap_or_default();
    let reached = rates.get(&128).copied().unwrap_or_default() * OPERATIONS / 1e9;
    let rates: Vec<String> = rates.values().map(|rate| format!("{rate:.2}")).collect();
    let query = report.query_ms.map(|ms| format!("{:.2}, {:.2}", ms.p50, ms.p95)).unwrap_or_default();
    let train = report.train.map(|train| format!("{:.2}", train.triplets_per_second)).unwrap_or_default();
    let mixed = mixed.map(|rate| format!("{rate:.2}")).unwrap_or_default();
    // Every measurement here runs on this processor, which has a known peak.
    let share = 100.0 * reached / report.peak_gflops.unwrap_or(f64::NAN);
    format!("{} | {mixed} | {reached:.0} | {share:.0} % | {query} | {train} |", rates.join(" | "))
}
