//! Texts as tensors.

use candle_core::{Device, Result, Tensor};

use crate::encoder::batch::{PAD, position_ids};
use crate::encoder::ops::relative_position_bucket;

/// Added to the score of a padding key: next to any other score, `exp` of it is 0.
const MASKED: f32 = -1e9;

/// Tokenised texts, padded to the longest.
pub(super) struct Batch {
    pub(super) texts: usize,
    pub(super) longest: usize,
    /// The number of tokens of each text.
    lengths: Vec<usize>,
    /// `(texts · longest)`, u32.
    pub(super) ids: Tensor,
    /// `(texts · longest)`, u32.
    pub(super) positions: Tensor,
    /// The bucket of each pair of query and key, `(longest · longest)`, u32.
    pub(super) buckets: Tensor,
    /// Added to the scores of keys, `(texts, 1, 1, longest)`. `None` if no text is padded.
    pub(super) mask: Option<Tensor>,
    /// The weight of each token in the mean of its text, `(texts, longest, 1)`.
    pub(super) shares: Tensor,
}

impl Batch {
    /// Each text must have at least one token.
    pub(super) fn new(texts: &[&[u32]], device: &Device) -> Result<Batch> {
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(1);
        let (mut ids, mut positions) = (Vec::new(), Vec::new());
        let (mut mask, mut shares) = (Vec::new(), Vec::new());
        for (at, text) in texts.iter().enumerate() {
            ids.extend_from_slice(text);
            positions.extend(position_ids(text));
            mask.resize(mask.len() + text.len(), 0.0);
            shares.resize(shares.len() + text.len(), 1.0 / text.len() as f32);
            let end = (at + 1) * longest;
            ids.resize(end, PAD);
            positions.resize(end, PAD);
            mask.resize(end, MASKED);
            shares.resize(end, 0.0);
        }
        let (count, tokens) = (texts.len(), ids.len());
        let padded = lengths.iter().any(|&length| length < longest);
        Ok(Batch {
            texts: count,
            longest,
            lengths,
            ids: Tensor::from_vec(ids, tokens, device)?,
            positions: Tensor::from_vec(positions, tokens, device)?,
            buckets: Tensor::from_vec(buckets(longest), longest * longest, device)?,
            mask: padded.then(|| Tensor::from_vec(mask, (count, 1, 1, longest), device)).transpose()?,
            shares: Tensor::from_vec(shares, (count, longest, 1), device)?,
        })
    }

    /// Pads concatenated rows of tokens with zeros: `(texts · longest, width)`.
    pub(super) fn padded(&self, rows: &[f32], width: usize, device: &Device) -> Result<Tensor> {
        let (mut padded, mut rest) = (Vec::new(), rows);
        for (at, length) in self.lengths.iter().enumerate() {
            let (text, others) = rest.split_at(length * width);
            padded.extend_from_slice(text);
            padded.resize((at + 1) * self.longest * width, 0.0);
            rest = others;
        }
        Tensor::from_vec(padded, (self.texts * self.longest, width), device)
    }

    /// Concatenates the rows of tokens in `(texts · longest, width)`, without padding.
    pub(super) fn unpadded(&self, padded: &Tensor) -> Result<Vec<f32>> {
        let width = padded.dim(1)?;
        let padded: Vec<f32> = padded.flatten_all()?.to_vec1()?;
        let texts = padded.chunks(self.longest * width).zip(&self.lengths);
        Ok(texts.flat_map(|(text, length)| &text[..length * width]).copied().collect())
    }
}

fn buckets(longest: usize) -> Vec<u32> {
    let of_pair = |at: usize| {
        let (query, key) = (at / longest, at % longest);
        relative_position_bucket(key as isize - query as isize) as u32
    };
    (0..longest * longest).map(of_pair).collect()
}
