//! MultipleNegativesRankingLoss (Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply",
//! 2017; as sentence-transformers has it).
//!
//! Row i's loss is the cross-entropy of `scale · cos(anchor_i, candidate)` over all candidates that it sees, with its own
//! positive as the target; the batch's loss is the mean over rows. Candidates are all positives, then all
//! hard negatives.

use candle_core::{D, Device, Result, Tensor, Var};

use super::options::{Bidirectional, Hardness, HardnessOf, TrainOptions};

/// Stands for −∞ where an anchor may not see a candidate: `exp` of it is exactly 0 beside any cosine, and unlike an
/// infinity it survives being multiplied by 0.
const MASKED: f32 = -1e6;

/// Which embeddings of a batch play which part, and for whom.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Row of the anchor and of the positive of each example.
    pub(super) anchors: Vec<u32>,
    pub(super) positives: Vec<u32>,
    /// Row of each hard negative, and the example that it belongs to.
    pub(super) negatives: Vec<(u32, usize)>,
    /// Which candidates an anchor does not see: `(rows, rows + hard negatives)`, row-major.
    pub(super) hidden: Vec<bool>,
}

/// The loss of a batch of vectors of `width` numbers each, and its gradient by them.
pub(super) fn loss_and_gradient(
    vectors: &[f32],
    width: usize,
    layout: &Layout,
    options: &TrainOptions,
) -> Result<(f32, Vec<f32>)> {
    let vectors = Var::from_slice(vectors, (vectors.len() / width, width), &Device::Cpu)?;
    let loss = ranking_loss(vectors.as_tensor(), layout, options)?;
    let Some(gradient) = loss.backward()?.remove(vectors.as_tensor()) else {
        candle_core::bail!("the loss does not depend on the vectors")
    };
    Ok((loss.to_scalar()?, gradient.flatten_all()?.to_vec1()?))
}

/// The loss of a batch, a scalar with a graph to `embeddings`, shape `(texts, dimensions)`.
fn ranking_loss(embeddings: &Tensor, layout: &Layout, options: &TrainOptions) -> Result<Tensor> {
    let rows = layout.anchors.len();
    let cosines = cosines(embeddings, layout)?;
    let mask = Tensor::from_vec(mask(&layout.hidden), cosines.dims2()?, &Device::Cpu)?;
    let forward = ((&cosines * options.scale)? + &mask)?;
    let own = forward.gather(&Tensor::arange(0, rows as u32, &Device::Cpu)?.unsqueeze(1)?, 1)?;
    let forward = match options.hardness {
        Some(hardness) => (forward + penalty(&cosines.detach(), layout, hardness)?)?,
        None => forward,
    };
    // Each positive among the anchors; whom an anchor does not see does not see it either.
    let backward = || -> Result<Tensor> {
        let mask = mask.narrow(1, 0, rows)?.t()?;
        (cosines.narrow(1, 0, rows)?.t()? * options.scale)? + mask
    };
    let losses = match options.bidirectional {
        Bidirectional::Off => cross_entropy(&forward, &own)?,
        Bidirectional::PerDirection => {
            ((cross_entropy(&forward, &own)? + cross_entropy(&backward()?, &own)?)? * 0.5)?
        }
        Bidirectional::Joint => cross_entropy(&Tensor::cat(&[forward, backward()?], 1)?, &own)?,
    };
    losses.mean_all()
}

/// Of anchors and candidates, `(rows, candidates)`.
fn cosines(embeddings: &Tensor, layout: &Layout) -> Result<Tensor> {
    let lengths = embeddings.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    let unit = embeddings.broadcast_div(&lengths)?;
    let pick = |rows: Vec<u32>| {
        let count = rows.len();
        unit.index_select(&Tensor::from_vec(rows, count, &Device::Cpu)?, 0)
    };
    let negatives = layout.negatives.iter().map(|(row, _)| *row);
    let candidates = layout.positives.iter().copied().chain(negatives).collect();
    pick(layout.anchors.clone())?.matmul(&pick(candidates)?.t()?)
}

fn mask(hidden: &[bool]) -> Vec<f32> {
    hidden.iter().map(|&hidden| if hidden { MASKED } else { 0.0 }).collect()
}

/// What makes hard candidates count more: a share of their own cosine, through which no gradient flows.
fn penalty(cosines: &Tensor, layout: &Layout, hardness: Hardness) -> Result<Tensor> {
    let (rows, columns) = cosines.dims2()?;
    let owners = (0..rows).chain(layout.negatives.iter().map(|(_, owner)| *owner));
    let owners: Vec<usize> = owners.collect();
    let strength = |row: usize, column: usize| {
        let penalised = match hardness.of {
            HardnessOf::InBatchNegatives => owners[column] != row,
            HardnessOf::HardNegatives => column >= rows && owners[column] == row,
            HardnessOf::AllNegatives => column != row,
        };
        if penalised { hardness.strength } else { 0.0 }
    };
    let strengths: Vec<f32> = (0..rows * columns).map(|at| strength(at / columns, at % columns)).collect();
    cosines * Tensor::from_vec(strengths, (rows, columns), &Device::Cpu)?
}

/// `ln Σ exp(logits) − own` of each row, `(rows, 1)`; both are shifted first, so that a small loss keeps its digits.
fn cross_entropy(logits: &Tensor, own: &Tensor) -> Result<Tensor> {
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let sums = logits.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
    sums.log()? - (own - largest)?
}
