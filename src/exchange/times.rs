//! Times: written as in RFC 3339, read so or as milliseconds since the Unix epoch.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::lexical::Date;

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(pub(super) u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let date = i64::try_from(self.0).map(Date::from_unix_ms).ok().filter(|date| date.is_writable());
        match date {
            Some(date) => serializer.collect_str(&date),
            // Of the year 10000 and later.
            None => serializer.serialize_u64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let wrong = |found: &str| {
            let wanted = "a time is like 2026-01-31T09:30:00Z, or milliseconds from 1970 on";
            D::Error::custom(format!("{found}: {wanted}"))
        };
        let value = Value::deserialize(deserializer)?;
        let ms = match &value {
            Value::String(text) => {
                text.parse::<Date>().ok().and_then(|date| u64::try_from(date.unix_ms()).ok())
            }
            Value::Number(number) => number.as_u64(),
            _ => None,
        };
        ms.map(Time).ok_or_else(|| wrong(&value.to_string()))
    }
}
