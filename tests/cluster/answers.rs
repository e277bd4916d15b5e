//! The same answers as from an index of this machine.

use retune::{Document, Engine, FieldValue, Filter, Fusion, Hit, Language, Mode, Query, Reader};

use crate::common::options;
use crate::support::{Index, handbook, index, questions};

/// How far two scores may be apart.
const NEAR: f32 = 1e-4;

/// Compares the answers of both, hit by hit. Hits whose scores are as near to each other may have changed places.
fn compare(reader: &Reader, index: &Index, query: &Query) {
    let cluster = index.open();
    compare_with(reader, &cluster, query);
}

/// As [`compare`], with an open cluster.
pub fn compare_with(reader: &Reader, cluster: &retune::cluster::Cluster, query: &Query) {
    let (ours, theirs) = (reader.search(query).unwrap(), cluster.search(query).unwrap());
    let about = format!("{:?} {:?}", query.text, query.mode);
    let near = |a: f32, b: f32| (a - b).abs() <= NEAR * a.abs().max(1.0);
    let near_or_none = |a: Option<f32>, b: Option<f32>| match (a, b) {
        (Some(a), Some(b)) => near(a, b),
        _ => a.is_none() && b.is_none(),
    };
    assert_eq!(ours.hits.len(), theirs.hits.len(), "{about}");
    assert_eq!((ours.mode, ours.coverage), (theirs.mode, theirs.coverage));
    assert_eq!((ours.total, &ours.facets), (theirs.total, &theirs.facets), "{about}");
    let least = ours.hits.last().map_or(0.0, |hit| hit.score);
    for (own, hit) in ours.hits.iter().zip(&theirs.hits) {
        assert!(
            near(own.score, hit.score),
            "{about}: {} {} {} {}",
            own.document,
            own.score,
            hit.document,
            hit.score
        );
        let Some(own) = ours.hits.iter().find(|own| own.document == hit.document) else {
            assert!(near(hit.score, least), "{about}: {} is in one answer", hit.document);
            continue;
        };
        assert!(near(own.score, hit.score), "{about}: {} {} {}", own.document, own.score, hit.score);
        assert!(near_or_none(own.lexical, hit.lexical), "{about}: {:?} {:?}", own.lexical, hit.lexical);
        assert!(near_or_none(own.dense, hit.dense), "{about}: {:?} {:?}", own.dense, hit.dense);
        if own.chunk == hit.chunk {
            let shown = |hit: &Hit| {
                let Hit { title, passage, start, end, place, highlights, fields, .. } = hit.clone();
                (title, passage, start, end, place, highlights, fields)
            };
            assert_eq!(shown(own), shown(hit), "{about}");
        }
    }
}

pub fn in_all_modes(query: Query) -> [Query; 3] {
    [Mode::Hybrid, Mode::Lexical, Mode::Dense].map(|mode| query.clone().with_mode(mode).without_logging())
}

#[test]
fn the_same_hits_and_scores_with_one_shard_and_with_five() {
    let Some(index) = index("answers") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = handbook(folder.path());
    for shards in [1, 5] {
        let report = index.migrate(&engine, shards);
        assert_eq!(report.chunks, report.encoded);
        let cluster = index.open();
        for question in questions().iter().step_by(7) {
            in_all_modes(Query::new(question))
                .iter()
                .for_each(|query| compare_with(&engine, &cluster, query));
        }
        let question = &questions()[7];
        let pages = [Query::new(question).with_limit(3).with_offset(3), Query::new(question).with_limit(150)];
        let fusions = [Fusion::RRF, Fusion::Convex { dense_weight: 0.1 }]
            .map(|fusion| Query::new(question).with_fusion(fusion));
        let others = [Query::new(question).with_per_folder(1), Query::new(question).with_copies()];
        for query in pages.into_iter().chain(fusions).chain(others) {
            compare_with(&engine, &cluster, &query.without_logging());
        }
    }
}

fn mixed(folder: &std::path::Path) -> Engine {
    let engine = Engine::open(folder, options().with_language(Language::English)).unwrap();
    let fields = |at: i64, language: &str| {
        [
            ("number", FieldValue::from(at)),
            ("lang", language.into()),
            ("date", FieldValue::Date(format!("2024-0{}-15", 1 + at % 9).parse().unwrap())),
        ]
    };
    let texts = [
        ("The gates of the lock are greased in spring; KX-4401 is the grease.", "english"),
        ("A gate that creeps is chocked. The gate's ram is bled until the pointer rests.", "english"),
        ("Die Schleusentore werden im Frühling geschmiert, die Tore im Herbst geprüft.", "german"),
        ("Das Tor der Schleuse steht offen; die Pumpen laufen. The gate is open.", "german"),
        ("Les portes de l'écluse sont graissées au printemps.", "french"),
        ("水門を開く。水門を閉じる。検索機能を使う。", "none"),
        ("grease", "english"),
        ("?!", "english"),
    ];
    let documents = texts.iter().cycle().take(40).enumerate().map(|(at, (text, language))| {
        let text = format!("{text} Note {at}.");
        let mut document = Document::new(format!("{language}/{at}"), text);
        if at % 3 > 0 {
            document = document.with_title(format!("Gate notes {}", at % 5));
        }
        let document = document.with_language(language.parse().unwrap());
        fields(at as i64, language)
            .into_iter()
            .fold(document, |document, (name, value)| document.with_field(name, value))
    });
    engine.add(documents.collect()).unwrap();
    engine
}

#[test]
fn languages_missing_titles_phrases_and_filters_give_the_same_scores() {
    let Some(index) = index("mixed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = mixed(folder.path());
    for shards in [1, 5] {
        index.migrate(&engine, shards);
        let texts = [
            "gate",
            "gates of the lock",
            "grease KX-4401",
            "the gate the gate",
            "Tore geschmiert",
            "portes",
            "水門を開く",
            "検索",
            "is the",
            "gate notes 3",
            "pointer rests gate -grease",
            "title:notes ram",
            "gate after:2024-03 before:2024-08",
            "note 17",
            "gate's ram",
            "C++",
            "nothing-like-it",
        ];
        for text in texts {
            in_all_modes(Query::parse(text)).iter().for_each(|query| compare(&engine, &index, query));
        }
        let filters = [
            "lang=english",
            "number>=10 number<20",
            "not lang=german",
            "lang=ger*",
            "date>=2024-03 date<2024-06",
            "number=7 or number=8.5",
            "number=*",
            "(lang=french or lang=none) number>2",
        ];
        for filter in filters {
            let filter: Filter = filter.parse().unwrap();
            for query in in_all_modes(Query::new("gate notes")) {
                compare(&engine, &index, &query.with_filter(filter.clone()));
            }
        }
        let wrong = Query::new("gate").with_filter(Filter::equals("langu", "en"));
        let (ours, theirs) = (engine.search(&wrong).unwrap_err(), index.open().search(&wrong).unwrap_err());
        assert_eq!(ours.to_string(), theirs.to_string());
    }
}

#[test]
fn what_a_cluster_does_not_have_is_refused() {
    let Some(index) = index("refused") else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&mixed(folder.path()), 1);
    let cluster = index.open();
    for query in [
        Query::new("gate").with_candidates(20_000),
        Query::new("gate").with_filter(Filter::equals("number", 1_u64 << 60)),
        Query::new("gate").with_path("a".repeat(1001)),
    ] {
        let error = cluster.search(&query).unwrap_err().to_string();
        assert!(error.contains("on a cluster"), "{error}");
    }
    let complex = Query::new("gate").with_path(format!("*a{}", "?".repeat(20)));
    let error = cluster.search(&complex).unwrap_err().to_string();
    assert!(error.contains("a simpler pattern"), "{error}");
    assert!(cluster.search(&Query::new("...")).unwrap().hits.is_empty());
}
