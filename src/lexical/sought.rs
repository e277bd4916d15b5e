//! The words of a query in all languages of the index.
//!
//! Each language has its own terms of the query and leaves out its own stop words; they match the chunks of that
//! language alone. How rare a word is, all chunks say: the forms that it has in the languages count together. Else what
//! is common in one language would be taken for a rare word in the few chunks of another. In an index of one language
//! each term stands for itself.

use std::collections::{BTreeSet, HashMap};

use super::analysis::{Analyzer, QueryWord};
use super::languages::Analyzers;

/// What a query asks for.
#[derive(Default)]
pub(super) struct Sought {
    /// The terms in order, by language; languages without one are left out.
    pub(super) sequences: Vec<Vec<QueryWord>>,
    /// How often the query has each term.
    pub(super) counts: HashMap<String, u32>,
    /// The forms in all languages of the words that a term stands for. None in an index of one language.
    forms: HashMap<String, BTreeSet<String>>,
}

impl Sought {
    pub(super) fn of(query: &str, analyzers: &Analyzers) -> Sought {
        let all: Vec<&Analyzer> = analyzers.all().collect();
        let mut sought = Sought::default();
        for analyzer in &all {
            let sequence = analyzer.query_sequence(query);
            for QueryWord { term, .. } in &sequence {
                *sought.counts.entry(term.clone()).or_default() += 1;
            }
            sought.sequences.extend((!sequence.is_empty()).then_some(sequence));
        }
        if all.len() > 1 {
            sought.join_forms(query, &all);
        }
        sought
    }

    /// Adds terms that stand for a word of the query, unless it has them.
    pub(super) fn add(&mut self, further: &[String]) {
        for term in further {
            self.counts.entry(term.clone()).or_insert(1);
        }
    }

    /// Every language divides a text into the same words.
    fn join_forms(&mut self, query: &str, analyzers: &[&Analyzer]) {
        let terms: Vec<Vec<String>> = analyzers.iter().map(|one| one.all_of_query(query)).collect();
        let words = terms.iter().map(Vec::len).min().unwrap_or(0);
        for word in 0..words {
            let forms: BTreeSet<&String> = terms.iter().map(|terms| &terms[word]).collect();
            for &form in forms.iter().filter(|form| self.counts.contains_key(**form)) {
                let known = self.forms.entry(form.clone()).or_default();
                known.extend(forms.iter().map(|form| (*form).clone()));
            }
        }
    }

    /// The further forms of the words that a term stands for.
    pub(super) fn others(&self, term: &str) -> impl Iterator<Item = &str> {
        let forms = self.forms.get(term).into_iter().flatten();
        forms.map(String::as_str).filter(move |form| *form != term)
    }

    /// The words of the language in which it has the fewest: it leaves out those that say nothing.
    pub(super) fn words(&self) -> u32 {
        self.sequences.iter().map(Vec::len).min().unwrap_or(0) as u32
    }
}
