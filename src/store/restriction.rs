//! What a query asks of passages, beside its words.

use crate::lexical::{Date, Filter};

/// What has to hold of the passages that a query finds.
pub(crate) struct Restrictions<'a> {
    pub(crate) filter: Option<&'a Filter>,
    pub(crate) all: Vec<Restriction<'a>>,
}

/// What has to hold of a passage, or must not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Restriction<'t> {
    pub(crate) asks: Asks<'t>,
    /// Whether passages of which this holds are left out.
    pub(crate) negated: bool,
}

/// What is asked of a passage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asks<'t> {
    /// These words as they stand, in this order.
    Phrase(&'t str),
    /// This word in any form, or these where signs divide it.
    Word(&'t str),
    /// A word that begins so.
    Prefix(&'t str),
    /// These words in the title.
    Title(&'t str),
    /// A document whose path matches.
    Path(&'t str),
    /// A document with one of these extensions, in lower case.
    Extensions(Vec<String>),
    /// A document from this moment on.
    After(Date),
    /// A document from before this moment.
    Before(Date),
}

impl<'t> Asks<'t> {
    /// The words that are searched for with it.
    pub(crate) fn words(&self) -> Option<&'t str> {
        match self {
            Asks::Phrase(words) | Asks::Word(words) | Asks::Prefix(words) | Asks::Title(words) => Some(words),
            Asks::Path(_) | Asks::Extensions(_) | Asks::After(_) | Asks::Before(_) => None,
        }
    }
}

/// What holds of a document's own date, or of when its file was changed where it has none.
pub(super) fn dated(holds: impl Fn(&'static str) -> Filter) -> Filter {
    let own = holds("date");
    let changed = (!Filter::exists("date")).and(holds("modified"));
    own.or(changed).lenient()
}
