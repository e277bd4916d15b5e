//! What the restrictions of a query leave of the index.

use crate::error::Result;
use crate::lexical::{Filter, Forms, LexicalSnapshot, Matching, Part};
use crate::store::paths::fitting;
use crate::store::restriction::{Asks, Restriction, Restrictions, dated};

/// What a restricted query searches, and for what beside its words.
#[derive(Default)]
pub(super) struct Restricted {
    /// The passages that it may find; `None` for all.
    pub(super) allowed: Option<Matching>,
    /// Terms of the index that stand for its prefixes.
    pub(super) terms: Vec<String>,
}

impl Restricted {
    /// What the restrictions leave.
    pub(super) fn of(lexical: &LexicalSnapshot, restrictions: &Restrictions<'_>) -> Result<Restricted> {
        let mut restricted = Restricted {
            allowed: restrictions.filter.map(|filter| lexical.matching(filter)).transpose()?,
            terms: Vec::new(),
        };
        restrictions.all.iter().try_for_each(|restriction| restricted.apply(lexical, restriction))?;
        Ok(restricted)
    }

    fn apply(
        &mut self,
        lexical: &LexicalSnapshot,
        Restriction { asks, negated }: &Restriction<'_>,
    ) -> Result<()> {
        let found = match asks {
            Asks::Phrase(words) => lexical.with_phrase(words, Part::Whole, Forms::Same)?,
            Asks::Word(word) => lexical.with_phrase(word, Part::Whole, Forms::Any)?,
            Asks::Title(words) => lexical.with_phrase(words, Part::Title, Forms::Any)?,
            Asks::Prefix(prefix) => {
                let found = lexical.with_beginning(prefix)?;
                if !negated {
                    self.terms.extend(found.terms);
                }
                found.chunks
            }
            Asks::Path(pattern) => match fitting(pattern) {
                Some(fits) => lexical.with_document(&fits)?,
                None => return Ok(()),
            },
            Asks::Extensions(all) => lexical.matching(&Filter::any_of("extension", all.clone()).lenient())?,
            Asks::After(date) => lexical.matching(&dated(|field| Filter::range(field, *date..)))?,
            Asks::Before(date) => lexical.matching(&dated(|field| Filter::range(field, ..*date)))?,
        };
        self.allowed = Some(match (self.allowed.take(), negated) {
            (Some(allowed), false) => allowed.within(&found),
            (None, false) => found,
            (Some(allowed), true) => allowed.without(&found),
            (None, true) => lexical.matching(&Filter::everything())?.without(&found),
        });
        Ok(())
    }
}
