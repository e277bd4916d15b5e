//! MultipleNegativesRankingLoss (Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply",
//! 2017; as sentence-transformers has it).
//!
//! Row i's loss is the cross-entropy of `scale · cos(anchor_i, candidate)` over all candidates with its own positive
//! as the target; the batch's loss is the mean over rows. Candidates are all positives, then all hard negatives.

use candle_core::{D, Device, Result, Tensor, Var};

use super::options::NegativeScope;

/// Stands for −∞ where an anchor may not see a candidate: `exp` of it is exactly 0 beside any cosine, and unlike an
/// infinity it survives being multiplied by 0.
const MASKED: f32 = -1e6;

/// Which embeddings of a batch play which part.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Row of the anchor and of the positive of each example.
    pub(super) anchors: Vec<u32>,
    pub(super) positives: Vec<u32>,
    /// Row of each hard negative, and the example that it belongs to.
    pub(super) negatives: Vec<(u32, usize)>,
}

/// The loss of a batch of vectors of `width` numbers each, and its gradient by them.
pub(super) fn loss_and_gradient(
    vectors: &[f32],
    width: usize,
    layout: &Layout,
    scale: f64,
    scope: NegativeScope,
) -> Result<(f32, Vec<f32>)> {
    let vectors = Var::from_slice(vectors, (vectors.len() / width, width), &Device::Cpu)?;
    let loss = ranking_loss(vectors.as_tensor(), layout, scale, scope)?;
    let Some(gradient) = loss.backward()?.remove(vectors.as_tensor()) else {
        candle_core::bail!("the loss does not depend on the vectors")
    };
    Ok((loss.to_scalar()?, gradient.flatten_all()?.to_vec1()?))
}

/// The loss of a batch, a scalar with a graph to `embeddings`, shape `(texts, dimensions)`.
fn ranking_loss(embeddings: &Tensor, layout: &Layout, scale: f64, scope: NegativeScope) -> Result<Tensor> {
    let rows = layout.anchors.len();
    let logits = logits(embeddings, layout, scale, scope)?;
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let shifted = logits.broadcast_sub(&largest)?;
    let log_sums = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let targets = Tensor::arange(0, rows as u32, &Device::Cpu)?.unsqueeze(1)?;
    let own = shifted.gather(&targets, 1)?;
    log_sums.sub(&own)?.mean_all()
}

/// `scale · cosine`, shape `(rows, candidates)`, masked by scope.
fn logits(embeddings: &Tensor, layout: &Layout, scale: f64, scope: NegativeScope) -> Result<Tensor> {
    let lengths = embeddings.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    let unit = embeddings.broadcast_div(&lengths)?;
    let pick = |rows: Vec<u32>| {
        let count = rows.len();
        unit.index_select(&Tensor::from_vec(rows, count, &Device::Cpu)?, 0)
    };
    let anchors = pick(layout.anchors.clone())?;
    let negatives = layout.negatives.iter().map(|(row, _)| *row);
    let candidates = pick(layout.positives.iter().copied().chain(negatives).collect())?;
    let logits = (anchors.matmul(&candidates.t()?)? * scale)?;
    if scope == NegativeScope::Batch || layout.negatives.is_empty() {
        return Ok(logits);
    }
    let (rows, columns) = logits.dims2()?;
    let mut mask = vec![0f32; rows * columns];
    for (column, (_, owner)) in layout.negatives.iter().enumerate() {
        for row in (0..rows).filter(|row| row != owner) {
            mask[row * columns + rows + column] = MASKED;
        }
    }
    logits + Tensor::from_vec(mask, (rows, columns), &Device::Cpu)?
}
