//! Terms at their positions, as text for the cluster's analyzer.
//!
//! It takes white space between positions, a sign between the forms of a word that share one, and a sign for a position
//! without a term: so terms and positions are exactly ours, and the cluster analyses nothing.

use crate::lexical::Positions;

/// Between two terms of one position. No word has a control character; a further language's terms begin with another.
pub(super) const BETWEEN_FORMS: char = '\u{2}';
/// A position without a term.
pub(super) const GAP: char = '\u{3}';
/// The longest text of one position that the cluster takes, in characters.
pub(super) const LONGEST_POSITION: usize = 1_000_000;

/// The text that the analyzer makes these terms of.
pub(super) fn text_of(positions: &Positions) -> String {
    let mut text = String::new();
    for terms in positions {
        if !text.is_empty() {
            text.push(' ');
        }
        if terms.is_empty() {
            text.push(GAP);
        }
        for (at, term) in terms.iter().enumerate() {
            if at > 0 {
                text.push(BETWEEN_FORMS);
            }
            text.push_str(term);
        }
    }
    text
}

/// The text of a phrase: terms at these positions, ascending.
pub(super) fn text_of_phrase<'t>(terms: impl IntoIterator<Item = (usize, &'t str)>) -> String {
    let mut positions = Positions::new();
    let mut first = None;
    for (position, term) in terms {
        let at = position - *first.get_or_insert(position);
        positions.resize(positions.len().max(at + 1), Vec::new());
        positions[at].push(term.to_string());
    }
    text_of(&positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_forms_and_gaps_are_written() {
        let positions = vec![vec!["kx".into(), "kx4401".into()], Vec::new(), vec!["manual".into()]];
        assert_eq!(text_of(&positions), "kx\u{2}kx4401 \u{3} manual");
        assert_eq!(text_of(&Positions::new()), "");
        assert_eq!(text_of_phrase([(4, "open"), (6, "gate")]), "open \u{3} gate");
    }
}
