//! What becomes a value by itself.

use std::time::SystemTime;

use super::FieldValue;
use crate::lexical::date::Date;

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        FieldValue::Text(text.to_owned())
    }
}

impl From<&String> for FieldValue {
    fn from(text: &String) -> Self {
        FieldValue::Text(text.clone())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        FieldValue::Text(text)
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        FieldValue::Bool(value)
    }
}

impl From<Date> for FieldValue {
    fn from(date: Date) -> Self {
        FieldValue::Date(date)
    }
}

impl From<SystemTime> for FieldValue {
    fn from(time: SystemTime) -> Self {
        FieldValue::Date(time.into())
    }
}

impl<V: Into<FieldValue>> From<Vec<V>> for FieldValue {
    fn from(values: Vec<V>) -> Self {
        FieldValue::List(values.into_iter().map(Into::into).collect())
    }
}

impl<V: Into<FieldValue> + Clone> From<&[V]> for FieldValue {
    fn from(values: &[V]) -> Self {
        FieldValue::List(values.iter().cloned().map(Into::into).collect())
    }
}

impl<V: Into<FieldValue>, const N: usize> From<[V; N]> for FieldValue {
    fn from(values: [V; N]) -> Self {
        FieldValue::List(values.into_iter().map(Into::into).collect())
    }
}

macro_rules! from_number {
    ($variant:ident as $number:ty: $($from:ty)*) => {$(
        impl From<$from> for FieldValue {
            fn from(number: $from) -> Self {
                FieldValue::$variant(number as $number)
            }
        }
    )*};
}

from_number!(Integer as i128: i32 i64 u32 u64 usize);
from_number!(Number as f64: f32 f64);
