use proptest::prelude::*;

use super::*;
use crate::lexical::FieldValue;

fn read(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn filters_are_read_as_people_type_them() {
    let rst = || Filter::equals("extension", "rst");
    let md = || Filter::equals("extension", "md");
    let both = |a, b| Filter::All(vec![a, b]);
    let either = |a, b| Filter::Any(vec![a, b]);
    for (text, expected) in [
        ("extension=rst", rst()),
        ("  extension = rst  ", rst()),
        ("extension='rst'", rst()),
        ("\"extension\"=\"rst\"", rst()),
        ("extension!=rst", !rst()),
        ("not extension=rst", !rst()),
        ("NOT extension != rst", rst()),
        ("extension=rst extension=md", both(rst(), md())),
        ("extension=rst and extension=md", both(rst(), md())),
        ("extension=rst or extension=md", either(rst(), md())),
        (
            "(extension=rst or extension=md) path=docs/*",
            both(either(rst(), md()), Filter::prefix("path", "docs/")),
        ),
        (
            "extension=rst or extension=md path=docs/*",
            either(rst(), both(md(), Filter::prefix("path", "docs/"))),
        ),
        ("not(extension=rst)and(extension=md)", both(!rst(), md())),
        ("date>=2024-01-01", Filter::range("date", "2024-01-01"..)),
        ("date<2024-01-01", Filter::range("date", .."2024-01-01")),
        ("year<=1990", either(Filter::range("year", ..=1990), Filter::range("year", ..="1990"))),
        ("year >= 1990.5", either(Filter::range("year", 1990.5..), Filter::range("year", "1990.5"..))),
        (
            "year>'1990'",
            Filter::Range {
                field: "year".into(),
                from: std::ops::Bound::Excluded("1990".into()),
                to: std::ops::Bound::Unbounded,
            },
        ),
        ("version>='1.10'", Filter::range("version", "1.10"..)),
        ("year=1990", Filter::any_of("year", [FieldValue::from(1990), "1990".into()])),
        ("price=-1e3", Filter::any_of("price", [FieldValue::from(-1000.0), "-1e3".into()])),
        ("year='1990'", Filter::equals("year", "1990")),
        ("done=true", Filter::any_of("done", [FieldValue::from(true), "true".into()])),
        ("name=nan", Filter::equals("name", "nan")),
        ("author=*", Filter::exists("author")),
        ("author!=*", !Filter::exists("author")),
        ("author='*'", Filter::equals("author", "*")),
        ("path=\"My docs/\"*", Filter::prefix("path", "My docs/")),
        ("title='it\\'s \"so\"'", Filter::equals("title", "it's \"so\"")),
        ("path='C:\\dir'", Filter::equals("path", "C:\\dir")),
        ("title=don't", Filter::equals("title", "don't")),
        ("title=''", Filter::equals("title", "")),
        ("or=and", Filter::equals("or", "and")),
        ("note=x or not=y", either(Filter::equals("note", "x"), Filter::equals("not", "y"))),
        ("a.b-c:d=ключ", Filter::equals("a.b-c:d", "ключ")),
        ("url=https://x.org/?a=b&c>d", Filter::equals("url", "https://x.org/?a=b&c>d")),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
    let all = "a=1 or b=2 or not c=3 and d=*";
    assert_eq!(read(all), read("(a=1) or ((b=2)) or ((not c=3) d=*)"));
    assert_eq!(read(r#" {"exists": {"field": "a"}}"#), Filter::exists("a"));
}

#[test]
fn an_error_says_where_and_what() {
    for (text, found, expected) in [
        ("", "the end of \"\" at character 1", "extension=md"),
        ("extension", "the end of \"extension\" at character 10", "= != >= <= > < behind \"extension\""),
        ("extension:rst", "character 14", "behind \"extension:rst\""),
        ("extension rst", "'r' at character 11", "behind \"extension\""),
        ("extension=", "the end", "a value"),
        ("extension=rst and", "at character 18", "extension=md"),
        ("extension=rst or or", "at character 20", "behind \"or\""),
        ("=rst", "'=' at character 1", "extension=md"),
        ("extension==rst", "'=' at character 11", "quoted"),
        ("path=a*b", "'*' at character 7", "quoted"),
        ("path=**", "'*' at character 6", "quoted"),
        ("year>=199*", "'1' at character 7", "without a *"),
        ("title=\"x", "'\"' at character 7", "second quote"),
        ("title=\"x\"y", "'y' at character 10", "a space"),
        ("title=x(1)", "'(' at character 8", "quoted"),
        ("(a=1", "the end", ")"),
        ("a=1)", "')' at character 4", "no ) without its ("),
        ("имя=1 x", "the end of \"имя=1 x\" at character 8", "behind \"x\""),
        ("{\"equals\":{\"field\":\"a\"}}", "missing field `value`", "JSON like"),
        ("''=x", "'=' at character 3", "extension=md"),
    ] {
        let error = text.parse::<Filter>().expect_err(text).to_string();
        assert!(error.contains(found) && error.contains(expected), "{text}: {error}");
    }
    let deep =
        |open: &str, n: usize| format!("{}a=1{}", open.repeat(n), ")".repeat(n * open.matches('(').count()));
    assert!(deep("(", 60).parse::<Filter>().is_ok());
    for deep in [deep("(", 100_000), deep("not ", 100_000), deep("not (", 100_000)] {
        assert!(deep.parse::<Filter>().is_err());
    }
}

#[test]
fn filters_are_read_from_json() {
    let text = r#"{"all": [{"equals": {"field": "lang", "value": "en"}}, {"range": {"field": "year", "min": 1990}},
        {"any_of": {"field": "tag", "values": ["a", 1, true]}}]}"#;
    let tags: [FieldValue; 3] = ["a".into(), 1.into(), true.into()];
    let first = Filter::All(vec![
        Filter::equals("lang", "en"),
        Filter::range("year", 1990..),
        Filter::any_of("tag", tags),
    ]);
    assert_eq!(serde_json::from_str::<Filter>(text).unwrap(), first);
    let text = r#"{"any": [{"not": {"prefix": {"field": "path", "prefix": "docs/"}}}, {"exists": {"field": "a"}},
        {"lenient": {"range": {"field": "date", "above": "2024-01-01", "max": "2024-12-31"}}},
        {"range": {"field": "n", "min": null, "max": 18446744073709551615}}]}"#;
    let range = Filter::Range {
        field: "date".into(),
        from: std::ops::Bound::Excluded("2024-01-01".into()),
        to: std::ops::Bound::Included("2024-12-31".into()),
    };
    let second = Filter::Any(vec![
        !Filter::prefix("path", "docs/"),
        Filter::exists("a"),
        range.lenient(),
        Filter::range("n", ..=u64::MAX),
    ]);
    assert_eq!(serde_json::from_str::<Filter>(text).unwrap(), second);
    for filter in [first, second] {
        let written = serde_json::to_string(&filter).unwrap();
        assert_eq!(serde_json::from_str::<Filter>(&written).unwrap(), filter);
    }
    for wrong in [
        r#"{"range": {"field": "year", "mim": 1990}}"#,
        r#"{"range": {"field": "year", "min": 1, "above": 1}}"#,
        r#"{"equals": {"field": "a", "value": null}}"#,
        r#"{"or": []}"#,
    ] {
        assert!(serde_json::from_str::<Filter>(wrong).is_err(), "{wrong}");
    }
}

/// A filter's tree as text, with every value quoted.
fn typed(filter: &Filter) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let joined = |filters: &[Filter], by: &str| {
        let each: Vec<String> = filters.iter().map(|filter| format!("({})", typed(filter))).collect();
        each.join(by)
    };
    match filter {
        Filter::Equals { field, value } => format!("{}={}", quoted(field), quoted(&value.to_string())),
        Filter::Prefix { field, prefix } => format!("{} = {}*", quoted(field), quoted(prefix)),
        Filter::Exists { field } => format!("{}=*", quoted(field)),
        Filter::All(filters) => joined(filters, " "),
        Filter::Any(filters) => joined(filters, " or "),
        Filter::Not(filter) => format!("not ({})", typed(filter)),
        other => panic!("{other:?}"),
    }
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        ("\\PC{1,6}", "\\PC{0,6}").prop_map(|(field, value)| Filter::equals(field, value)),
        ("[a-z]{1,4}", "[\"'\\\\*() =]{0,6}").prop_map(|(field, prefix)| Filter::prefix(field, prefix)),
        "[a-z \"]{1,4}".prop_map(Filter::exists),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Any),
            inner.prop_map(|filter| !filter),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_typed_with_quotes_is_read_back(filter in filter()) {
        prop_assert_eq!(read(&typed(&filter)), filter);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,20}|[ab=!<>()*\"' \\\\]{0,20}|(or|not|and|a=1| |\\(|\\)){0,12}") {
        let _ = text.parse::<Filter>();
    }
}
