//! What a filter selects.
//!
//! The index gives, for each question, the chunks that surely have such a value and those that may have: where numbers
//! are rounded and long texts indexed by their digest. Of the latter the stored fields decide.

use std::ops::Bound;

use tantivy::{BitSet, DocAddress, DocId, SegmentReader};

use super::asked::{Asked, value_at};
use super::tree::Filter;
use crate::error::Result;
use crate::lexical::date::Date;
use crate::lexical::docs::{add, members};
use crate::lexical::facts::{DATE, LONG_TEXT, TEXT, is_rounded, term_of, visit_values};
use crate::lexical::schema::NUMBERS;
use crate::lexical::snapshot::LexicalSnapshot;
use crate::lexical::terms::FieldTerms;
use crate::lexical::value::{FieldValue, Kind};

/// The chunks of a segment that a question selects, deleted ones included.
struct Selected {
    sure: BitSet,
    /// The stored fields of these decide.
    open: BitSet,
}

impl LexicalSnapshot {
    /// The chunks of a segment that match, deleted ones included.
    pub(in crate::lexical) fn select(&self, filter: &Filter, ord: usize) -> Result<BitSet> {
        let chunks = self.segments()[ord].max_doc();
        let mut docs = match filter {
            Filter::All(_) | Filter::Not(_) => BitSet::with_max_value_and_full(chunks),
            _ => BitSet::with_max_value(chunks),
        };
        match filter {
            Filter::All(filters) => {
                for filter in filters {
                    docs.intersect_update(&(&self.select(filter, ord)?).into());
                }
            }
            Filter::Any(filters) => {
                for filter in filters {
                    add(&mut docs, &self.select(filter, ord)?);
                }
            }
            Filter::Not(filter) => members(&self.select(filter, ord)?).for_each(|doc| docs.remove(doc)),
            Filter::Lenient(filter) => docs = self.select(filter, ord)?,
            question => {
                let Some((field, asked)) = question.asks() else { return Ok(docs) };
                for one in asked {
                    add(&mut docs, &self.answer(one, field, ord)?);
                }
            }
        }
        Ok(docs)
    }

    fn answer(&self, asked: Asked<'_>, field: &str, ord: usize) -> Result<BitSet> {
        let segment = &self.segments()[ord];
        let Selected { mut sure, open } = self.guarded("filter", || {
            let terms = FieldTerms::new(segment, self.fields(), field)?;
            ask(segment, &terms, asked)
        })?;
        let undecided = members(&open).filter(|&doc| !sure.contains(doc) && !segment.is_deleted(doc));
        for doc in undecided.collect::<Vec<DocId>>() {
            let record = self.fetch(DocAddress::new(ord as u32, doc))?;
            visit_values(&record.metadata, &mut |path, value| {
                if path == field && asked.holds(&value) {
                    sure.insert(doc);
                }
            });
        }
        Ok(sure)
    }
}

fn ask(segment: &SegmentReader, terms: &FieldTerms, asked: Asked<'_>) -> tantivy::Result<Selected> {
    let none = || BitSet::with_max_value(segment.max_doc());
    let mut selected = Selected { sure: none(), open: none() };
    let Selected { sure, open } = &mut selected;
    match asked {
        Asked::Anything => terms.add_beginning("", sure)?,
        Asked::Prefix(prefix) => {
            terms.add_beginning(&format!("{TEXT}{prefix}"), sure)?;
            terms.add_beginning(&format!("{DATE}{prefix}"), sure)?;
            terms.add_beginning(&LONG_TEXT.to_string(), open)?;
        }
        Asked::Equal(value) => {
            let to = if value.as_f64().is_some_and(is_rounded) { open } else { sure };
            terms.add_one(&term_of(&terms.key, value), to)?;
        }
        Asked::Within(from, to) => match kind_of(from).or(kind_of(to)) {
            None | Some(Kind::Number) => add_numbers(segment, terms, asked, &mut selected)?,
            Some(Kind::Text) => {
                terms.add_between(TEXT, text_of(from), text_of(to), sure)?;
                terms.add_beginning(&LONG_TEXT.to_string(), open)?;
            }
            _ => {}
        },
    }
    if let Some((first, last)) = asked.dates().filter(|(first, last)| first <= last) {
        let key = |date: Date| date.is_writable().then(|| date.key());
        let (first, last) = (key(first), key(last));
        let end = |key: &Option<String>| key.clone().map_or(Bound::Unbounded, Bound::Included);
        terms.add_between(DATE, end(&first), end(&last), &mut selected.sure)?;
    }
    Ok(selected)
}

/// The column has rounded numbers: at the very ends of the range, and there alone, that may matter.
fn add_numbers(
    segment: &SegmentReader,
    terms: &FieldTerms,
    asked: Asked<'_>,
    selected: &mut Selected,
) -> tantivy::Result<()> {
    let Some(column) = segment.fast_fields().column_opt::<f64>(&format!("{NUMBERS}.{}", terms.key))? else {
        return Ok(());
    };
    let ends = match asked {
        Asked::Within(from, to) => [from, to].map(|end| value_at(end).and_then(FieldValue::as_f64)),
        _ => [None, None],
    };
    for doc in 0..segment.max_doc() {
        for number in column.values_for_doc(doc) {
            if is_rounded(number) && ends.contains(&Some(number)) {
                selected.open.insert(doc);
            } else if asked.holds(&FieldValue::Number(number)) {
                selected.sure.insert(doc);
            }
        }
    }
    Ok(())
}

fn kind_of(bound: Bound<&FieldValue>) -> Option<Kind> {
    value_at(bound).map(FieldValue::kind)
}

fn text_of(bound: Bound<&FieldValue>) -> Bound<String> {
    bound.map(|value| value.as_str().unwrap_or_default().to_string())
}
