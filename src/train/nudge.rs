//! NUDGE: document vectors that move by themselves (Zeighami, Wellmer and Parameswaran, "NUDGE: Lightweight Non-Parametric
//! Fine-Tuning of Embeddings for Retrieval", 2024, arXiv 2409.02343).

/// Where the queries that a document answers would have it: their sum, of length 1. `None` where they cancel out.
pub(crate) fn goal<'a>(queries: impl IntoIterator<Item = &'a [f32]>) -> Option<Vec<f32>> {
    let mut sum: Vec<f32> = Vec::new();
    for query in queries {
        sum.resize(query.len(), 0.0);
        sum.iter_mut().zip(query).for_each(|(sum, x)| *sum += x);
    }
    let length = dot(&sum, &sum).sqrt();
    (length > 1e-6).then(|| sum.iter().map(|x| x / length).collect())
}

/// NUDGE-N: `vector` moved towards `goal`, both of length 1, by a chord of `gamma`, 0 to 2, over the sphere; `goal` itself where that is
/// no farther. Of all vectors of length 1 within `gamma` it is the one with the greatest cosine to `goal`.
pub(crate) fn nudged(vector: &[f32], goal: &[f32], gamma: f32) -> Vec<f32> {
    let cosine = dot(vector, goal).clamp(-1.0, 1.0);
    let angle = 2.0 * (gamma / 2.0).clamp(0.0, 1.0).asin();
    if cosine.acos() <= angle {
        return goal.to_vec();
    }
    // Of length sin of the angle between the two; opposite vectors have no one direction.
    let across: Vec<f32> = goal.iter().zip(vector).map(|(g, v)| g - cosine * v).collect();
    let length = dot(&across, &across).sqrt();
    if length < 1e-6 {
        return vector.to_vec();
    }
    let (sin, cos) = angle.sin_cos();
    vector.iter().zip(&across).map(|(v, z)| cos * v + sin * z / length).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(numbers: &[f32]) -> Vec<f32> {
        let length = dot(numbers, numbers).sqrt();
        numbers.iter().map(|x| x / length).collect()
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
    }

    fn vectors() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        let numbers = || prop::collection::vec(-1.0f32..1.0, 8);
        let long = |v: &Vec<f32>| dot(v, v) > 0.1;
        (numbers().prop_filter("too short", long), numbers().prop_filter("too short", long))
            .prop_map(|(a, b)| (unit(&a), unit(&b)))
    }

    proptest! {
        #[test]
        fn a_nudge_keeps_the_length_and_the_bound_and_nears_the_goal((v, g) in vectors(), gamma in 0.0f32..2.0) {
            let moved = nudged(&v, &g, gamma);
            prop_assert!((dot(&moved, &moved).sqrt() - 1.0).abs() < 1e-4);
            prop_assert!(distance(&moved, &v) <= gamma + 1e-3);
            prop_assert!(dot(&moved, &g) >= dot(&v, &g) - 1e-4);
            // The bound is used up, or the goal is reached.
            let used = (distance(&moved, &v) - gamma).abs() < 1e-3;
            prop_assert!(used || distance(&moved, &g) < 1e-3, "{}", distance(&moved, &v));
        }
    }

    #[test]
    fn the_goal_is_the_direction_of_all_queries() {
        let found = goal([&[1.0, 0.0][..], &[0.0, 1.0][..]]).unwrap();
        assert!(distance(&found, &unit(&[1.0, 1.0])) < 1e-6);
        assert_eq!(goal([&[1.0, 0.0][..], &[-1.0, 0.0][..]]), None);
        assert_eq!(goal([]), None);
    }

    #[test]
    fn what_lies_opposite_stays() {
        assert_eq!(nudged(&[1.0, 0.0], &[-1.0, 0.0], 0.5), [1.0, 0.0]);
        assert_eq!(nudged(&[1.0, 0.0], &[0.0, 1.0], 0.0), [1.0, 0.0]);
    }
}
