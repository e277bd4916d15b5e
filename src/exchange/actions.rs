//! What actions say of a document.

use std::collections::BTreeMap;

use crate::feedback::Verdict;

/// The action of an event that tells that a document was shown.
pub(super) const SHOWN: &str = "impression";

/// The actions that are known. The first one for each verdict is the one that is exported.
pub(super) const KNOWN: [(&str, Verdict); 11] = [
    ("click", Verdict::Opened),
    ("click_through", Verdict::Opened),
    ("view", Verdict::Opened),
    ("watch", Verdict::Opened),
    ("opened", Verdict::Opened),
    ("chosen", Verdict::Chosen),
    ("add_to_cart", Verdict::Chosen),
    ("purchase", Verdict::Chosen),
    ("relevant", Verdict::Relevant),
    ("not_relevant", Verdict::NotRelevant),
    ("withdrawn", Verdict::Withdrawn),
];

/// The name of the action that is exported for a verdict.
pub(super) fn action_of(verdict: Verdict) -> &'static str {
    KNOWN.iter().find(|(_, known)| *known == verdict).map_or("opened", |(name, _)| name)
}

/// How to read an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportOptions {
    /// What actions say of a document, by their names; `None` if they say nothing. Default: `click`, `click_through`,
    /// `view`, `watch` and `opened` say that it was opened; `chosen`, `add_to_cart` and `purchase` that it was chosen;
    /// `relevant`, `not_relevant` and `withdrawn` what their names say; all others nothing.
    pub actions: BTreeMap<String, Option<Verdict>>,
}

impl ImportOptions {
    /// Adds one of the [`actions`](ImportOptions::actions).
    pub fn with_action(mut self, name: impl Into<String>, verdict: Option<Verdict>) -> ImportOptions {
        self.actions.insert(name.into(), verdict);
        self
    }

    /// What an action says of a document.
    pub(super) fn verdict(&self, action: &str) -> Option<Verdict> {
        let known = || KNOWN.iter().find(|(name, _)| *name == action).map(|(_, verdict)| *verdict);
        self.actions.get(action).copied().unwrap_or_else(known)
    }
}
