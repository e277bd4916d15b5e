//! Values in JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::FieldValue;

impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            FieldValue::Bool(value) => serializer.serialize_bool(*value),
            // Not as 128 bits: most formats have no such number.
            FieldValue::Integer(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => serializer.serialize_i64(number),
                (_, Ok(number)) => serializer.serialize_u64(number),
                _ => serializer.serialize_i128(*number),
            },
            FieldValue::Number(number) => serializer.serialize_f64(*number),
            FieldValue::Date(date) => serializer.collect_str(date),
            FieldValue::Text(text) => serializer.serialize_str(text),
            FieldValue::List(values) => serializer.collect_seq(values),
        }
    }
}

/// A text that looks like a date is read as a text: filters take it for the date too.
impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FieldValue, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = FieldValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true, false, or a list of such")
            }

            fn visit_bool<E>(self, value: bool) -> Result<FieldValue, E> {
                Ok(value.into())
            }

            fn visit_i64<E>(self, number: i64) -> Result<FieldValue, E> {
                Ok(number.into())
            }

            fn visit_u64<E>(self, number: u64) -> Result<FieldValue, E> {
                Ok(number.into())
            }

            fn visit_f64<E>(self, number: f64) -> Result<FieldValue, E> {
                Ok(number.into())
            }

            fn visit_str<E>(self, text: &str) -> Result<FieldValue, E> {
                Ok(text.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<FieldValue, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = sequence.next_element()? {
                    values.push(value);
                }
                Ok(FieldValue::List(values))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}
