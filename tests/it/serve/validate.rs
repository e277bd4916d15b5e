//! As much of JSON Schema as docs/openapi.json uses. A keyword that is not known here fails, so that nothing in the
//! file goes unchecked.

use serde_json::Value;

/// What of `value` is not as `schema` says. References are looked up in `root`.
pub fn problems(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        match keyword.as_str() {
            "description" | "default" => {}
            "$ref" => {
                let path = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                let schema = root.pointer(path).unwrap_or_else(|| panic!("{path} is not there"));
                check(root, schema, value, at, found);
            }
            "type" => {
                let types: Vec<&str> = match wanted {
                    Value::Array(all) => all.iter().map(|one| one.as_str().unwrap()).collect(),
                    one => vec![one.as_str().unwrap()],
                };
                if !types.iter().any(|name| is_of(value, name)) {
                    found.push(format!("{at}: {value} is not of {types:?}"));
                }
            }
            "enum" => {
                if !wanted.as_array().unwrap().contains(value) {
                    found.push(format!("{at}: {value} is none of {wanted}"));
                }
            }
            "oneOf" => {
                let fits = |one: &Value| problems(root, one, value).is_empty();
                let count = wanted.as_array().unwrap().iter().filter(|one| fits(one)).count();
                if count != 1 {
                    found.push(format!("{at}: {value} fits {count} of {wanted}"));
                }
            }
            "pattern" => {
                assert_eq!(wanted, "^[0-9a-f]{16}$", "the only pattern that is known here");
                let fits = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                if value.as_str().is_some_and(|text| !fits(text)) {
                    found.push(format!("{at}: {value} does not match"));
                }
            }
            "minimum" => bound(value, at, found, value.as_f64() >= wanted.as_f64()),
            "maximum" => bound(value, at, found, value.as_f64() <= wanted.as_f64()),
            "minItems" => {
                let length = value.as_array().map(|items| items.len() as u64);
                bound(value, at, found, length.is_none() || length >= wanted.as_u64());
            }
            "maxItems" => {
                let length = value.as_array().map(|items| items.len() as u64);
                bound(value, at, found, length.is_none() || length <= wanted.as_u64());
            }
            "maxLength" => {
                let length = value.as_str().map(|text| text.chars().count() as u64);
                bound(value, at, found, length.is_none() || length <= wanted.as_u64());
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, item, &format!("{at}[{number}]"), found);
                }
            }
            "properties" | "required" | "additionalProperties" => {}
            unknown => panic!("{unknown} at {at} is not known here"),
        }
    }
    if let Some(properties) = schema.get("properties") {
        object(root, schema, properties, value, at, found);
    }
}

fn object(
    root: &Value,
    schema: &Value,
    properties: &Value,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    let Some(fields) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    assert_eq!(schema["additionalProperties"], false, "{at}: what else there may be has to be said");
    for (name, field) in fields {
        match properties.get(name) {
            Some(schema) => check(root, schema, field, &format!("{at}.{name}"), found),
            None => found.push(format!("{at}: {name} is not described")),
        }
    }
}

fn bound(value: &Value, at: &str, found: &mut Vec<String>, holds: bool) {
    if !value.is_null() && !holds {
        found.push(format!("{at}: {value} is out of bounds"));
    }
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}

#[test]
fn what_is_not_as_described_is_told() {
    let schema: Value = serde_json::from_str(
        r#"{"type":"object","properties":{"a":{"type":"integer","minimum":1},"b":{"type":["string","null"]}},
            "required":["a","b"],"additionalProperties":false}"#,
    )
    .unwrap();
    let told = |text: &str| problems(&schema, &schema, &serde_json::from_str(text).unwrap()).len();
    assert_eq!(told(r#"{"a":1,"b":null}"#), 0);
    assert_eq!(told(r#"{"a":0,"b":"x"}"#), 1);
    assert_eq!(told(r#"{"a":1.5,"b":2}"#), 2);
    assert_eq!(told(r#"{"a":1,"b":"x","c":1}"#), 1);
    assert_eq!(told(r#"{"a":1}"#), 1);
    assert_eq!(told("[]"), 1);
}
