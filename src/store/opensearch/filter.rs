//! What a query is restricted to, as a clause of the cluster's.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::{Map, Value as Json, json};

use super::mapping::{FACTS, TEXT_TERMS, TITLE_TERMS};
use super::terms::text_of_phrase;
use crate::error::{Error, Result};
use crate::lexical::{Analysis, Condition, Filter};
use crate::store::restriction::{Asks, Restrictions, dated};

/// The clause of all restrictions; `None` for none.
///
/// # Errors
/// [`Error::Invalid`] for what only an embedded index can answer, and as [`Condition::of`].
pub(super) fn clause(
    restrictions: &Restrictions<'_>,
    analysis: &Analysis,
    fields: &BTreeSet<String>,
) -> Result<Option<Json>> {
    let (mut all, mut none) = (Vec::new(), Vec::new());
    if let Some(filter) = restrictions.filter {
        all.push(of(&Condition::of(filter, fields)?));
    }
    for restriction in &restrictions.all {
        let clause = match &restriction.asks {
            Asks::Word(words) => phrase(words, TEXT_TERMS, analysis),
            Asks::Title(words) => phrase(words, TITLE_TERMS, analysis),
            Asks::Extensions(some) => {
                of(&Condition::of(&Filter::any_of("extension", some.clone()).lenient(), fields)?)
            }
            Asks::After(date) => of(&Condition::of(&dated(|field| Filter::range(field, *date..)), fields)?),
            Asks::Before(date) => of(&Condition::of(&dated(|field| Filter::range(field, ..*date)), fields)?),
            Asks::Phrase(words) => return Err(not_there(&format!("the phrase \"{words}\""))),
            Asks::Prefix(prefix) => return Err(not_there(&format!("the beginning of words {prefix}*"))),
            Asks::Path(pattern) => return Err(not_there(&format!("the path {pattern}"))),
        };
        if restriction.negated { none.push(clause) } else { all.push(clause) }
    }
    match all.is_empty() && none.is_empty() {
        true => Ok(None),
        false => Ok(Some(json!({ "bool": { "filter": all, "must_not": none } }))),
    }
}

/// The error for what an index on a cluster does not offer yet.
pub(super) fn not_there(what: &str) -> Error {
    Error::invalid(
        "the query on a cluster",
        what,
        "words, title:, -word, ext:, after:, before: and filters: an index of this machine answers the rest \
         (docs/scale.md)",
    )
}

/// The chunks with these words in this order, in any form.
fn phrase(words: &str, field: &str, analysis: &Analysis) -> Json {
    let mut any = Vec::new();
    for words in analysis.phrases(words) {
        if words.is_empty() {
            return json!({ "match_all": {} });
        }
        let text = text_of_phrase(words.iter().map(|(position, term)| (*position, term.as_str())));
        any.push(json!({ "match_phrase": { field: text } }));
    }
    any_of(any)
}

fn of(condition: &Condition) -> Json {
    match condition {
        Condition::All(all) if all.is_empty() => json!({ "match_all": {} }),
        Condition::All(all) => json!({ "bool": { "filter": all.iter().map(of).collect::<Vec<_>>() } }),
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

fn any_of(any: Vec<Json>) -> Json {
    match any.is_empty() {
        true => json!({ "match_none": {} }),
        false => json!({ "bool": { "should": any, "minimum_should_match": 1 } }),
    }
}
