//! Reports of earlier versions may have tiers and options that no longer exist. Those parts are skipped.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A value, or `None` if this version does not know it.
pub(super) fn known<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(parse(Value::deserialize(deserializer)?))
}

/// The values that this version knows.
pub(super) fn all_known<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<Value>::deserialize(deserializer)?.into_iter().filter_map(parse).collect())
}

fn parse<T: DeserializeOwned>(value: Value) -> Option<T> {
    if value.is_null() {
        return None;
    }
    let parsed = serde_json::from_value(value);
    parsed.inspect_err(|error| tracing::warn!(%error, "skipping an unknown part of an older report")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Report {
        #[serde(default, deserialize_with = "known")]
        one: Option<u8>,
        #[serde(default, deserialize_with = "all_known")]
        many: Vec<u8>,
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let read = |json: &str| serde_json::from_str::<Report>(json).unwrap();
        let report = read(r#"{"one": 1, "many": [1, "nudge", 2]}"#);
        assert_eq!((report.one, report.many), (Some(1), vec![1, 2]));
        assert_eq!(read(r#"{"one": "adapter"}"#).one, None);
        assert_eq!(read(r#"{"one": null}"#).one, None);
    }
}
