//! A low-rank map of query vectors, `q ↦ q + U Vᵀ q`, fitted to vectors that stand still.
//!
//! It can teach how users ask without an encoder's help: no text is encoded, and every vector of a document stays. The loss
//! is that of the encoder's training, over a few thousand candidates at once.

use candle_core::{D, Device, Result as CandleResult, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result};

/// Columns of U and V.
const RANK: usize = 16;
/// Factor of the cosine, as in the encoder's loss.
const SCALE: f64 = 20.0;
const LEARNING_RATE: f64 = 3e-3;
/// Steps that are tried.
const MOST_STEPS: usize = 60;
/// Steps between two looks at the queries that are kept apart.
const LOOK: usize = 5;
/// One row in so many is kept apart to tell when to stop.
const APART: usize = 5;
const MASKED: f32 = -1e6;

/// What an adapter is fitted to: rows of a query and one of its answers.
#[derive(Debug, Default)]
pub(crate) struct AdapterData {
    pub(crate) width: usize,
    /// `(rows, width)`, L2-normalised.
    pub(crate) queries: Vec<f32>,
    /// `(candidates, width)`, L2-normalised.
    pub(crate) candidates: Vec<f32>,
    /// The candidate that answers each row.
    pub(crate) answers: Vec<u32>,
    /// The group of each row; rows of a group are kept apart together.
    pub(crate) groups: Vec<usize>,
    /// Which candidates a row does not see: `(rows, candidates)`.
    pub(crate) hidden: Vec<bool>,
}

/// A fitted map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fitted {
    /// `(width, rank)`, row-major.
    pub(crate) u: Vec<f32>,
    /// `(width, rank)`, row-major.
    pub(crate) v: Vec<f32>,
}

/// Fits an adapter: first without a fifth of the groups, to find after how many steps these are answered best, then on all
/// rows for as many. `None` where the fifth is answered best by no step at all, or there is no fifth. `going_on` is asked
/// before each step.
///
/// # Errors
/// That of `going_on`; [`Error::Encoder`] if the arithmetic fails.
pub(crate) fn fit_adapter(
    data: &AdapterData,
    seed: u64,
    going_on: &mut dyn FnMut() -> Result<()>,
) -> Result<Option<Fitted>> {
    let apart = |row: &usize| data.groups[*row] % APART == 0;
    let rows = 0..data.answers.len();
    let (kept, rest): (Vec<usize>, Vec<usize>) = rows.clone().partition(apart);
    if kept.is_empty() || rest.is_empty() {
        return Ok(None);
    }
    let failed = |error: candle_core::Error| Error::Encoder { doing: "fit an adapter", message: error.to_string() };
    let (rest, kept) = (Rows::of(data, &rest).map_err(failed)?, Rows::of(data, &kept).map_err(failed)?);
    let mut fit = Fit::new(data.width, seed).map_err(failed)?;
    let untrained: f32 = fit.loss(&kept).and_then(|loss| loss.to_scalar()).map_err(failed)?;
    let (mut best, mut best_steps) = (untrained, 0);
    for step in 1..=MOST_STEPS {
        going_on()?;
        fit.step(&rest).map_err(failed)?;
        if step % LOOK == 0 {
            let loss: f32 = fit.loss(&kept).and_then(|loss| loss.to_scalar()).map_err(failed)?;
            if loss < best {
                (best, best_steps) = (loss, step);
            }
        }
    }
    if best_steps == 0 {
        return Ok(None);
    }
    let all = Rows::of(data, &rows.collect::<Vec<_>>()).map_err(failed)?;
    let mut fit = Fit::new(data.width, seed).map_err(failed)?;
    for _ in 0..best_steps {
        going_on()?;
        fit.step(&all).map_err(failed)?;
    }
    fit.result().map(Some).map_err(failed)
}

/// Some rows as tensors.
struct Rows {
    queries: Tensor,
    candidates: Tensor,
    answers: Tensor,
    mask: Tensor,
}

impl Rows {
    fn of(data: &AdapterData, rows: &[usize]) -> CandleResult<Rows> {
        let (width, device) = (data.width, &Device::Cpu);
        let count = data.candidates.len() / width;
        let queries: Vec<f32> =
            rows.iter().flat_map(|row| &data.queries[row * width..][..width]).copied().collect();
        let mask = rows.iter().flat_map(|row| &data.hidden[row * count..][..count]);
        let mask: Vec<f32> = mask.map(|&hidden| if hidden { MASKED } else { 0.0 }).collect();
        let answers: Vec<u32> = rows.iter().map(|&row| data.answers[row]).collect();
        Ok(Rows {
            queries: Tensor::from_vec(queries, (rows.len(), width), device)?,
            candidates: Tensor::from_slice(&data.candidates, (count, width), device)?,
            answers: Tensor::from_vec(answers, (rows.len(), 1), device)?,
            mask: Tensor::from_vec(mask, (rows.len(), count), device)?,
        })
    }
}

/// U and V on their way, with Adam's moments.
struct Fit {
    factors: [Var; 2],
    moments: [[Vec<f32>; 2]; 2],
    steps: i32,
}

impl Fit {
    /// U is zero, so that the map begins as the identity.
    fn new(width: usize, seed: u64) -> CandleResult<Fit> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let spread = (3.0 / width as f32).sqrt();
        let v: Vec<f32> = (0..width * RANK).map(|_| random.random_range(-spread..spread)).collect();
        let (shape, device) = ((width, RANK), &Device::Cpu);
        let moments = || [vec![0.0; width * RANK], vec![0.0; width * RANK]];
        Ok(Fit {
            factors: [Var::zeros(shape, candle_core::DType::F32, device)?, Var::from_vec(v, shape, device)?],
            moments: [moments(), moments()],
            steps: 0,
        })
    }

    fn loss(&self, rows: &Rows) -> CandleResult<Tensor> {
        let [u, v] = &self.factors;
        let moved = (&rows.queries + rows.queries.matmul(v)?.matmul(&u.t()?)?)?;
        let unit = moved.broadcast_div(&moved.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)?;
        let logits = ((unit.matmul(&rows.candidates.t()?)? * SCALE)? + &rows.mask)?;
        let own = logits.gather(&rows.answers, 1)?;
        let largest = logits.max_keepdim(D::Minus1)?.detach();
        let sums = logits.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
        (sums.log()? - (own - largest)?)?.mean_all()
    }

    /// One step of Adam (Kingma and Ba, 2015).
    fn step(&mut self, rows: &Rows) -> CandleResult<()> {
        let gradients = self.loss(rows)?.backward()?;
        self.steps += 1;
        let corrections = [1.0 - 0.9f64.powi(self.steps), 1.0 - 0.999f64.powi(self.steps)];
        for (factor, [first, second]) in self.factors.iter().zip(&mut self.moments) {
            let Some(gradient) = gradients.get(factor.as_tensor()) else { continue };
            let gradient: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
            let mut numbers: Vec<f32> = factor.flatten_all()?.to_vec1()?;
            for (i, g) in gradient.into_iter().enumerate() {
                first[i] = 0.9 * first[i] + 0.1 * g;
                second[i] = 0.999 * second[i] + 0.001 * g * g;
                let (mean, square) = (f64::from(first[i]) / corrections[0], f64::from(second[i]) / corrections[1]);
                numbers[i] -= (LEARNING_RATE * mean / (square.sqrt() + 1e-8)) as f32;
            }
            factor.set(&Tensor::from_vec(numbers, factor.shape(), &Device::Cpu)?)?;
        }
        Ok(())
    }

    fn result(&self) -> CandleResult<Fitted> {
        let [u, v] = &self.factors;
        Ok(Fitted { u: u.flatten_all()?.to_vec1()?, v: v.flatten_all()?.to_vec1()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Queries whose answers are all turned the same way from them, or none.
    fn turned(rows: usize, by: usize) -> AdapterData {
        let width = 32;
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut data = AdapterData { width, ..AdapterData::default() };
        for row in 0..rows {
            let mut query: Vec<f32> = (0..width).map(|_| random.random_range(-1.0..1.0)).collect();
            let length = query.iter().map(|x| x * x).sum::<f32>().sqrt();
            query.iter_mut().for_each(|x| *x /= length);
            let mut answer = query.clone();
            answer[..4].rotate_left(by);
            data.queries.extend(&query);
            data.candidates.extend(answer);
            data.answers.push(row as u32);
            data.groups.push(row);
        }
        data.hidden = vec![false; rows * rows];
        data
    }

    fn loss(fit: &Fit, data: &AdapterData) -> f32 {
        let rows: Vec<usize> = (0..data.answers.len()).collect();
        fit.loss(&Rows::of(data, &rows).unwrap()).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn what_queries_have_in_common_is_learnt_and_answers_better() {
        let data = turned(200, 2);
        let fitted = fit_adapter(&data, 1, &mut || Ok(())).unwrap().expect("an adapter");
        let untrained = Fit::new(32, 1).unwrap();
        let mut trained = Fit::new(32, 1).unwrap();
        let factor = |numbers: Vec<f32>| Var::from_vec(numbers, (32, RANK), &Device::Cpu).unwrap();
        trained.factors = [factor(fitted.u), factor(fitted.v)];
        assert!(loss(&trained, &data) < 0.9 * loss(&untrained, &data));
    }

    #[test]
    fn a_hidden_candidate_plays_no_part() {
        let mut data = turned(10, 2);
        let fit = Fit::new(32, 1).unwrap();
        let before = loss(&fit, &data);
        (0..10).filter(|row| *row != 3).for_each(|row| data.hidden[row * 10 + 3] = true);
        assert!(loss(&fit, &data) < before);
    }

    #[test]
    fn nothing_comes_of_too_little_and_a_round_can_be_stopped() {
        assert_eq!(fit_adapter(&turned(1, 2), 1, &mut || Ok(())).unwrap(), None);
        let stopped = fit_adapter(&turned(20, 2), 1, &mut || Err(Error::Cancelled { doing: "learning" }));
        assert!(matches!(stopped, Err(Error::Cancelled { .. })));
    }
}
