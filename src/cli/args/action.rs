//! What an action of another engine's users says of a document.

use retune::Verdict;

use super::values::{named, or_none};

/// An action and what it says.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) verdict: Option<Verdict>,
}

/// `NAME=VERDICT`.
pub(crate) fn action(text: &str) -> Result<Action, String> {
    const VERDICTS: [(&str, Verdict); 5] = [
        ("chosen", Verdict::Chosen),
        ("relevant", Verdict::Relevant),
        ("not-relevant", Verdict::NotRelevant),
        ("opened", Verdict::Opened),
        ("withdrawn", Verdict::Withdrawn),
    ];
    match text.rsplit_once('=') {
        Some((name, verdict)) if !name.is_empty() => {
            let verdict = or_none(verdict, |verdict| named(verdict, &VERDICTS))?.0;
            Ok(Action { name: name.to_string(), verdict })
        }
        _ => Err("expected the name of an action, = and a verdict".into()),
    }
}
