//! The queries that the report of a round names, and how they are forgotten.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use crate::common::rounds::{by_vectors, harmful_round, learn};
use crate::common::{documents, judge_everything};
use retune::learn::QueryChange;
use retune::{Engine, LearnStage, RoundReport, page};

/// An index in which a harmful round loses queries.
fn losing(folder: &Path) -> Engine {
    let engine = Engine::open(folder.join("index"), by_vectors()).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    engine
}

fn named(report: &RoundReport) -> Vec<&QueryChange> {
    let queries = report.queries.as_ref().unwrap();
    queries.won_most.iter().chain(&queries.lost_most).collect()
}

fn stored(folder: &Path, round: u64) -> String {
    std::fs::read_to_string(folder.join(format!("index/rounds/{round:06}.json"))).unwrap()
}

#[test]
fn a_report_names_the_queries_won_and_lost_with_what_stands_first() {
    let folder = tempfile::tempdir().unwrap();
    let engine = losing(folder.path());
    let report = learn(&engine, &harmful_round());
    let queries = report.queries.as_ref().unwrap();
    assert_eq!(queries.won + queries.lost + queries.tied, report.held_out);
    assert_eq!(queries.lost_most.len(), queries.lost.min(10));
    let lost = &queries.lost_most[0];
    assert!(lost.after.ap_20 < lost.before.ap_20, "{lost:?}");
    let ids: BTreeSet<String> = documents().into_iter().map(|document| document.id).collect();
    for ranking in [&lost.before, &lost.after] {
        assert!(ranking.first.len() == 3 && ranking.first.iter().all(|id| ids.contains(id)), "{ranking:?}");
    }
    // The judged document is the only answer, and stands where the rank says.
    let rank = lost.before.rank.unwrap();
    assert!((lost.before.ap_20 - 1.0 / rank as f64).abs() < 1e-12);
    assert!(lost.after.rank.unwrap() > rank);

    let html = page::html(&report).unwrap();
    let counts = format!("{} held-out queries rank better than before, {} worse", queries.won, queries.lost);
    assert!(html.contains(&counts) && html.contains(&format!("<th scope=\"row\">{}</th>", lost.query)));
    assert!(html.contains(&format!("1.\u{a0}{}", lost.after.first[0])));
    assert_eq!(engine.rounds().unwrap(), std::slice::from_ref(&report));

    let mut older = serde_json::to_value(&report).unwrap();
    older.as_object_mut().unwrap().remove("queries").unwrap();
    let older: RoundReport = serde_json::from_value(older).unwrap();
    assert_eq!(older.queries, None);
    assert!(page::html(&older).unwrap().contains("This report compares no queries."));
}

#[test]
fn what_is_forgotten_leaves_the_reports_too() {
    let folder = tempfile::tempdir().unwrap();
    let engine = losing(folder.path());
    let report = learn(&engine, &harmful_round());
    let text = named(&report)[0].query.clone();
    assert!(stored(folder.path(), 1).contains(&text));
    assert!(engine.forget_query(&text.to_uppercase()).unwrap() >= 2);
    assert!(!stored(folder.path(), 1).contains(&text));
    let kept = engine.rounds().unwrap().remove(0);
    assert_eq!(named(&kept).len(), named(&report).len() - 1);
    assert_eq!(kept.queries.as_ref().unwrap().lost, report.queries.as_ref().unwrap().lost, "counts stay");

    let document = named(&kept)[0].before.first[0].clone();
    let quoted = format!("{document:?}");
    assert!(stored(folder.path(), 1).contains(&quoted));
    engine.forget_document(&document).unwrap();
    assert!(!stored(folder.path(), 1).contains(&quoted));

    // Nothing can be looked for in a damaged report, so it goes.
    let path = folder.path().join("index/rounds/000001.json");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    engine.forget_query("a query that nobody asked").unwrap();
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn reports_are_their_owners_alone_also_those_of_earlier_versions() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = tempfile::tempdir().unwrap();
    let engine = losing(folder.path());
    let report = learn(&engine, &harmful_round());
    let path = folder.path().join("index/rounds/000001.json");
    let mode = || metadata(&path).unwrap().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    engine.forget_query(&named(&report)[0].query).unwrap();
    assert_eq!(mode(), 0o600, "it is written again");
}

#[test]
fn what_is_forgotten_while_a_round_runs_is_not_in_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let engine = losing(folder.path());
    let first = learn(&engine, &harmful_round());
    let text = named(&first)[0].query.clone();
    let mut told = false;
    let second = engine.learn(&harmful_round(), &mut |progress| {
        if progress.stage == LearnStage::Train && !told {
            told = true;
            engine.forget_query(&text).unwrap();
        }
        ControlFlow::Continue(())
    });
    let second = second.unwrap();
    assert!(told && second.held_out == first.held_out, "the round had read the log before");
    assert!(named(&second).iter().all(|change| change.query != text));
    assert!((1..=2).all(|round| !stored(folder.path(), round).contains(&text)));
}
