use proptest::prelude::*;

use super::*;
use crate::lexical::FieldValue;

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
    assert_eq!(matching(&fixture, &Filter::range("k", Some(0.0), Some(5.0))), [2, 3, 10, 11]);
    assert_eq!(matching(&fixture, &Filter::range("k", Some(1e19), None)), [12]);
    assert_eq!(matching(&fixture, &Filter::range("k", None, None)), [2, 3, 10, 11, 12]);
    assert_eq!(matching(&fixture, &Filter::range("k", Some(2.0), Some(1.0))), NONE);
    assert_eq!(matching(&fixture, &Filter::equals("missing", "1")), NONE);
    assert_eq!(matching(&fixture, &Filter::range("missing", None, None)), NONE);
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
            let v = v as f64;
            assert_eq!(matching(&fixture, &Filter::range(*name, Some(v), Some(v))), [id], "{n} {v}");
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
    assert_eq!(matching(&fixture, &Filter::range("a.n", Some(1.0), None)), [1]);
}

#[test]
fn mistakes_are_refused() {
    let snapshot = Fixture::new().snapshot();
    let nested = Filter::All(vec![Filter::equals("k", f64::NAN)]);
    for wrong in
        [Filter::equals("", "x"), Filter::range("k", Some(f64::NAN), None), Filter::any_of("", [1]), nested]
    {
        assert!(snapshot.matching(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn filters_are_read_from_json() {
    let text = r#"{"all": [{"equals": {"field": "lang", "value": "en"}}, {"range": {"field": "year", "min": 1990}},
        {"any_of": {"field": "tag", "values": ["a", 1, true]}}]}"#;
    let tags: [FieldValue; 3] = ["a".into(), 1.into(), true.into()];
    let expected = Filter::All(vec![
        Filter::equals("lang", "en"),
        Filter::range("year", Some(1990.0), None),
        Filter::any_of("tag", tags),
    ]);
    assert_eq!(serde_json::from_str::<Filter>(text).unwrap(), expected);
    let written = serde_json::to_string(&expected).unwrap();
    assert_eq!(serde_json::from_str::<Filter>(&written).unwrap(), expected);
    assert!(serde_json::from_str::<Filter>(r#"{"range": {"field": "year", "mim": 1990}}"#).is_err());
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
    let filter = Filter::range("n", Some(10.0), Some(19.0));
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
        FieldValue::Number(number) => found.as_f64() == Some(*number),
        FieldValue::Bool(value) => found.as_bool() == Some(*value),
    };
    match filter {
        Filter::Equals { field, value } => at(field).iter().any(|found| equal(found, value)),
        Filter::AnyOf { field, values } => {
            at(field).iter().any(|found| values.iter().any(|v| equal(found, v)))
        }
        Filter::Range { field, min, max } => at(field)
            .iter()
            .filter_map(|found| found.as_f64())
            .any(|found| min.is_none_or(|min| found >= min) && max.is_none_or(|max| found <= max)),
        Filter::All(filters) => filters.iter().all(|filter| holds(filter, metadata)),
    }
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
        number().prop_map(FieldValue::Number),
        prop::sample::select(vec!["x", "y", "1", "true", ""]).prop_map(FieldValue::from),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        (key(), wanted()).prop_map(|(field, value)| Filter::Equals { field, value }),
        (key(), prop::option::of(number()), prop::option::of(number()))
            .prop_map(|(field, min, max)| Filter::Range { field, min, max }),
        (key(), prop::collection::vec(wanted(), 0..4))
            .prop_map(|(field, values)| Filter::AnyOf { field, values }),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Filter::All))
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
            prop_assert_eq!(matching(&fixture, &filter), expected.collect::<Vec<_>>(), "{:?}", filter);
        }
    }
}
