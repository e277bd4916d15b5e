use std::cmp::Ordering;
use std::ops::Bound;

use proptest::prelude::*;

use super::*;
use crate::error::Error;
use crate::lexical::{Date, FieldValue};

const NONE: [u64; 0] = [];

fn matching(fixture: &Fixture, filter: &Filter) -> Vec<u64> {
    numbers(&fixture.snapshot().matching(filter).unwrap().chunks())
}

#[test]
fn values_are_compared_exactly_and_by_type() {
    let fixture = Fixture::new();
    fixture.add(&[
        with_metadata(1, json!({"k": "1"})),
        with_metadata(2, json!({"k": 1})),
        with_metadata(3, json!({"k": 1.0})),
        with_metadata(4, json!({"k": true})),
        with_metadata(5, json!({"k": "true"})),
        with_metadata(6, json!({"k": "New York"})),
        with_metadata(7, json!({"k": "new york"})),
        with_metadata(8, json!({"k": null})),
        with_metadata(9, json!({"k": "2024-01-01T00:00:00Z"})),
        with_metadata(10, json!({"k": ["x", "y", 5]})),
        with_metadata(11, json!({"k": -0.0})),
        with_metadata(12, json!({"k": u64::MAX})),
    ]);
    assert_eq!(matching(&fixture, &Filter::equals("k", "1")), [1]);
    assert_eq!(matching(&fixture, &Filter::equals("k", 1)), [2, 3]);
    assert_eq!(matching(&fixture, &Filter::equals("k", true)), [4]);
    assert_eq!(matching(&fixture, &Filter::equals("k", "New York")), [6]);
    assert_eq!(matching(&fixture, &Filter::equals("k", "New")), NONE);
    assert_eq!(matching(&fixture, &Filter::equals("k", "2024-01-01T00:00:00Z")), [9]);
    assert_eq!(matching(&fixture, &Filter::any_of("k", ["y", "1"])), [1, 10]);
    assert_eq!(matching(&fixture, &Filter::equals("k", 0.0)), [11]);
    assert_eq!(matching(&fixture, &Filter::range("k", 0..=5)), [2, 3, 10, 11]);
    assert_eq!(matching(&fixture, &Filter::range("k", 1e19..)), [12]);
    assert_eq!(matching(&fixture, &Filter::range::<i64>("k", ..)), [2, 3, 10, 11, 12]);
    assert_eq!(matching(&fixture, &Filter::range("k", 3..=4).and(Filter::range("k", ..3))), NONE);
    assert_eq!(matching(&fixture, &Filter::equals("missing", "1").lenient()), NONE);
    assert_eq!(matching(&fixture, &Filter::range("missing", 1..).lenient()), NONE);
    assert_eq!(matching(&fixture, &!Filter::exists("missing").lenient()).len(), 12);
    assert_eq!(matching(&fixture, &Filter::any_of("k", Vec::<FieldValue>::new())), NONE);
    assert_eq!(matching(&fixture, &Filter::All(vec![])).len(), 12);
}

#[test]
fn any_field_name_and_any_value_work() {
    let fixture = Fixture::new();
    let long = "é".repeat(70_000);
    let names = ["a.b", ".", "..", "\u{0}", "\u{1}", "a\u{0}b", "ключ", "x y\"z\\", "numbers", "body", &long];
    let values = ["", " ", "\u{0}", "t", "a.b", &long, &long[..long.len() - 2], "\u{1}\u{0}"];
    let mut records = Vec::new();
    for (n, name) in names.iter().enumerate() {
        for (v, value) in values.iter().enumerate() {
            let mut record = with_metadata((n * values.len() + v) as u64, json!({}));
            record.metadata.insert((*name).to_owned(), json!([value, v]));
            records.push(record);
        }
    }
    fixture.add(&records);
    for (n, name) in names.iter().enumerate() {
        for (v, value) in values.iter().enumerate() {
            let id = (n * values.len() + v) as u64;
            assert_eq!(matching(&fixture, &Filter::equals(*name, *value)), [id], "{n} {v}");
            assert_eq!(matching(&fixture, &Filter::range(*name, v..=v)), [id], "{n} {v}");
            if value.len() > 1000 {
                let beginning = &value[..value.len() - 1000];
                let expected: Vec<u64> = (0..values.len())
                    .filter(|&at| values[at].starts_with(beginning))
                    .map(|at| (n * values.len() + at) as u64)
                    .collect();
                assert_eq!(matching(&fixture, &Filter::prefix(*name, beginning)), expected, "{n} {v}");
            }
        }
    }
}

#[test]
fn dotted_names_look_into_objects() {
    let fixture = Fixture::new();
    fixture.add(&[
        with_metadata(1, json!({"a": {"b": "x", "n": 1}})),
        with_metadata(2, json!({"a.b": "x"})),
        with_metadata(3, json!({"a": [{"b": "x"}, {"b": "y"}]})),
        with_metadata(4, json!({"a": "x", "b": "x"})),
    ]);
    assert_eq!(matching(&fixture, &Filter::equals("a.b", "x")), [1, 2, 3]);
    assert_eq!(matching(&fixture, &Filter::equals("a", "x")), [4]);
    assert_eq!(matching(&fixture, &Filter::range("a.n", 1..)), [1]);
}

#[test]
fn mistakes_are_refused() {
    let fixture = Fixture::new();
    fixture.add(&[with_metadata(1, json!({"k": "x", "other": {"name": 1}}))]);
    let snapshot = fixture.snapshot();
    let nested = Filter::All(vec![!Filter::equals("k", f64::NAN)]);
    for wrong in [
        Filter::equals("", "x"),
        Filter::range("k", f64::NAN..),
        Filter::any_of("", [1]),
        Filter::equals("k", ["x", "y"]),
        Filter::range("k", true..),
        Filter::Range {
            field: "k".into(),
            from: std::ops::Bound::Included(1.into()),
            to: std::ops::Bound::Excluded("x".into()),
        },
        nested,
    ] {
        assert!(matches!(snapshot.matching(&wrong), Err(Error::Invalid { .. })), "{wrong:?}");
    }
}

#[test]
fn a_field_that_no_document_has_is_named_with_those_that_they_have() {
    let fixture = Fixture::new();
    assert_eq!(matching(&fixture, &Filter::equals("title", "x")), NONE, "an empty index has no fields yet");
    fixture.add(&[
        with_metadata(1, json!({"tags": ["x"], "author": {"name": "y"}})),
        with_metadata(2, json!({"gone": 1, "none": null, "empty": []})),
    ]);
    fixture.add(&[with_metadata(3, json!({"year": 1, "retune.folder": true}))]);
    fixture.change(|writer| writer.delete_chunk(ChunkId(2)));
    for wrong in ["tag", "gone", "author", "none", "empty", "retune.folder"] {
        for filter in [
            Filter::exists(wrong),
            !Filter::equals(wrong, 1),
            Filter::equals("tags", "x").or(Filter::prefix(wrong, "x")),
            Filter::equals("tags", "x").lenient().and(Filter::range(wrong, 1..)),
        ] {
            let error = fixture.snapshot().matching(&filter).unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
            assert!(error.contains(": author.name, tags, year"), "{error}");
            assert!(fixture.snapshot().matching(&filter.lenient()).is_ok());
        }
    }
}

#[test]
fn filters_combine() {
    let fixture = Fixture::new();
    fixture.add(&[
        with_metadata(1, json!({"lang": "en", "year": 1990, "path": "docs/a.md"})),
        with_metadata(2, json!({"lang": "fr", "year": 1991, "path": "docs/b/c.md"})),
        with_metadata(3, json!({"lang": "en", "path": "src/a.rs"})),
    ]);
    fixture
        .add(&[with_metadata(4, json!({"lang": ["en", "fr"], "year": 1992.5})), with_metadata(5, json!({}))]);
    fixture.change(|writer| writer.delete_chunk(ChunkId(1)));
    fixture.add(&[with_metadata(1, json!({"lang": "en", "year": 1993, "path": "docs/a.md"}))]);
    let en = || Filter::equals("lang", "en");
    let late = || Filter::range("year", 1992..);
    assert_eq!(matching(&fixture, &en().and(late())), [1, 4]);
    assert_eq!(matching(&fixture, &en().or(late())), [1, 3, 4]);
    assert_eq!(matching(&fixture, &!en()), [2, 5]);
    assert_eq!(matching(&fixture, &!(en().and(late()))), [2, 3, 5]);
    assert_eq!(matching(&fixture, &!!late()), [1, 4]);
    assert_eq!(matching(&fixture, &Filter::exists("year")), [1, 2, 4]);
    assert_eq!(matching(&fixture, &!Filter::exists("path")), [4, 5]);
    assert_eq!(matching(&fixture, &Filter::prefix("path", "docs/")), [1, 2]);
    assert_eq!(matching(&fixture, &Filter::prefix("path", "docs/b")), [2]);
    assert_eq!(matching(&fixture, &Filter::prefix("path", "")), [1, 2, 3]);
    assert_eq!(matching(&fixture, &Filter::range("lang", "en".."fr")), [1, 3, 4]);
    assert_eq!(matching(&fixture, &Filter::range("lang", "en"..="fr")), [1, 2, 3, 4]);
    assert_eq!(matching(&fixture, &Filter::range("path", "docs/b".to_string()..)), [2, 3]);
    assert_eq!(matching(&fixture, &Filter::range("year", ..1993)), [2, 4]);
    assert_eq!(matching(&fixture, &Filter::Any(vec![])), NONE);
    assert_eq!(matching(&fixture, &Filter::everything()), [1, 2, 3, 4, 5]);
}

#[test]
fn whole_numbers_are_exact_where_floats_are_not() {
    const LARGE: i64 = (1 << 53) + 1;
    let fixture = Fixture::new();
    fixture.add(&[
        with_metadata(1, json!({"k": LARGE - 1})),
        with_metadata(2, json!({"k": LARGE})),
        with_metadata(3, json!({"k": [LARGE + 1, "x"]})),
        with_metadata(4, json!({"k": (LARGE - 1) as f64})),
        with_metadata(5, json!({"k": u64::MAX})),
        with_metadata(6, json!({"k": i64::MIN})),
    ]);
    assert_eq!(matching(&fixture, &Filter::equals("k", LARGE)), [2]);
    assert_eq!(matching(&fixture, &Filter::equals("k", LARGE - 1)), [1, 4]);
    assert_eq!(matching(&fixture, &Filter::any_of("k", [u64::MAX, u64::MAX - 1])), [5]);
    assert_eq!(matching(&fixture, &Filter::range("k", LARGE..)), [2, 3, 5]);
    assert_eq!(matching(&fixture, &Filter::range("k", LARGE..LARGE + 1)), [2]);
    assert_eq!(matching(&fixture, &Filter::range("k", ..LARGE)), [1, 4, 6]);
    assert_eq!(matching(&fixture, &Filter::range("k", u64::MAX as f64..)), NONE);
    assert_eq!(matching(&fixture, &Filter::range("k", ..=i64::MIN)), [6]);
}

#[test]
fn dates_are_compared_as_moments() {
    let fixture = Fixture::new();
    let at = |id: u64, date: &str| with_metadata(id, json!({"d": date, "retune.dates": ["d"]}));
    fixture.add(&[
        at(1, "2023-12-31T23:59:59.999Z"),
        at(2, "2024-01-01T00:00:00Z"),
        at(3, "2024-01-31T12:00:00.5Z"),
        at(4, "2024-02-01T00:00:00Z"),
        with_metadata(5, json!({"d": "2024-01-15"})),
        with_metadata(
            6,
            json!({"d": ["0999-01-01T00:00:00Z", "2024-01-01T00:00:00Z"], "retune.dates": ["d"]}),
        ),
    ]);
    let date = |text: &str| text.parse::<Date>().unwrap();
    // A text that names a time is compared with dates and with texts, a date with dates alone.
    assert_eq!(matching(&fixture, &Filter::equals("d", "2024-01-31")), [3]);
    assert_eq!(matching(&fixture, &Filter::equals("d", "2024-01")), [2, 3, 6]);
    assert_eq!(matching(&fixture, &Filter::equals("d", "2024-01-15")), [5]);
    assert_eq!(matching(&fixture, &Filter::equals("d", date("2024-01-01"))), [2, 6]);
    assert_eq!(matching(&fixture, &Filter::equals("d", "2024-01-01T01:00:00+01:00")), [2, 6]);
    assert_eq!(matching(&fixture, &Filter::range("d", "2024-01-01".."2024-02-01")), [2, 3, 5, 6]);
    assert_eq!(matching(&fixture, &Filter::range("d", "2024-01-01"..="2024-01-31")), [2, 3, 5, 6]);
    assert_eq!(matching(&fixture, &Filter::range("d", date("2024-01-01")..=date("2024-01-31"))), [2, 6]);
    assert_eq!(matching(&fixture, &Filter::range("d", ..date("2024-01-01"))), [1, 6]);
    assert_eq!(matching(&fixture, &"d>2024-01-01".parse().unwrap()), [3, 4, 5]);
    assert_eq!(matching(&fixture, &"d<=2024-01".parse().unwrap()), [1, 2, 3, 6]);
    assert_eq!(matching(&fixture, &Filter::prefix("d", "2024-01-")), [2, 3, 5, 6]);
    assert_eq!(matching(&fixture, &Filter::range("d", date("2025-01-01")..date("2024-01-01"))), NONE);
    let far = Date::from_unix_ms(i64::MAX);
    assert_eq!(matching(&fixture, &Filter::range("d", date("2024-02-01")..)), [4]);
    assert!(fixture.snapshot().matching(&Filter::range("d", ..far)).is_err());
}

#[test]
fn a_search_gives_only_what_the_filter_lets_through_with_the_same_scores() {
    let fixture = Fixture::new();
    let records = (0..60).map(|i| ChunkRecord {
        body: "alpha ".repeat(1 + i as usize % 5),
        ..with_metadata(i, json!({"n": i}))
    });
    fixture.add(&records.collect::<Vec<_>>());
    let snapshot = fixture.snapshot();
    let filter = Filter::range("n", 10..=19);
    let all = snapshot.search("alpha", 100, None).unwrap();
    let expected: Vec<_> = all.into_iter().filter(|hit| (10..20).contains(&hit.0.0)).collect();
    let allowed = snapshot.matching(&filter).unwrap();
    assert_eq!(snapshot.search("alpha", 100, Some(&allowed)).unwrap(), expected);
    assert_eq!(snapshot.search("alpha", 3, Some(&allowed)).unwrap(), expected[..3]);
    assert_eq!(
        snapshot.search("alpha", 3, Some(&snapshot.matching(&Filter::equals("n", "10")).unwrap())).unwrap(),
        []
    );
}

/// The definition of a filter, by the values at each path.
fn holds(filter: &Filter, metadata: &Map<String, Json>) -> bool {
    fn values<'a>(value: &'a Json, path: &str, wanted: &str, out: &mut Vec<&'a Json>) {
        match value {
            Json::Array(elements) => elements.iter().for_each(|element| values(element, path, wanted, out)),
            Json::Object(object) => {
                for (key, value) in object {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    values(value, &path, wanted, out);
                }
            }
            value if path == wanted => out.push(value),
            _ => {}
        }
    }
    let at = |field: &str| {
        let mut out = Vec::new();
        for (key, value) in metadata {
            values(value, key, field, &mut out);
        }
        out
    };
    let equal = |found: &Json, wanted: &FieldValue| match wanted {
        FieldValue::Text(text) => found.as_str() == Some(text),
        FieldValue::Bool(value) => found.as_bool() == Some(*value),
        wanted => order(found, wanted) == Some(Ordering::Equal),
    };
    match filter {
        Filter::Equals { field, value } => at(field).iter().any(|found| equal(found, value)),
        Filter::AnyOf { field, values } => {
            at(field).iter().any(|found| values.iter().any(|v| equal(found, v)))
        }
        Filter::Range { field, from: Bound::Unbounded, to: Bound::Unbounded } => {
            at(field).iter().any(|found| found.is_number())
        }
        Filter::Range { field, from, to } => at(field).iter().any(|found| {
            let below = |end: &FieldValue| order(found, end);
            let from = match from {
                Bound::Included(end) => below(end).is_some_and(Ordering::is_ge),
                Bound::Excluded(end) => below(end).is_some_and(Ordering::is_gt),
                Bound::Unbounded => true,
            };
            let to = match to {
                Bound::Included(end) => below(end).is_some_and(Ordering::is_le),
                Bound::Excluded(end) => below(end).is_some_and(Ordering::is_lt),
                Bound::Unbounded => true,
            };
            from && to
        }),
        Filter::Prefix { field, prefix } => {
            at(field).iter().any(|found| found.as_str().is_some_and(|text| text.starts_with(prefix)))
        }
        Filter::Exists { field } => at(field).iter().any(|found| !found.is_null()),
        Filter::All(filters) => filters.iter().all(|filter| holds(filter, metadata)),
        Filter::Any(filters) => filters.iter().any(|filter| holds(filter, metadata)),
        Filter::Not(filter) => !holds(filter, metadata),
        Filter::Lenient(filter) => holds(filter, metadata),
    }
}

/// The order of a number or a text, and what it is compared with. Exact by way of decimals.
fn order(found: &Json, wanted: &FieldValue) -> Option<Ordering> {
    let parts = |number: f64| (number.floor() as i128, number - number.floor());
    let found = match found {
        Json::String(text) => return wanted.as_str().map(|wanted| text.as_str().cmp(wanted)),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => (i128::from(whole), 0.0),
            (_, Some(whole)) => (i128::from(whole), 0.0),
            _ => parts(number.as_f64()?),
        },
        _ => return None,
    };
    let wanted = match wanted {
        FieldValue::Integer(whole) => (*whole, 0.0),
        FieldValue::Number(number) => parts(*number),
        _ => return None,
    };
    found.partial_cmp(&wanted)
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "a.b", "c"]).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-3..4_i32).prop_map(f64::from),
        (-6..7_i32).prop_map(|n| f64::from(n) / 2.0),
        prop::sample::select(vec![
            f64::MAX,
            f64::MIN,
            1e19,
            -1e19,
            9_007_199_254_740_993.0,
            f64::MIN_POSITIVE
        ]),
    ]
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        number().prop_map(|n| json!(n)),
        (-3..4_i64).prop_map(|n| json!(n)),
        prop::sample::select(vec![json!(u64::MAX), json!(i64::MIN), json!(9_007_199_254_740_993_i64)]),
        prop::sample::select(vec!["x", "y", "1", "true", ""]).prop_map(|text| json!(text)),
    ]
}

fn metadata() -> impl Strategy<Value = Json> {
    let value = scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::Array),
            prop::collection::btree_map(key(), inner, 0..3).prop_map(|map| json!(map)),
        ]
    });
    prop::collection::btree_map(key(), value, 0..4).prop_map(|map| json!(map))
}

fn wanted() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        any::<bool>().prop_map(FieldValue::Bool),
        wanted_number(),
        prop::sample::select(vec!["x", "y", "1", "true", ""]).prop_map(FieldValue::from),
    ]
}

fn wanted_number() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        number().prop_map(FieldValue::Number),
        (-3..4_i64).prop_map(FieldValue::from),
        prop::sample::select(vec![9_007_199_254_740_992_u64, 9_007_199_254_740_993, u64::MAX])
            .prop_map(FieldValue::from),
    ]
}

fn range() -> impl Strategy<Value = (Bound<FieldValue>, Bound<FieldValue>)> {
    let end = |value: BoxedStrategy<FieldValue>| {
        prop_oneof![
            value.clone().prop_map(Bound::Included),
            value.prop_map(Bound::Excluded),
            Just(Bound::Unbounded)
        ]
    };
    let text = prop::sample::select(vec!["x", "y", "1", ""]).prop_map(FieldValue::from).boxed();
    let number = wanted_number().boxed();
    prop_oneof![(end(text.clone()), end(text)), (end(number.clone()), end(number))]
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        (key(), wanted()).prop_map(|(field, value)| Filter::Equals { field, value }),
        (key(), range()).prop_map(|(field, (from, to))| Filter::Range { field, from, to }),
        (key(), prop::collection::vec(wanted(), 0..4))
            .prop_map(|(field, values)| Filter::AnyOf { field, values }),
        (key(), "[xy]?").prop_map(|(field, prefix)| Filter::Prefix { field, prefix }),
        key().prop_map(|field| Filter::Exists { field }),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Any),
            inner.prop_map(|filter| !filter),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn filters_agree_with_their_meaning(
        first in prop::collection::vec(metadata(), 0..40),
        second in prop::collection::vec(metadata(), 0..40),
        filters in prop::collection::vec(filter(), 1..30),
    ) {
        let fixture = Fixture::new();
        let records: Vec<_> =
            first.iter().chain(&second).enumerate().map(|(i, data)| with_metadata(i as u64, data.clone())).collect();
        fixture.add(&records[..first.len()]);
        fixture.add(&records[first.len()..]);
        for filter in filters {
            let expected = records.iter().filter(|record| holds(&filter, &record.metadata));
            let expected = expected.map(|record| record.chunk.0);
            let expected: Vec<u64> = expected.collect();
            prop_assert_eq!(matching(&fixture, &filter.clone().lenient()), expected, "{:?}", filter);
        }
    }
}
