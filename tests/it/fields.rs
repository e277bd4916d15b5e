//! Fields of documents on the tiny model: what comes back, filters, counts, pages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use retune::documents::{Date, Listing};
use retune::{Document, Engine, Error, FieldValue, Filter, Format, Mode, Query, Verdict};

use crate::common::{documents, ids, open};

const MODES: [Mode; 3] = [Mode::Hybrid, Mode::Lexical, Mode::Dense];

fn impressions(engine: &Engine) -> u64 {
    // A judgement waits for what was logged before it.
    engine.close().unwrap();
    let folder = engine.path().parent().unwrap();
    open(folder).status().unwrap().feedback.unwrap().impressions
}

/// Sixty documents of one to three passages, half of which speak of pumps.
fn desk(engine: &Engine) {
    let sentences = |topic: &str, n: usize| -> String {
        (0..6).map(|i| format!("The {topic} of station {n} was seen to by the crew, entry {i}. ")).collect()
    };
    let document = |n: usize| {
        let topic = if n.is_multiple_of(2) { "pump" } else { "gate" };
        let sections = (0..=n % 3).map(|part| format!("# Part {part}\n\n{}\n\n", sentences(topic, n)));
        Document::new(format!("t{n:02}"), sections.collect::<String>())
            .with_format(Format::Markdown)
            .with_field("topic", topic)
            .with_field("station", n)
            .with_field("tags", vec![["red", "blue"][n % 2], ["day", "night", "dusk"][n % 3]])
    };
    engine.add((0..60).map(document).collect()).unwrap();
}

#[test]
fn fields_come_back_as_they_were_given() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let now = SystemTime::now();
    let document = Document::new("a", "The horn is sounded in fog.")
        .with_title("Fog")
        .with_field("text", "2024-01-31")
        .with_field("day", "2024-01-31".parse::<Date>().unwrap())
        .with_field("now", now)
        .with_field("large", i64::MAX)
        .with_field("larger", u64::MAX)
        .with_field("small", -3)
        .with_field("share", 0.1)
        .with_field("whole", 2.0)
        .with_field("open", true)
        .with_field("tags", ["fog", "horn"])
        .with_field("days", vec!["2024-01-31".parse::<Date>().unwrap(), Date::from_unix_ms(1)])
        .with_field("none", Vec::<String>::new())
        .with_field("tag", "first")
        .with_field("tag", "second");
    assert_eq!(document.fields["tag"], FieldValue::from(["first", "second"]));
    let expected = document.fields.clone();
    engine.add(vec![document.clone()]).unwrap();
    for reopened in [false, true] {
        let engine = if reopened { open(folder.path()) } else { engine.clone() };
        let hit = engine.search(&Query::new("horn")).unwrap().hits.remove(0);
        assert_eq!(hit.fields, expected);
        let stored = engine.get("a").unwrap().unwrap();
        assert_eq!((stored.fields, stored.title), (expected.clone(), "Fog".to_string()));
        assert_eq!(stored.passages[0].text, "The horn is sounded in fog.");
        assert_eq!(engine.add(vec![document.clone()]).unwrap().unchanged, 1);
        engine.close().unwrap();
    }
    let engine = open(folder.path());
    assert!(engine.get("b").unwrap().is_none());
    let elapsed = SystemTime::from(expected["now"].as_date().unwrap());
    assert!(now.duration_since(elapsed).unwrap() < Duration::from_millis(1));
    let hit = |query: Query| engine.search(&query).unwrap().hits.remove(0);
    let some = hit(Query::new("horn").with_fields(["large", "no such field"]));
    assert_eq!(some.fields, BTreeMap::from([("large".to_string(), i64::MAX.into())]));
    assert!(hit(Query::new("horn").with_fields([""; 0])).fields.is_empty());
    let json = serde_json::to_value(hit(Query::new("horn"))).unwrap();
    assert_eq!(json["fields"]["larger"], serde_json::json!(u64::MAX));
    assert_eq!(json["fields"]["day"], "2024-01-31T00:00:00Z");
    assert_eq!(json["fields"]["tags"], serde_json::json!(["fog", "horn"]));
    // A text becoming the date that it names is a change.
    let changed = document.with_field("x", 1);
    let as_date = changed.clone().fields.into_iter().fold(
        Document::new("a", &*changed.text),
        |document, (name, value)| {
            let value = if name == "text" { "2024-01-31".parse::<Date>().unwrap().into() } else { value };
            document.with_field(name, value)
        },
    );
    assert_eq!(engine.add(vec![changed]).unwrap().documents, 1);
    assert_eq!(engine.add(vec![as_date.with_title("Fog")]).unwrap().documents, 1);
    assert!(engine.get("a").unwrap().unwrap().fields["text"].as_date().is_some());
}

#[test]
fn what_can_not_be_stored_is_refused_whole_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let document = || Document::new("wrong", "Text.");
    for (wrong, named) in [
        (document().with_field("n", 1).with_field("n", "one"), "\"n\" of \"wrong\""),
        (document().with_field("n", f64::NAN), "\"n\" of \"wrong\""),
        (document().with_field("n", vec![vec!["x"]]), "\"n\" of \"wrong\""),
        (document().with_field("n", Date::from_unix_ms(i64::MAX)), "\"n\" of \"wrong\""),
        (document().with_field("n", FieldValue::Integer(i128::MAX)), "\"n\" of \"wrong\""),
        (document().with_field("retune.x", 1), "retune.x"),
        (document().with_field("", 1), "\"wrong\""),
    ] {
        let error = engine.add(vec![Document::new("right", "Text."), wrong]).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }));
        assert!(error.to_string().contains(named), "{error}");
    }
    assert_eq!(engine.status().unwrap().documents, 0);
    engine.add(vec![document().with_field("n", 1).with_field("n", 2.5)]).unwrap();
    assert_eq!(engine.count(&Filter::equals("n", 1).and(Filter::equals("n", 2.5))).unwrap(), 1);
}

#[test]
fn documents_are_counted_listed_and_removed_by_their_fields() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    assert_eq!(engine.count(&Filter::equals("topic", "pump")).unwrap(), 0, "no fields yet");
    desk(&engine);
    assert_eq!(engine.count(&Filter::everything()).unwrap(), 60);
    assert_eq!(engine.count(&"topic=pump station>=50".parse().unwrap()).unwrap(), 5);
    assert_eq!(engine.fields().unwrap(), ["station", "tags", "topic"]);
    let unknown = engine.count(&Filter::equals("topik", "pump")).unwrap_err().to_string();
    assert!(unknown.contains("\"topik\"") && unknown.contains("station, tags, topic"), "{unknown}");
    assert!(engine.search(&Query::new("pump").with_filter(Filter::exists("topik"))).is_err());

    let facets = engine.facets(&Filter::equals("topic", "pump"), &["tags", "topic", "nothing"]).unwrap();
    let pairs = |field: &str| -> Vec<(String, usize)> {
        facets[field].iter().map(|count| (count.value.to_string(), count.documents)).collect()
    };
    let expected = [("red", 30), ("day", 10), ("dusk", 10), ("night", 10)];
    assert_eq!(pairs("tags"), expected.map(|(tag, count)| (tag.to_string(), count)));
    assert_eq!(pairs("topic"), [("pump".to_string(), 30)]);
    assert!(facets["nothing"].is_empty());

    let mut listing = Listing::default().with_filter(Filter::equals("tags", "night")).with_limit(7);
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = engine.list(&listing).unwrap();
        sizes.push(page.documents.len());
        seen.extend(page.documents.into_iter().map(|document| (document.id, document.passages.len())));
        // What comes and goes between two pages changes neither the ones before nor the ones behind.
        engine.add(vec![Document::new("t00a", "Late.").with_field("tags", "night")]).unwrap();
        engine.remove(&[&seen[0].0]).unwrap();
        let Some(next) = page.next else { break };
        listing = listing.with_after(next);
    }
    assert_eq!(sizes, [7, 7, 6]);
    assert_eq!(seen, (0..20).map(|n| (format!("t{:02}", 3 * n + 1), 2)).collect::<Vec<_>>());
    assert!(matches!(engine.list(&Listing::default().with_limit(0)), Err(Error::Invalid { .. })));

    assert!(engine.remove_matching(&Filter::equals("topik", "pump")).is_err());
    assert_eq!(engine.remove_matching(&Filter::equals("topic", "pump")).unwrap(), 30);
    assert_eq!(engine.remove_matching(&Filter::equals("topic", "pump").lenient()).unwrap(), 0);
    assert_eq!(engine.count(&Filter::everything()).unwrap(), 30);
    for mode in MODES {
        let found = ids(&engine, &Query::new("the pump of station 4").with_mode(mode).with_limit(100));
        assert!(
            found.iter().all(|id| id == "t00a" || id[1..].parse::<usize>().unwrap() % 2 == 1),
            "{mode:?}"
        );
    }
    assert_eq!(open_again(&engine).count(&Filter::everything()).unwrap(), 30);
}

fn open_again(engine: &Engine) -> Engine {
    engine.close().unwrap();
    open(engine.path().parent().unwrap())
}

#[test]
fn pages_show_every_document_once_and_are_one_impression() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    desk(&engine);
    let mut paged = 0;
    let shallow = || Query::new("pump of station").with_limit(4).with_candidates(6);
    for query in [
        Query::new("pump of station 7").with_limit(7),
        Query::new("pump of station 7").with_limit(7).with_filter(Filter::equals("tags", "night")),
        shallow(),
        shallow().with_filter(!Filter::equals("tags", "night")),
        Query::new("pump").with_limit(5).with_min_score(0.3),
    ] {
        for mode in MODES {
            let query = query.clone().with_mode(mode).with_total().with_facets(["topic"]);
            let first = engine.search(&query).unwrap();
            paged += 1;
            let (mut page, mut query) = (first.clone(), query);
            let (mut seen, mut topics) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
            while !page.hits.is_empty() {
                assert!(page.hits.len() <= query.limit);
                for (place, hit) in page.hits.iter().enumerate() {
                    assert_eq!(hit.rank, query.offset + place + 1);
                    assert!(seen.insert(hit.document.clone()), "{} twice, {mode:?}", hit.document);
                    *topics.entry(hit.fields["topic"].to_string()).or_default() += 1;
                    assert!(query.min_score.is_none_or(|least| hit.score >= least));
                }
                query = query.next_page(&page);
                page = engine.search(&query).unwrap();
                assert_eq!(page.query_id, first.query_id);
                assert_eq!((page.total, &page.facets), (first.total, &first.facets));
            }
            assert_eq!(first.total, Some(seen.len()), "{mode:?} {query:?}");
            let facet = first.facets["topic"].iter().map(|count| (count.value.to_string(), count.documents));
            assert_eq!(facet.collect::<BTreeMap<_, _>>(), topics, "{mode:?} {query:?}");
            if mode == Mode::Lexical && query.filter.is_none() && query.text.contains("station") {
                assert_eq!(seen.len(), 60, "all have the word");
            }
        }
    }
    let far = Query::new("pump").with_limit(3).with_offset(3);
    let alone = engine.search(&far).unwrap();
    assert!(matches!(engine.judge(alone.query_id, "t00", Verdict::Chosen), Err(Error::NotFound { .. })));
    let whole = ids(&engine, &Query::new("pump").with_limit(6).without_logging());
    assert_eq!(alone.hits.iter().map(|hit| hit.document.clone()).collect::<Vec<_>>(), whole[3..]);
    assert!(matches!(engine.search(&far.with_offset(1 << 30)), Err(Error::Invalid { .. })));
    assert_eq!(impressions(&engine), paged);
}

#[test]
fn what_a_later_page_shows_is_judged_under_the_id_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    desk(&engine);
    let query = Query::new("pump of station").with_limit(5);
    let first = engine.search(&query).unwrap();
    let second = engine.search(&query.next_page(&first)).unwrap();
    // As a web server does, which keeps nothing but the id in the link to the next page.
    let by_link = query.clone().with_offset(5).with_page_of(first.query_id.to_string().parse().unwrap());
    let again = engine.search(&by_link).unwrap();
    let shown =
        |answer: &retune::Answer| answer.hits.iter().map(|hit| hit.document.clone()).collect::<Vec<_>>();
    assert_eq!(shown(&second), shown(&again));
    assert!(second.logged, "with its first page");
    engine.judge(second.query_id, &second.hits[2].document, Verdict::Chosen).unwrap();
    let stats = engine.status().unwrap().feedback.unwrap();
    assert_eq!((stats.impressions, stats.judgements), (1, 1));
}

#[test]
fn a_query_without_a_word_finds_nothing_and_is_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    for text in ["", "   ", "\t\n", "?!", "“”", "-", "\u{a0}"] {
        for mode in MODES {
            let query = Query::new(text).with_mode(mode).with_facets(["x"]);
            let answer = engine.search(&query).unwrap();
            assert!(answer.hits.is_empty() && answer.total == Some(0), "{text:?} {mode:?}");
            assert!(!answer.logged && engine.judge(answer.query_id, "lamp", Verdict::Chosen).is_err());
        }
    }
    assert!(!ids(&engine, &Query::new("zzz")).is_empty(), "a word that no document has");
    assert!(!ids(&engine, &Query::new("the").without_logging()).is_empty(), "a stop word");
    assert_eq!(impressions(&engine), 1);
}
