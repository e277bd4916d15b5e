//! How fast texts become vectors: documents of 16, 128 and 384 tokens, and one query of 12.
//!
//! Measures the model in `RETUNE_MODEL`, else the tiny one of the fixtures (whose speed says little).

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use retune::encoder::Encoder;

/// A text of exactly `tokens` tokens, with the two special ones.
fn text(encoder: &Encoder, tokens: usize) -> String {
    let mut text = String::new();
    while encoder.count_tokens(&text) + 2 < tokens {
        text.push_str("a ");
    }
    text
}

fn encode(criterion: &mut Criterion) {
    let tiny = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet");
    let folder = std::env::var_os("RETUNE_MODEL").map_or_else(tiny, PathBuf::from);
    let encoder = Encoder::load(&folder).expect("the model to measure");
    let mut group = criterion.benchmark_group("encode");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(10));

    let query = text(&encoder, 12);
    group.bench_function("query of 12 tokens", |b| {
        b.iter(|| encoder.encode_one(black_box(&query)).expect("a vector"));
    });
    for (tokens, count) in [(16, 256), (128, 64), (384, 24)] {
        let texts = vec![text(&encoder, tokens); count];
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("documents of {tokens} tokens"), |b| {
            b.iter(|| encoder.encode(black_box(&texts)).expect("vectors"));
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
