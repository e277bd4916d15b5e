//! A batch of tokenised texts: their token ids, concatenated without padding.

/// The padding token. The reference implementation fixes its id, whatever a configuration says.
pub(super) const PAD: u32 = 1;

/// Tokenised texts as the model's input.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) ids: Vec<u32>,
    pub(super) positions: Vec<u32>,
    /// The number of tokens of each text, in order.
    pub(super) lengths: Vec<usize>,
    /// The offset of each text's first token.
    pub(super) starts: Vec<usize>,
}

impl Batch {
    /// Replaces the batch by these texts. Each has at least one token.
    pub(super) fn set<'a>(&mut self, texts: impl Iterator<Item = &'a [u32]>) {
        self.ids.clear();
        self.positions.clear();
        self.lengths.clear();
        self.starts.clear();
        for text in texts {
            self.starts.push(self.ids.len());
            self.lengths.push(text.len());
            self.ids.extend_from_slice(text);
            self.positions.extend(position_ids(text));
        }
    }

    /// The number of tokens of all texts.
    pub(super) fn tokens(&self) -> usize {
        self.ids.len()
    }
}

/// Positions count from `PAD + 1`. A literal `<pad>` in a text is attended to like any other token, but its position is
/// `PAD` and it is not counted.
pub(super) fn position_ids(text: &[u32]) -> impl Iterator<Item = u32> {
    text.iter().scan(PAD, |last, &id| {
        if id == PAD {
            return Some(PAD);
        }
        *last += 1;
        Some(*last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_from_two_and_pass_over_literal_padding() {
        assert_eq!(position_ids(&[0, 7, 1, 1, 9, 2]).collect::<Vec<_>>(), [2, 3, 1, 1, 4, 5]);
    }
}
