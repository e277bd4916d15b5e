//! MultipleNegativesRankingLoss (Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply",
//! 2017), as in sentence-transformers.
//!
//! Row i's loss is the cross-entropy of `SCALE · cos(anchor_i, candidate)` over all candidates that its anchor sees,
//! with its own positive as the target. The batch's loss is the weighted mean over rows. Candidates are all positives,
//! then all hard negatives.

use candle_core::{D, Device, Result, Tensor, Var};

/// Factor of the cosine: the inverse of a temperature. sentence-transformers' value.
pub(super) const SCALE: f64 = 20.0;
/// Replaces −∞ for candidates hidden from an anchor. Its `exp` is exactly 0 next to any cosine, and unlike an infinity
/// it survives multiplication by 0.
const MASKED: f32 = -1e6;

/// The role of each vector of a batch.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Index of each row's anchor vector.
    pub(super) anchors: Vec<u32>,
    /// Index of each row's positive vector.
    pub(super) positives: Vec<u32>,
    /// Index of each hard negative's vector, and its row.
    pub(super) negatives: Vec<(u32, usize)>,
    /// Candidates hidden from an anchor: `(rows, rows + hard negatives)`, row-major.
    pub(super) hidden: Vec<bool>,
    /// The weight of each row, above 0.
    pub(super) weights: Vec<f32>,
}

impl Layout {
    /// The index of each candidate's vector: every positive, then every hard negative.
    fn candidates(&self) -> Vec<u32> {
        self.positives.iter().copied().chain(self.negatives.iter().map(|(place, _)| *place)).collect()
    }
}

/// Computes the loss of a batch of vectors with `width` numbers each, and its gradient with respect to them.
pub(super) fn loss_and_gradient(vectors: &[f32], width: usize, layout: &Layout) -> Result<(f32, Vec<f32>)> {
    let vectors = Var::from_slice(vectors, (vectors.len() / width, width), &Device::Cpu)?;
    let loss = ranking_loss(vectors.as_tensor(), layout)?;
    let Some(gradient) = loss.backward()?.remove(vectors.as_tensor()) else {
        candle_core::bail!("the loss does not depend on the vectors")
    };
    Ok((loss.to_scalar()?, gradient.flatten_all()?.to_vec1()?))
}

/// Computes the loss of a batch, a scalar with a graph to `embeddings`, shape `(texts, dimensions)`.
fn ranking_loss(embeddings: &Tensor, layout: &Layout) -> Result<Tensor> {
    let rows = layout.anchors.len();
    let unit = unit(embeddings)?;
    let anchors = pick(&unit, layout.anchors.clone())?;
    let cosines = anchors.matmul(&pick(&unit, layout.candidates())?.t()?)?;
    let mask: Vec<f32> = layout.hidden.iter().map(|&hidden| if hidden { MASKED } else { 0.0 }).collect();
    let mask = Tensor::from_vec(mask, cosines.dims2()?, &Device::Cpu)?;
    let logits = ((&cosines * SCALE)? + &mask)?;
    let own = logits.gather(&Tensor::arange(0, rows as u32, &Device::Cpu)?.unsqueeze(1)?, 1)?;
    weighted_mean(&cross_entropy(&logits, &own)?, &layout.weights)
}

/// The weighted mean of losses, `(rows, 1)`.
fn weighted_mean(losses: &Tensor, weights: &[f32]) -> Result<Tensor> {
    if weights.windows(2).all(|two| two[0] == two[1]) {
        return losses.mean_all();
    }
    let sum: f32 = weights.iter().sum();
    let shares: Vec<f32> = weights.iter().map(|weight| weight / sum).collect();
    (losses * Tensor::from_vec(shares, losses.dims2()?, &Device::Cpu)?)?.sum_all()
}

fn unit(embeddings: &Tensor) -> Result<Tensor> {
    let lengths = embeddings.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    embeddings.broadcast_div(&lengths)
}

fn pick(unit: &Tensor, rows: Vec<u32>) -> Result<Tensor> {
    let count = rows.len();
    unit.index_select(&Tensor::from_vec(rows, count, &Device::Cpu)?, 0)
}

/// Computes `ln Σ exp(logits) − own` for each row, `(rows, 1)`. Both are shifted first, so that a small loss keeps its
/// digits.
fn cross_entropy(logits: &Tensor, own: &Tensor) -> Result<Tensor> {
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let sums = logits.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
    sums.log()? - (own - largest)?
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 3;

    /// Three rows with two hard negatives of the first and one of the last; nothing is hidden.
    fn layout() -> Layout {
        Layout {
            anchors: vec![0, 1, 2],
            positives: vec![3, 4, 5],
            negatives: vec![(6, 0), (7, 0), (8, 2)],
            hidden: vec![false; 18],
            weights: vec![1.0; 3],
        }
    }

    fn vectors() -> Vec<f32> {
        (0..9 * WIDTH).map(|at| ((at * 37 % 19) as f32 - 9.0) / 7.0 + 0.05 * at as f32).collect()
    }

    /// The definition in f64, one row after another.
    fn by_definition(vectors: &[f32], weights: &[f32]) -> f64 {
        let vector = |row: usize| vectors[row * WIDTH..][..WIDTH].iter().map(|&x| f64::from(x));
        let dot = |a: usize, b: usize| vector(a).zip(vector(b)).map(|(x, y)| x * y).sum::<f64>();
        let logit = |a: usize, b: usize| SCALE * dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        let row =
            |row: usize| (3..9).map(|one| logit(row, one).exp()).sum::<f64>().ln() - logit(row, row + 3);
        let weights: Vec<f64> = weights.iter().copied().map(f64::from).collect();
        (0..3).map(|at| weights[at] * row(at)).sum::<f64>() / weights.iter().sum::<f64>()
    }

    #[test]
    fn loss_and_gradient_are_those_of_the_definition() {
        for weights in [[1.0; 3], [1.0, 0.5, 0.75]] {
            let layout = Layout { weights: weights.to_vec(), ..layout() };
            let (loss, gradient) = loss_and_gradient(&vectors(), WIDTH, &layout).unwrap();
            let expected = by_definition(&vectors(), &weights);
            assert!((f64::from(loss) - expected).abs() < 1e-5 * expected, "{loss}, not {expected}");
            for at in 0..gradient.len() {
                let moved = |by: f32| {
                    let mut vectors = vectors();
                    vectors[at] += by;
                    (f64::from(vectors[at]), by_definition(&vectors, &weights))
                };
                let ((low, below), (high, above)) = (moved(-1e-3), moved(1e-3));
                let slope = (above - below) / (high - low);
                let found = f64::from(gradient[at]);
                assert!((found - slope).abs() < 1e-3 * (1.0 + slope.abs()), "[{at}]: {found}, {slope}");
            }
        }
    }
}
