//! What a query is restricted to, as a clause of the cluster's.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::{Map, Value as Json, json};

use super::beginning::begins;
use super::clauses::{all_of, any_of};
use super::mapping::{FACTS, PATHS, TEXT_TERMS, TITLE_TERMS};
use super::path::regexp_of;
use super::phrase::{exact, in_any_form};
use super::regexp;
use crate::error::{Error, Result};
use crate::lexical::{Analysis, Condition, Filter};
use crate::store::paths::is_pattern;
use crate::store::restriction::{Asks, Restrictions, dated};

/// The clause of a filter on fields.
///
/// # Errors
/// As [`Condition::of`].
pub(super) fn of_fields(filter: &Filter, fields: &BTreeSet<String>) -> Result<Json> {
    Ok(of(&Condition::of(filter, fields)?))
}

/// The clause of all restrictions; `None` for none.
///
/// # Errors
/// [`Error::Invalid`] for a pattern that the cluster can't look for, and as [`Condition::of`].
pub(super) fn clause(
    restrictions: &Restrictions<'_>,
    analysis: &Analysis,
    fields: &BTreeSet<String>,
) -> Result<Option<Json>> {
    let (mut all, mut none) = (Vec::new(), Vec::new());
    if let Some(filter) = restrictions.filter {
        all.push(of_fields(filter, fields)?);
    }
    for restriction in &restrictions.all {
        let clause = match &restriction.asks {
            Asks::Phrase(words) => exact(words, analysis),
            Asks::Word(words) => in_any_form(words, TEXT_TERMS, analysis),
            Asks::Title(words) => in_any_form(words, TITLE_TERMS, analysis),
            Asks::Prefix(prefix) => begins(prefix, analysis),
            Asks::Path(pattern) if !is_pattern(pattern) => continue,
            Asks::Path(pattern) => path(pattern)?,
            Asks::Extensions(some) => {
                of(&Condition::of(&Filter::any_of("extension", some.clone()).lenient(), fields)?)
            }
            Asks::After(date) => of(&Condition::of(&dated(|field| Filter::range(field, *date..)), fields)?),
            Asks::Before(date) => of(&Condition::of(&dated(|field| Filter::range(field, ..*date)), fields)?),
        };
        if restriction.negated { none.push(clause) } else { all.push(clause) }
    }
    match all.is_empty() && none.is_empty() {
        true => Ok(None),
        false => Ok(Some(json!({ "bool": { "filter": all, "must_not": none } }))),
    }
}

/// The chunks of documents whose paths fit a pattern.
fn path(pattern: &str) -> Result<Json> {
    let regexp = regexp_of(pattern).filter(|regexp| regexp.chars().count() <= regexp::LONGEST);
    let regexp = regexp.ok_or_else(|| {
        let found = format!("{} characters", pattern.chars().count());
        Error::invalid("the path of a query on a cluster", found, "a shorter pattern, with fewer signs")
    })?;
    Ok(json!({ "regexp": { PATHS: { "value": regexp } } }))
}

fn of(condition: &Condition) -> Json {
    match condition {
        Condition::All(all) => all_of(all.iter().map(of).collect()),
        Condition::Any(any) => any_of(any.iter().map(of).collect()),
        Condition::Not(condition) => json!({ "bool": { "must_not": [of(condition)] } }),
        Condition::Is(term) => json!({ "term": { FACTS: term } }),
        Condition::Begins(beginning) => json!({ "prefix": { FACTS: beginning } }),
        Condition::Between(from, to) => {
            let mut ends = Map::new();
            for (bound, inclusive, exclusive) in [(from, "gte", "gt"), (to, "lte", "lt")] {
                match bound {
                    Bound::Included(end) => drop(ends.insert(inclusive.into(), json!(end))),
                    Bound::Excluded(end) => drop(ends.insert(exclusive.into(), json!(end))),
                    Bound::Unbounded => {}
                }
            }
            json!({ "range": { FACTS: ends } })
        }
    }
}
