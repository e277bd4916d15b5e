//! Arguments as agents write them: what is left out may be null, and numbers may be quoted.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The arguments of a call.
#[derive(Debug)]
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// Takes those that the tool's schema has.
    ///
    /// # Errors
    /// [`Error::Invalid`] for others.
    pub(super) fn new(given: Option<Map<String, Value>>, schema: &Map<String, Value>) -> Result<Arguments> {
        let known = schema.get("properties").and_then(Value::as_object);
        let mut given = given.unwrap_or_default();
        given.retain(|_, value| !value.is_null());
        let is_known = |name: &String| known.is_some_and(|known| known.contains_key(name));
        if let Some(name) = given.keys().find(|name| !is_known(name)) {
            let known: Vec<_> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let expected = match known.is_empty() {
                true => "none".to_string(),
                false => format!("only {}", known.join(", ")),
            };
            return Err(Error::invalid("the arguments", format!("{name:?}"), expected));
        }
        Ok(Arguments(given))
    }

    /// A text that is there and not empty.
    pub(super) fn text(&self, name: &str) -> Result<String> {
        self.text_if_any(name)?.ok_or_else(|| wrong(name, "nothing", "a text"))
    }

    pub(super) fn text_if_any(&self, name: &str) -> Result<Option<String>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
            // Of `after`, a year.
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(wrong(name, &other.to_string(), "a text")),
        }
    }

    pub(super) fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            _ => None,
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None if *range.end() == u64::MAX => {
                Err(wrong(name, &value.to_string(), &format!("a whole number from {}", range.start())))
            }
            None => {
                let expected = format!("a whole number from {} to {}", range.start(), range.end());
                Err(wrong(name, &value.to_string(), &expected))
            }
        }
    }

    /// The choice that has this name.
    pub(super) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text_if_any(name)? else { return Ok(None) };
        let found = choices.iter().find(|(name, _)| *name == text.trim());
        found.map(|(_, value)| Some(*value)).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            wrong(name, &format!("{text:?}"), &format!("one of {}", names.join(", ")))
        })
    }
}

fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64)
}

fn wrong(name: &str, found: &str, expected: &str) -> Error {
    Error::invalid("the arguments", format!("{found} for {name}"), format!("{name}: {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arguments(given: Value) -> Result<Arguments> {
        let schema = json!({ "properties": { "limit": {}, "query": {}, "after": {} } });
        Arguments::new(given.as_object().cloned(), schema.as_object().unwrap())
    }

    #[test]
    fn arguments_are_read_as_agents_write_them() {
        let given = arguments(json!({ "limit": "10", "query": null, "after": 2024 })).unwrap();
        assert_eq!(given.number("limit", 1..=30).unwrap(), Some(10));
        assert_eq!(given.text_if_any("query").unwrap(), None);
        assert_eq!(given.text_if_any("after").unwrap().as_deref(), Some("2024"));
        let given = arguments(json!({ "limit": 5.0 })).unwrap();
        assert_eq!(given.number("limit", 1..=30).unwrap(), Some(5));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_right() {
        let told = |error: Error| error.to_string();
        assert!(told(arguments(json!({ "q": "x" })).unwrap_err()).contains("only after, limit, query"));
        for limit in [json!(0), json!(31), json!(-1), json!(1.5), json!("many"), json!([1])] {
            let given = arguments(json!({ "limit": limit })).unwrap();
            let error = told(given.number("limit", 1..=30).unwrap_err());
            assert!(error.contains("limit: a whole number from 1 to 30"), "{error}");
        }
        let given = arguments(json!({ "query": "loud" })).unwrap();
        assert!(told(given.choice("query", &[("a", 1), ("b", 2)]).unwrap_err()).contains("one of a, b"));
        assert!(told(arguments(json!({})).unwrap().text("query").unwrap_err()).contains("query: a text"));
    }
}
