//! MultipleNegativesRankingLoss (Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply",
//! 2017; as sentence-transformers has it).
//!
//! Row i's loss is the cross-entropy of `scale · cos(anchor_i, candidate)` over all candidates that it sees, with its own
//! positive as the target; the batch's loss is the mean over rows, weighted by what each row counts. Candidates are all
//! positives, then all hard negatives, then the mixtures that are the anchor's alone, if any.

use candle_core::{D, Device, Result, Tensor, Var};

use super::mixing::Mixtures;
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
    /// What each example's loss counts; only the ratios matter.
    pub(super) weights: Vec<f32>,
    /// Which candidates an anchor does not see: `(rows, rows + hard negatives)`, row-major.
    pub(super) hidden: Vec<bool>,
    /// Further candidates, each of one anchor, which no gradient goes into.
    pub(super) mixtures: Option<Mixtures>,
}

impl Layout {
    /// The row of each candidate: every positive, then every hard negative.
    pub(super) fn candidates(&self) -> impl Iterator<Item = u32> + '_ {
        self.positives.iter().copied().chain(self.negatives.iter().map(|(row, _)| *row))
    }
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
    let unit = unit(embeddings)?;
    let cosines = cosines(&unit, layout)?;
    let mask = Tensor::from_vec(mask(&layout.hidden), cosines.dims2()?, &Device::Cpu)?;
    let forward = ((&cosines * options.scale)? + &mask)?;
    let own = forward.gather(&Tensor::arange(0, rows as u32, &Device::Cpu)?.unsqueeze(1)?, 1)?;
    let forward = match options.hardness {
        Some(hardness) => (forward + penalty(&cosines.detach(), layout, hardness)?)?,
        None => forward,
    };
    let forward = match &layout.mixtures {
        Some(mixtures) => Tensor::cat(&[forward, mixed(&unit, layout, mixtures, options.scale)?], 1)?,
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
    weighted_mean(&losses, &layout.weights)
}

/// The mean of the rows' losses, `(rows, 1)`, by weights that are brought to a mean of 1, so that a learning rate keeps its
/// meaning. Equal weights give the plain mean, bit for bit.
fn weighted_mean(losses: &Tensor, weights: &[f32]) -> Result<Tensor> {
    let mean = weights.iter().sum::<f32>() / weights.len().max(1) as f32;
    if weights.iter().all(|weight| *weight == weights[0]) {
        return losses.mean_all();
    }
    let weights: Vec<f32> = weights.iter().map(|weight| weight / mean).collect();
    (losses * Tensor::from_vec(weights, losses.dims2()?, &Device::Cpu)?)?.mean_all()
}

fn unit(embeddings: &Tensor) -> Result<Tensor> {
    let lengths = embeddings.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    embeddings.broadcast_div(&lengths)
}

fn pick(unit: &Tensor, rows: Vec<u32>) -> Result<Tensor> {
    let count = rows.len();
    unit.index_select(&Tensor::from_vec(rows, count, &Device::Cpu)?, 0)
}

/// Of anchors and candidates, `(rows, candidates)`.
fn cosines(unit: &Tensor, layout: &Layout) -> Result<Tensor> {
    pick(unit, layout.anchors.clone())?.matmul(&pick(unit, layout.candidates().collect())?.t()?)
}

/// The logits of each anchor's own mixtures, `(rows, mixtures of an anchor)`.
fn mixed(unit: &Tensor, layout: &Layout, mixtures: &Mixtures, scale: f64) -> Result<Tensor> {
    let (rows, each) = (layout.anchors.len(), mixtures.each);
    let vectors = Tensor::from_slice(&mixtures.vectors, (rows, each, unit.dim(1)?), &Device::Cpu)?;
    let anchors = pick(unit, layout.anchors.clone())?.unsqueeze(1)?;
    let cosines = vectors.broadcast_mul(&anchors)?.sum(D::Minus1)?;
    (cosines * scale)? + Tensor::from_vec(mask(&mixtures.absent), (rows, each), &Device::Cpu)?
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

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 3;

    /// Three rows with two hard negatives of the first and one of the last; nobody is hidden.
    fn layout(weights: [f32; 3]) -> Layout {
        Layout {
            anchors: vec![0, 1, 2],
            positives: vec![3, 4, 5],
            negatives: vec![(6, 0), (7, 0), (8, 2)],
            weights: weights.to_vec(),
            hidden: vec![false; 18],
            mixtures: None,
        }
    }

    fn vectors() -> Vec<f32> {
        (0..9 * WIDTH).map(|at| ((at * 37 % 19) as f32 - 9.0) / 7.0 + 0.05 * at as f32).collect()
    }

    /// The definition in f64, one row after another.
    fn by_definition(vectors: &[f32], weights: [f32; 3]) -> f64 {
        let vector = |row: usize| vectors[row * WIDTH..][..WIDTH].iter().map(|&x| f64::from(x));
        let dot = |a: usize, b: usize| vector(a).zip(vector(b)).map(|(x, y)| x * y).sum::<f64>();
        let logit = |a: usize, b: usize| 20.0 * dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        let row =
            |row: usize| (3..9).map(|one| logit(row, one).exp()).sum::<f64>().ln() - logit(row, row + 3);
        let weighted: f64 = (0..3).map(|at| f64::from(weights[at]) * row(at)).sum();
        weighted / weights.iter().map(|&weight| f64::from(weight)).sum::<f64>()
    }

    #[test]
    fn a_row_counts_by_its_weight_in_loss_and_gradient() {
        let options = TrainOptions::default();
        for weights in [[1.0, 1.0, 1.0], [3.0, 1.0, 0.5], [0.0, 0.2, 0.1]] {
            let (loss, gradient) = loss_and_gradient(&vectors(), WIDTH, &layout(weights), &options).unwrap();
            let expected = by_definition(&vectors(), weights);
            assert!(
                (f64::from(loss) - expected).abs() < 1e-5 * expected,
                "{weights:?}: {loss}, not {expected}"
            );
            for at in 0..gradient.len() {
                let moved = |by: f32| {
                    let mut vectors = vectors();
                    vectors[at] += by;
                    (f64::from(vectors[at]), by_definition(&vectors, weights))
                };
                let ((low, below), (high, above)) = (moved(-1e-3), moved(1e-3));
                let slope = (above - below) / (high - low);
                let found = f64::from(gradient[at]);
                assert!(
                    (found - slope).abs() < 1e-3 * (1.0 + slope.abs()),
                    "{weights:?}[{at}]: {found}, {slope}"
                );
            }
        }
    }

    #[test]
    fn equal_weights_are_no_weights_and_only_ratios_matter() {
        let options = TrainOptions::default();
        let of = |weights| loss_and_gradient(&vectors(), WIDTH, &layout(weights), &options).unwrap();
        assert_eq!(of([1.0; 3]), of([0.3; 3]));
        let (single, double) = (of([1.0, 0.5, 0.25]), of([2.0, 1.0, 0.5]));
        assert_eq!(single, double, "a power of two changes no digit");
    }
}
