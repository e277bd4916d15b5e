//! Texts on their way through the model: token ids behind one another, without padding.

use candle_core::{Device, Result, Tensor};

use super::ops::Lengths;

/// The padding token. Its id is fixed in the reference implementation, whatever a configuration says.
const PAD: u32 = 1;

/// Tokenised texts as the model takes them.
pub(super) struct Batch {
    pub(super) ids: Tensor,
    pub(super) positions: Tensor,
    pub(super) lengths: Lengths,
}

impl Batch {
    /// Puts texts behind one another. Each has at least one token.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a [u32]>) -> Result<Batch> {
        let (mut ids, mut positions, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for text in texts {
            lengths.push(text.len());
            ids.extend_from_slice(text);
            positions.extend(position_ids(text));
        }
        let tokens = ids.len();
        Ok(Batch {
            ids: Tensor::from_vec(ids, tokens, &Device::Cpu)?,
            positions: Tensor::from_vec(positions, tokens, &Device::Cpu)?,
            lengths: lengths.into(),
        })
    }
}

/// Positions count from `PAD + 1`. A literal `<pad>` in a text is attended to like any other token, but has position
/// `PAD` and is not counted.
fn position_ids(text: &[u32]) -> impl Iterator<Item = u32> {
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
