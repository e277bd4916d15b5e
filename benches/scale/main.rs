//! Measures how indexing and search scale with the number of passages: time, bytes, recall, exact search against the
//! graph.
//!
//!     RETUNE_MODEL=DIR RAYON_NUM_THREADS=1 cargo bench --bench scale -- [sizes] [--corpus FILE] [--encoded N] …
//!
//! | argument | |
//! |---|---|
//! | sizes | numbers of passages, ascending; default 1000 10000 |
//! | `--corpus FILE` | a `corpus.jsonl` in BEIR's layout with the texts; default made-up words |
//! | `--encoded N` | how many of the texts to encode, 100 or more; default 1000 |
//! | `--libraries` | compares the own graph with usearch instead ([`libraries`]) |
//! | `--kinds a,b` | the formats for usearch: f16, bf16, i8, i8-scaled; default all of them |
//! | `--threads a,b` | the numbers of build threads to compare; default 1,2 |
//! | `--growth` | grows an index to each size instead ([`growth`]) |
//! | `--cluster URLS` | compares each index with its copy on the cluster of these nodes ([`cluster`]) |
//! | `--shards N`, `--replicas N` | how the copy is laid out there; default 3 and 1 |
//! | `--folder DIR` | keeps and reuses what was encoded and built there; default a temporary folder |
//!
//! `RETUNE_MODEL` names the encoder. Without it the fixtures' tiny model encodes, whose vectors are too short for
//! meaningful times. Vectors beyond the first N are sampled around those ([`vectors`]), and texts beyond the corpus are
//! recombined from it ([`texts`]).
//!
//! The indexes are written by the rooms that own them (their sources are compiled into this program, since they are not
//! a public API), each timed separately, into the folder of an index that the engine has created. Searches go through
//! the engine. Times are Markdown tables on standard output, in milliseconds: the median and the 95th percentile over
//! queries, with the fastest repetition of each query, because the machine may be shared. Progress is on standard
//! error.

// This uses only a part of the rooms, with other lints.
#![allow(dead_code, unused_imports, unfulfilled_lint_expectations)]

#[path = "../../src/dense/mod.rs"]
mod dense;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/ids.rs"]
mod ids;
#[path = "../../src/lexical/mod.rs"]
mod lexical;
#[path = "../../src/place.rs"]
mod place;
#[path = "../../src/storage/mod.rs"]
mod storage;

mod build;
#[cfg(feature = "opensearch")]
mod cluster;
mod growth;
mod libraries;
mod searches;
mod texts;
mod timing;
mod vectors;

use std::path::PathBuf;

use build::Built;
use libraries::{Comparison, Kind};
use retune::Encoder;
use searches::Queries;
use texts::Texts;
use vectors::Vectors;

/// Queries for every size: with ten hits each, a recall of 0.99 is known to ±0.002.
const QUERIES: usize = 1000;

enum Measure {
    Searches,
    Libraries,
    Growth,
    #[cfg(feature = "opensearch")]
    Cluster(cluster::Place),
}

struct Arguments {
    measure: Measure,
    comparison: Comparison,
    sizes: Vec<usize>,
    corpus: Option<PathBuf>,
    encoded: usize,
    folder: Option<PathBuf>,
}

impl Arguments {
    fn parse() -> Arguments {
        let mut arguments = Arguments {
            measure: Measure::Searches,
            comparison: Comparison { kinds: Kind::ALL.to_vec(), threads: vec![1, 2] },
            sizes: Vec::new(),
            corpus: None,
            encoded: 1000,
            folder: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} takes a value"));
            match word.as_str() {
                // Arguments that cargo adds.
                "--bench" => {}
                "--libraries" => arguments.measure = Measure::Libraries,
                "--growth" => arguments.measure = Measure::Growth,
                #[cfg(feature = "opensearch")]
                "--cluster" => arguments.measure = Measure::Cluster(cluster::Place::at(value())),
                #[cfg(feature = "opensearch")]
                "--shards" => arguments.cluster().shards = value().parse().expect("--shards takes a number"),
                #[cfg(feature = "opensearch")]
                "--replicas" => {
                    arguments.cluster().replicas = value().parse().expect("--replicas takes a number")
                }
                "--kinds" => {
                    let kind = |name: &str| Kind::ALL.into_iter().find(|kind| kind.name() == name);
                    arguments.comparison.kinds = value().split(',').filter_map(kind).collect();
                }
                "--threads" => {
                    let number = |number: &str| number.parse().expect("--threads takes numbers");
                    arguments.comparison.threads = value().split(',').map(number).collect();
                }
                "--corpus" => arguments.corpus = Some(value().into()),
                "--folder" => arguments.folder = Some(value().into()),
                "--encoded" => arguments.encoded = value().parse().expect("--encoded takes a number"),
                size => {
                    arguments.sizes.push(size.parse().unwrap_or_else(|_| panic!("{size:?} is no size")));
                }
            }
        }
        if arguments.sizes.is_empty() {
            arguments.sizes = vec![1_000, 10_000];
        }
        assert!(arguments.encoded >= 100, "vectors are drawn around 100 encoded ones or more");
        arguments
    }

    #[cfg(feature = "opensearch")]
    fn cluster(&mut self) -> &mut cluster::Place {
        match &mut self.measure {
            Measure::Cluster(place) => place,
            _ => panic!("--cluster comes first"),
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = arguments.folder.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    let tiny = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet");
    let model = std::env::var_os("RETUNE_MODEL").map_or_else(tiny, PathBuf::from);
    let texts = Texts::read(arguments.corpus.as_deref(), QUERIES, arguments.encoded);
    let encoder = Encoder::load(&model).expect("an encoder");
    let vectors = Vectors::of(&encoder, &texts, &folder.join("encoded"));
    let queries = Queries::encode(&encoder, texts.queries());
    drop(encoder);
    vectors.describe();
    let build = |size: usize| Built::at(&folder.join(size.to_string()), &model, &texts, &vectors, size);
    match &arguments.measure {
        Measure::Searches => {}
        #[cfg(feature = "opensearch")]
        Measure::Cluster(place) => {
            arguments.sizes.iter().for_each(|&size| place.compare(&build(size), &model, &queries));
            return;
        }
        Measure::Libraries => {
            for &size in &arguments.sizes {
                arguments.comparison.run(&folder, &texts, &vectors, &queries, size);
            }
            return;
        }
        Measure::Growth => {
            println!(
                "\n| vectors | seconds | of it adding | longest addition, ms | median, ms | GB written | \
                 of them vectors | segments | a search, ms |"
            );
            println!("|---|---|---|---|---|---|---|---|---|");
            for &size in &arguments.sizes {
                growth::grow(&folder, &texts, &vectors, &queries, size);
            }
            return;
        }
    }
    let empty = build(0);

    let measured: Vec<_> = arguments
        .sizes
        .iter()
        .map(|&size| {
            let built = build(size);
            let dense = built.searches(&queries);
            let engine = searches::through_the_engine(&built, &empty, &model, &queries);
            (built, dense, engine)
        })
        .collect();
    println!(
        "\n| passages | lexical, s | vectors, s | graph, s | graph, vectors/s | bytes of a passage on disk: lexical | \
         vectors | graph | in memory |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    measured.iter().for_each(|(built, _, engine)| println!("{}", built.row(engine.bytes_in_memory)));
    println!(
        "\n| passages | exact, 10 | graph without rescoring, 10 | graph, 10 | graph, 100 | \
         recall@10 without rescoring | of 10 | of 100 | recall@100 | rows scored exactly in the time of graph, 100 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    measured.iter().for_each(|(_, dense, _)| println!("{dense}"));
    println!("\n| passages | candidates scored | breadth of the walk | time | recall@10 |");
    println!("|---|---|---|---|");
    measured.iter().for_each(|(_, dense, _)| dense.breadths(|row| println!("{row}")));
    println!("\n| passages | allowed | lexical | dense | fused | of it lexical | dense | fusing, passages |");
    println!("|---|---|---|---|---|---|---|---|");
    measured.iter().for_each(|(_, _, engine)| print!("{engine}"));
}
