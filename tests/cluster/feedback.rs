//! What is asked of an index on a cluster and said of its answers, and how an index of this machine comes by it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use retune::cluster::Cluster;
use retune::feedback::Impression;
use retune::{Answer, Engine, Error, Query, QueryId, Verdict};

use crate::common::{documents, open, quick_round};
use crate::support::{handbook, import, index, log, logged, questions, saying};

/// How far two scores may be apart.
const NEAR: f32 = 1e-4;

/// The documents, passages and scores that were logged are those that were shown.
fn assert_shown(impression: &Impression, answer: &Answer) {
    let shown =
        answer.hits.iter().map(|hit| (&hit.document, Some(hit.chunk), hit.lexical, hit.dense, hit.score));
    let kept =
        impression.hits.iter().map(|hit| (&hit.document, hit.chunk, hit.lexical, hit.dense, hit.score));
    assert!(kept.eq(shown), "{impression:?} {answer:?}");
}

/// What an index of this machine logs for the same query, but for its id and time, and small differences of scores.
fn assert_as_here(far: &Impression, engine: &Engine, query: &Query) {
    let id = engine.search(query).unwrap().query_id;
    let here = engine.find_query(&id.to_string()).unwrap();
    let head = |one: &Impression| (one.query.clone(), one.words.clone(), one.session.clone(), one.hits.len());
    assert_eq!(head(far), head(&here));
    let near = |a: Option<f32>, b: Option<f32>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= NEAR * a.abs().max(1.0),
        _ => a.is_none() && b.is_none(),
    };
    let least = here.hits.last().map_or(0.0, |hit| hit.score);
    for hit in &far.hits {
        let Some(own) = here.hits.iter().find(|own| own.document == hit.document) else {
            assert!(near(Some(hit.score), Some(least)), "{} is not here", hit.document);
            continue;
        };
        let scores = near(own.lexical, hit.lexical) && near(own.dense, hit.dense);
        assert!(scores && near(Some(own.score), Some(hit.score)), "{own:?} {hit:?}");
        assert_eq!(own.chunk, hit.chunk, "{own:?} {hit:?}");
    }
}

/// The query that asks a question, in one of the ways to ask.
fn asking(at: usize, question: &str) -> Query {
    match at % 3 {
        0 => Query::new(question).with_session(format!("visit {at}")),
        1 => Query::parse(format!("{question} -zeppelin")),
        _ => Query::new(question).with_limit(4).with_mode(retune::Mode::Lexical),
    }
}

#[test]
fn what_many_ask_and_judge_comes_into_the_log_once_as_it_was() {
    let Some(index) = index("logged") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = handbook(folder.path());
    index.migrate(&engine, 2);
    let (clusters, questions) = ([index.open(), index.open()], questions());
    let questions: Vec<&String> = questions.iter().step_by(6).collect();
    let answers = crossbeam_utils::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (cluster, other) = (&clusters[thread % 2], &clusters[(thread + 1) % 2]);
                let own = questions.iter().enumerate().skip(thread).step_by(4);
                scope.spawn(move |_| {
                    own.map(|(at, question)| {
                        let query = asking(at, question);
                        let answer = cluster.search(&query).unwrap();
                        assert!(answer.logged);
                        let further = cluster.search(&query.next_page(&answer)).unwrap();
                        assert_eq!((further.logged, further.query_id), (true, answer.query_id));
                        let unlogged = cluster.search(&query.without_logging()).unwrap();
                        assert!(!unlogged.logged);
                        if let Some(hit) = answer.hits.get(at % 5) {
                            cluster.judge(answer.query_id, &hit.document, Verdict::Opened).unwrap();
                            // Of any process: here that of the other handle.
                            other.judge(answer.query_id, &hit.document, Verdict::Chosen).unwrap();
                        }
                        (at, answer)
                    })
                    .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<BTreeMap<usize, Answer>>()
    })
    .unwrap();
    assert!(!clusters[0].search(&Query::new("...")).unwrap().logged, "there was nothing to find");
    for cluster in clusters {
        assert_eq!(cluster.feedback_counts().dropped, 0);
        cluster.close().unwrap();
    }
    assert_eq!(index.records("ubi_queries").len(), questions.len());
    let judged = answers.iter().filter(|(at, answer)| answer.hits.len() > *at % 5).count();
    let report = import(&engine, &index);
    assert_eq!((report.queries, report.judgements), (questions.len(), 2 * judged));
    assert_eq!((report.unreadable, report.missing_documents, report.events_without_query), (0, 0, 0));
    let kept = logged(&engine);
    assert_eq!(kept.len(), questions.len());
    for one in &kept {
        let (at, answer) =
            answers.iter().find(|(_, one_of)| one_of.query_id == one.impression.query_id).unwrap();
        assert_shown(&one.impression, answer);
        let said: Vec<Verdict> = one.judgements.iter().map(|said| said.verdict).collect();
        let expected: &[Verdict] = match answer.hits.len() > at % 5 {
            true => &[Verdict::Opened, Verdict::Chosen],
            false => &[],
        };
        assert_eq!(said, expected);
    }
    let again = import(&engine, &index);
    assert_eq!((again.queries, again.judgements, again.documents), (0, 0, 0));
    assert_eq!((again.known_queries, again.known_judgements), (questions.len(), 2 * judged));
    assert_eq!(logged(&engine), kept);
    for one in kept.iter().step_by(5) {
        let (at, _) = answers.iter().find(|(_, answer)| answer.query_id == one.impression.query_id).unwrap();
        assert_as_here(&one.impression, &engine, &asking(*at, questions[*at]));
    }
}

#[test]
fn what_is_not_there_can_not_be_judged() {
    let Some(index) = index("unknown") else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(folder.path(), "anchor", 20), 1);
    let cluster = index.open();
    let refused = |cluster: &Cluster, query_id: QueryId, document: &str, what: &str| {
        let error = cluster.judge(query_id, document, Verdict::Chosen).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }) && error.to_string().contains(what), "{error}");
    };
    refused(&cluster, QueryId(7), "anchor-1", "query on the cluster");
    let unlogged = cluster.search(&Query::new("anchor").without_logging()).unwrap();
    refused(&cluster, unlogged.query_id, "anchor-1", "query on the cluster");
    let answer = cluster.search(&Query::new("anchor")).unwrap();
    refused(&cluster, answer.query_id, "anchor-77", "document \"anchor-77\"");
    // It may still be in the queue, and was not shown.
    let answer = cluster.search(&Query::new("anchor 3").with_limit(1)).unwrap();
    cluster.judge(answer.query_id, "anchor-19", Verdict::Relevant).unwrap();
    let digits = answer.query_id.to_string();
    for beginning in [&digits[..], &digits[..12]] {
        let found = cluster.find_query(beginning).unwrap();
        assert_eq!((found.query_id, &*found.query), (answer.query_id, "anchor 3"));
        assert_shown(&found, &answer);
    }
    assert!(matches!(cluster.find_query("xyz"), Err(Error::Invalid { .. })));
    // Of the same cluster, but of another index.
    let other = format!("{}-other", index.name);
    let options = retune::cluster::MigrateOptions::default();
    let nodes = index.store().rsplit_once('/').unwrap().0.to_string();
    let engine = saying(&folder.path().join("other"), "anchor", 20);
    let store = format!("{nodes}/{other}");
    engine.migrate(&store, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    let beside = Cluster::open(&store, &crate::common::options()).unwrap();
    refused(&beside, answer.query_id, "anchor-1", "query on the cluster");
    let report = import(&engine, &index);
    assert_eq!((report.queries, report.judgements), (2, 1));
    let none = log(&engine).import_cluster(&format!("{store}-none"), &Default::default()).unwrap_err();
    assert!(matches!(none, Error::NotFound { .. }), "{none}");
}

#[test]
fn a_round_learns_from_what_was_judged_on_the_cluster() {
    let Some(index) = index("round") else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    index.migrate(&engine, 1);
    let cluster = index.open();
    for document in documents() {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        for text in [words[..5].join(" "), words[words.len() - 5..].join(" ")] {
            let answer = cluster.search(&Query::new(text)).unwrap();
            cluster.judge(answer.query_id, &document.id, Verdict::Chosen).unwrap();
        }
    }
    cluster.close().unwrap();
    assert_eq!(import(&engine, &index).judgements, 2 * documents().len());
    let report = engine.dry_run(&quick_round(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(engine.status().unwrap().feedback.unwrap().judgements, 2 * documents().len() as u64);
    assert!(report.examples > 0 && report.held_out > 0, "{report:?}");
}
