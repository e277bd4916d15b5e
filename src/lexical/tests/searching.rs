use std::collections::HashMap;

use proptest::prelude::*;
use tantivy::fieldnorm::FieldNormReader;

use super::*;
use crate::lexical::bm25::{Pruning, TITLE_BOOST};
use crate::lexical::choice::MOST_QUERY_TERMS;
use crate::lexical::phrase::PHRASE_BOOST;

#[test]
fn words_match_by_their_stems_in_title_and_body() {
    let fixture = Fixture::new();
    fixture.add(&[
        chunk(1, "Searching", "how to find things"),
        chunk(2, "Other", "he searches a café"),
        chunk(3, "Other", "nothing here"),
    ]);
    let snapshot = fixture.snapshot();
    assert_eq!(ids(&snapshot.search("search", 10, None).unwrap()), [1, 2]);
    assert_eq!(ids(&snapshot.search("CAFE", 10, None).unwrap()), [2]);
    assert_eq!(ids(&snapshot.search("other café", 10, None).unwrap()), [2, 3]);
    assert_eq!(snapshot.search("search", 0, None).unwrap(), []);
    assert_eq!(snapshot.search("unknown", 10, None).unwrap(), []);
    for empty in ["", "  ", "?!", "\u{0}", "😀"] {
        assert_eq!(snapshot.search(empty, 10, None).unwrap(), [], "{empty:?}");
    }
}

#[test]
fn nothing_in_a_query_is_syntax() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "alpha beta"), chunk(2, "", "beta gamma"), chunk(3, "title", "delta")]);
    let snapshot = fixture.snapshot();
    let plain = snapshot.search("alpha gamma", 10, None).unwrap();
    assert_eq!(plain.len(), 2);
    for odd in [
        "\"alpha gamma\"",
        "+alpha -gamma",
        "alpha:gamma",
        "(alpha AND gamma",
        "alpha^2 gamma~",
        "alpha* [gamma TO",
        "\\alpha\\ gamma\"",
    ] {
        let hits = snapshot.search(odd, 10, None).unwrap();
        assert!(ids(&hits).contains(&1) && ids(&hits).contains(&2), "{odd}: {hits:?}");
    }
    assert_eq!(ids(&snapshot.search("title:delta", 10, None).unwrap()), [3]);
    assert_eq!(ids(&snapshot.search("-delta", 10, None).unwrap()), [3]);
}

#[test]
fn stop_words_are_searched_only_when_there_is_nothing_else() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "to be or not to be"), chunk(2, "", "the question")]);
    let snapshot = fixture.snapshot();
    assert_eq!(ids(&snapshot.search("not to be", 10, None).unwrap()), [1]);
    assert_eq!(ids(&snapshot.search("to be the question", 10, None).unwrap()), [2]);
}

#[test]
fn names_with_signs_stand_above_the_words_in_them() {
    let fixture = Fixture::new();
    fixture.add(&[
        chunk(1, "", "the gauge is written in C and C and C"),
        chunk(2, "", "the lock was rewritten in C++ in the last year of the contract"),
        chunk(3, "", "a tool in C#"),
        chunk(4, "", "a fishing net, a net of nets"),
        chunk(5, "", "the payroll program needs .NET 8 to run"),
        chunk(6, "", "function parseGateReading(raw) { return raw.level; }"),
        chunk(7, "", "gasket KX-4401/B"),
        chunk(8, "", "the parse of a reading, and a gate"),
    ]);
    let snapshot = fixture.snapshot();
    for (query, first) in
        [("C++", 2), ("c#", 3), (".NET", 5), ("gate reading", 6), ("kx4401", 7), ("parseGateReading", 6)]
    {
        assert_eq!(ids(&snapshot.search(query, 10, None).unwrap())[0], first, "{query}");
    }
    assert_eq!(ids(&snapshot.search("C++", 10, None).unwrap()), [2], "C is another word");
    let highlighted = |query: &str, text: &str| {
        let ranges = snapshot.prepare(query).unwrap().highlight_text(text, snapshot.analyzers().own());
        ranges.into_iter().map(|range| text[range].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(highlighted("gate", "(parseGateReading)"), ["Gate"]);
    assert_eq!(highlighted("kx4401", "a KX-4401/B"), ["KX-4401"]);
    assert_eq!(highlighted("KX-4401", "KX-4401 kx4401"), ["KX-4401", "kx4401"]);
    assert_eq!(highlighted("c++ net", "C++, C and .NET"), ["C++", "NET"]);
    assert_eq!(highlighted("검색", "a 검색기를"), ["검색"]);
}

#[test]
fn a_word_in_its_only_form_is_a_neighbour_as_its_parts_are() {
    let fixture = Fixture::new();
    fixture.add(&[
        chunk(1, "", "valve KX-4401 green"),
        chunk(2, "", "KX-4401 green valve"),
        chunk(3, "", "rope"),
    ]);
    let snapshot = fixture.snapshot();
    for query in ["KX-4401 valve", "kx4401 valve", "kx-4401 valve"] {
        assert_eq!(ids(&snapshot.search(query, 10, None).unwrap()), [1, 2], "{query}");
    }
    for query in ["KX-4401 green", "valve kx4401", "kx4401 green"] {
        let with = snapshot.score(query, &[ChunkId(1)]).unwrap()[0];
        let without = snapshot.prepare_with(query, &[], 0.0).unwrap().score(&[ChunkId(1)]).unwrap()[0];
        assert!(with > without, "{query}");
    }
}

#[test]
fn a_repeated_word_weighs_more() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "alpha one"), chunk(2, "", "beta one")]);
    let snapshot = fixture.snapshot();
    assert_eq!(ids(&snapshot.search("alpha beta", 10, None).unwrap()), [1, 2]);
    let hits = snapshot.search("alpha beta beta", 10, None).unwrap();
    assert_eq!(ids(&hits), [2, 1]);
    assert!((hits[0].1 / hits[1].1 - 2.0).abs() < 1e-5);
}

#[test]
fn ties_are_broken_by_id_at_the_cut_too() {
    let fixture = Fixture::new();
    // Over several segments, each added in descending order.
    for commit in 0..3 {
        let records: Vec<_> = (0..50).rev().map(|i| chunk(i * 3 + commit, "same", "same words")).collect();
        fixture.add(&records);
    }
    let snapshot = fixture.snapshot();
    for limit in [1, 7, 149, 150, 1000] {
        let hits = snapshot.search("words", limit, None).unwrap();
        assert_eq!(ids(&hits), (0..150.min(limit as u64)).collect::<Vec<_>>());
    }
}

#[test]
fn neighbours_of_the_query_count_where_they_stand_as_far_apart() {
    let fixture = Fixture::new();
    fixture.add(&[
        chunk(1, "", "green lamp of the keeper, and a rope"),
        chunk(2, "", "lamp green keeper of a rope, and the"),
        chunk(3, "Green", "lamp keeper rope"),
        chunk(4, "", "nothing of it"),
    ]);
    let snapshot = fixture.snapshot();
    let phrases = |query: &str| {
        let all = [1, 2, 3, 4].map(ChunkId);
        let (with, without) =
            (snapshot.score(query, &all), snapshot.prepare_with(query, &[], 0.0).unwrap().score(&all));
        let both = with.unwrap().into_iter().zip(without.unwrap());
        both.map(|(with, without)| with - without).collect::<Vec<f32>>()
    };
    // Each word is in three of four chunks. The title comes before the text.
    let pair = PHRASE_BOOST * 2.0 * (1.0 + 1.5_f32 / 3.5).ln();
    let near = |found: Vec<f32>, expected: [f32; 4]| {
        let close = found.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-5);
        assert!(close, "{found:?} {expected:?}");
    };
    near(phrases("green lamp"), [pair, 0.0, pair, 0.0]);
    near(phrases("lamp green"), [0.0, pair, 0.0, 0.0]);
    // Stop words keep their position, although they don't count.
    near(phrases("lamp of the keeper"), [pair, 0.0, 0.0, 0.0]);
    near(phrases("lamp keeper"), [0.0, 0.0, pair, 0.0]);
    near(phrases("lamp unknown keeper"), [0.0; 4]);
    near(phrases("lamp"), [0.0; 4]);
    assert_eq!(
        ids(&snapshot.search("keeper of a rope", 10, None).unwrap()),
        [3, 1, 2],
        "the shortest first, then equals by id"
    );
}

#[test]
fn the_ceiling_is_what_a_chunk_scores_that_alone_has_all_words() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "green lamp"), chunk(2, "", "a rope"), chunk(3, "", "the keeper")]);
    let snapshot = fixture.snapshot();
    let alone = snapshot.prepare_with("green lamp", &[], 0.0).unwrap().score(&[ChunkId(1)]).unwrap()[0];
    let near = |query: &str, expected: f32| {
        let ceiling = snapshot.prepare(query).unwrap().ceiling();
        assert!((ceiling - expected).abs() < 1e-5, "{query}: {ceiling} {expected}");
    };
    near("green lamp", alone);
    near("the green lamp", alone);
    near("lamp", alone / 2.0);
    near("lamp lamp unknown", 1.5 * alone);
    near("?!", 0.0);
    assert_eq!(Fixture::new().snapshot().prepare("").unwrap().ceiling(), 0.0);
}

#[test]
fn a_query_of_100_kb_keeps_its_rarest_words() {
    let fixture = Fixture::new();
    let mut records: Vec<_> = (0..400).map(|i| chunk(i, "", &format!("common{} filler", i % 40))).collect();
    records.push(chunk(400, "", "needle filler"));
    fixture.add(&records);
    let mut query: String = (0..20_000).map(|i| format!("common{} word{i} ", i % 40)).collect();
    query.truncate(100_000);
    query.push_str(" needle");
    let snapshot = fixture.snapshot();
    assert_eq!(snapshot.search(&query, 500, None).unwrap().len(), 401);
    // The query has more known words than are kept: the rare word must be kept.
    let words: String = (0..2 * MOST_QUERY_TERMS).map(|i| format!("w{i} ")).collect();
    fixture.add(&[chunk(401, "", &words), chunk(402, "", &words)]);
    let snapshot = fixture.snapshot();
    let hits = snapshot.search(&format!("{words} needle"), 3, None).unwrap();
    assert_eq!(ids(&hits), [401, 402, 400]);
    let scored = snapshot.score(&format!("{words} needle"), &[ChunkId(400), ChunkId(401)]).unwrap();
    assert_eq!(scored, [hits[2].1, hits[0].1]);
}

#[test]
fn highlights_are_the_words_that_match() {
    let snapshot = Fixture::new().snapshot();
    let text = "The searches: Searching for résumés, and the search.";
    let words: Vec<&str> = snapshot
        .prepare("the resume search")
        .unwrap()
        .highlight_text(text, snapshot.analyzers().own())
        .into_iter()
        .map(|r| &text[r])
        .collect();
    let highlight =
        |query, text| snapshot.prepare(query).unwrap().highlight_text(text, snapshot.analyzers().own());
    assert_eq!(words, ["searches", "Searching", "résumés", "search"]);
    assert_eq!(highlight("the", text).len(), 2);
    assert_eq!(highlight("検索機能", "x検索機能y z検索"), [1..13, 16..22]);
    assert!(highlight("", text).is_empty());
}

/// BM25 by its definition. Counts live and deleted chunks, and rounds lengths as the index does.
fn definition(
    records: &[ChunkRecord],
    query: &str,
    analyzer: &crate::lexical::analysis::Analyzer,
) -> Vec<f64> {
    let words = |text: &str| {
        let mut words = Vec::new();
        analyzer.terms(text, |term, _| {
            words.push(term.to_owned());
            true
        });
        words
    };
    let mut scores = vec![0.0; records.len()];
    let text = |record: &ChunkRecord| words(&format!("{}\n{}", record.title, record.body));
    let fields: [(Vec<Vec<String>>, f64); 2] = [
        (records.iter().map(text).collect(), 1.0),
        (records.iter().map(|record| words(&record.title)).collect(), f64::from(TITLE_BOOST)),
    ];
    for (texts, boost) in fields {
        let total = texts.len() as f64;
        let mean = texts.iter().map(Vec::len).sum::<usize>() as f64 / total;
        let mut counts: HashMap<String, u32> = HashMap::new();
        analyzer
            .query_sequence(query)
            .into_iter()
            .for_each(|word| *counts.entry(word.term).or_default() += 1);
        for (term, count) in counts {
            let having = texts.iter().filter(|text| text.contains(&term)).count() as f64;
            let idf = (1.0 + (total - having + 0.5) / (having + 0.5)).ln();
            for (score, text) in scores.iter_mut().zip(&texts) {
                let frequency = text.iter().filter(|word| **word == term).count() as f64;
                let rounded =
                    FieldNormReader::id_to_fieldnorm(FieldNormReader::fieldnorm_to_id(text.len() as u32));
                let length = 1.2 * (1.0 - 0.75 + 0.75 * f64::from(rounded) / mean);
                if frequency > 0.0 {
                    *score += boost * f64::from(count) * idf * 2.2 * frequency / (frequency + length);
                }
            }
        }
    }
    scores
}

fn word() -> impl Strategy<Value = String> {
    // Skewed, so that some words are in nearly every text and some in only one.
    prop_oneof![5 => 0..3_u32, 2 => 3..10_u32, 1 => 10..60_u32].prop_map(|n| format!("w{n}"))
}

fn words(count: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(word(), count).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn search_and_score_agree_with_the_definition(
        texts in prop::collection::vec((words(0..3), words(0..30)), 1..120),
        queries in prop::collection::vec(words(1..12), 1..6),
        cuts in prop::collection::vec(1..40_usize, 1..4),
        limit in 1..30_usize,
        deleted in prop::collection::vec(0..120_u64, 0..10),
    ) {
        let fixture = Fixture::new();
        // Ids have gaps and are not in the order of adding. Every second chunk is "odd" by its metadata.
        let id = |i: usize| (i as u64 * 7919) % 100_003;
        let records: Vec<_> = texts.iter().enumerate().map(|(i, (title, body))| ChunkRecord {
            metadata: Map::from_iter([("odd".to_owned(), Json::Bool(i % 2 == 1))]),
            ..chunk(id(i), title, body)
        }).collect();
        let mut rest = &records[..];
        for cut in cuts {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            if !now.is_empty() { fixture.add(now); }
            rest = later;
        }
        if !rest.is_empty() { fixture.add(rest); }
        fixture.change(|writer| for i in &deleted { writer.delete_chunk(ChunkId(id(*i as usize))) });
        let snapshot = fixture.snapshot();
        // Statistics count deleted chunks until a merge drops them. Compare only if none were dropped.
        let held: u64 = snapshot.segments().iter().map(|s| u64::from(s.max_doc())).sum();
        prop_assume!(held == records.len() as u64);
        let alive = |i: usize| !deleted.contains(&(i as u64));
        let odd = snapshot.matching(&Filter::equals("odd", true)).unwrap();
        let odd_alive: Vec<ChunkId> =
            (0..records.len()).filter(|&i| i % 2 == 1 && alive(i)).map(|i| records[i].chunk).collect();
        prop_assert_eq!(odd.len(), odd_alive.len());
        prop_assert!(odd_alive.iter().all(|&chunk| odd.contains(chunk)));
        for query in queries {
            let truth = definition(&records, &query, snapshot.analyzers().own());
            let all: Vec<ChunkId> = records.iter().map(|record| record.chunk).collect();
            let prepared = snapshot.prepare_with(&query, &[], 0.0).unwrap();
            let scores = prepared.score(&all).unwrap();
            for (i, (&score, truth)) in scores.iter().zip(&truth).enumerate() {
                let truth = if alive(i) { *truth } else { 0.0 };
                prop_assert!((f64::from(score) - truth).abs() <= 1e-4 * truth.max(1e-3), "{i}: {score} {truth}");
            }
            for filter in [None, Some(&odd)] {
                let mut expected: Vec<(ChunkId, f32)> = (0..records.len())
                    .filter(|i| scores[*i] > 0.0 && (filter.is_none() || i % 2 == 1))
                    .map(|i| (all[i], scores[i]))
                    .collect();
                expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                expected.truncate(limit);
                // The hits and their scores must be identical, however early the search starts to prune.
                let eager = |few| Pruning { rare: 2, few };
                for how in [Pruning::DEFAULT, eager(1), eager(3)] {
                    prop_assert_eq!(&prepared.search_with(limit, filter, how).unwrap(), &expected);
                }
                // Phrases reorder those hits, and chunks that tie with the last one.
                let least = expected.last().map_or(0.0, |hit| hit.1);
                let best = (0..records.len()).filter(|i| scores[*i] > 0.0 && scores[*i] >= least);
                let best: Vec<ChunkId> =
                    best.filter(|i| filter.is_none() || i % 2 == 1).map(|i| all[i]).collect();
                let mut expected: Vec<(ChunkId, f32)> =
                    best.iter().copied().zip(snapshot.score(&query, &best).unwrap()).collect();
                expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                expected.truncate(limit);
                prop_assert_eq!(&snapshot.search(&query, limit, filter).unwrap(), &expected);
            }
        }
    }
}

#[test]
fn scores_of_unknown_and_repeated_ids_are_given_in_the_order_asked() {
    let fixture = Fixture::new();
    fixture.add(&[chunk(1, "", "alpha"), chunk(2, "", "beta")]);
    let asked = [ChunkId(9), ChunkId(1), ChunkId(2), ChunkId(1)];
    let scores = fixture.snapshot().score("alpha", &asked).unwrap();
    assert!(scores[1] > 0.0);
    assert_eq!(scores, [0.0, scores[1], 0.0, scores[1]]);
}
