use super::*;

const WIDTH: usize = 16;

/// Rows whose answers are all turned the same way from their questions, with the next row's answer as a hard negative.
struct World {
    examples: Vec<Example>,
    guide: Guide,
    anchors: Guide,
    options: TrainOptions,
}

fn unit(random: &mut ChaCha8Rng) -> Vec<f32> {
    let numbers: Vec<f32> = (0..WIDTH).map(|_| random.random_range(-1.0..1.0)).collect();
    let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    numbers.into_iter().map(|x| x / length).collect()
}

impl World {
    fn turned(rows: usize, turn: impl Fn(&mut [f32])) -> World {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (mut guide, mut anchors) = (Guide::default(), Guide::default());
        for row in 0..rows {
            let question = unit(&mut random);
            let mut answer = question.clone();
            turn(&mut answer);
            anchors.add(&format!("q{row}"), question.clone());
            guide.add(&format!("q{row}"), question);
            guide.add(&format!("a{row}"), answer);
        }
        let example = |row: usize| Example {
            anchor: format!("q{row}"),
            positive: format!("a{row}"),
            other_answers: Vec::new(),
            negatives: vec![format!("a{}", (row + 1) % rows)],
            kinds: Vec::new(),
            weight: 1.0,
        };
        let options = TrainOptions::default()
            .with_batch_size(32)
            .with_learning_rate(1e-2)
            .with_scope(NegativeScope::Batch)
            .with_guide_margin(None);
        World { examples: (0..rows).map(example).collect(), guide, anchors, options }
    }

    fn fitting<'a>(&'a self, apart: &'a [bool]) -> Fitting<'a> {
        Fitting {
            examples: &self.examples,
            apart,
            options: &self.options,
            rank: 4,
            steps: 60,
            chunks: 100,
            guide: &self.guide,
            width: WIDTH,
            anchors: &self.anchors,
        }
    }

    fn apart(&self) -> Vec<bool> {
        (0..self.examples.len()).map(|row| row % 5 == 0).collect()
    }

    fn prepared(&self, fitting: Fitting<'_>) -> Vec<Prepared> {
        let answers = Answers::of(&self.examples);
        let known = Knowledge { answers: &answers, guide: Some(&self.guide) };
        Prepared::of(&self.examples, NegativeScope::Batch, fitting, known).unwrap().1
    }

    /// How many questions have their own answer nearest.
    fn answered(&self, vector: impl Fn(&[f32]) -> Vec<f32>) -> usize {
        let rows = self.examples.len();
        let right = |row: &usize| {
            let question = vector(self.anchors.stored(&format!("q{row}"), WIDTH).unwrap());
            let cosine = |answer: &usize| -> f32 {
                let answer = self.guide.stored(&format!("a{answer}"), WIDTH).unwrap();
                answer.iter().zip(&question).map(|(a, b)| a * b).sum()
            };
            (0..rows).max_by(|a, b| cosine(a).total_cmp(&cosine(b))) == Some(*row)
        };
        (0..rows).filter(right).count()
    }
}

fn swap(answer: &mut [f32]) {
    answer[..4].rotate_left(2);
}

fn fit(fitting: Fitting<'_>) -> Result<Option<(Adapter, TrainReport)>> {
    fit_adapter(fitting, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn what_questions_have_in_common_is_learnt_and_more_are_answered() {
    let world = World::turned(120, swap);
    let apart = world.apart();
    let (adapter, report) = fit(world.fitting(&apart)).unwrap().expect("an adapter");
    assert_eq!((adapter.width(), adapter.rank()), (WIDTH, 4));
    assert!(report.steps.last().unwrap().loss < report.steps[0].loss);
    assert!(report.steps.len() <= 60 && report.steps.len() % LOOK == 0, "{}", report.steps.len());
    let (before, after) = (world.answered(<[f32]>::to_vec), world.answered(|vector| adapter.apply(vector)));
    assert!(after > before + 10, "{before} → {after}");
    // A seed fixes it.
    assert_eq!(fit(world.fitting(&apart)).unwrap().unwrap().0, adapter);
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    let world = World::turned(12, swap);
    let apart = world.apart();
    let fitting = world.fitting(&apart);
    let batch = &world.prepared(fitting)[0];
    let mut fit = Fit::new(fitting);
    // At the identity V has no gradient.
    let mut random = ChaCha8Rng::seed_from_u64(9);
    fit.factors[0].iter_mut().for_each(|number| *number = random.random_range(-0.3..0.3));
    let (_, gradients) = fit.gradients(batch).unwrap();
    for factor in 0..2 {
        let length = global_norm(&gradients[factor..=factor]);
        assert!(length > 1e-4, "{length}");
        // Along the gradient the loss rises by its length.
        let mut slope = |by: f64| {
            let kept = fit.factors[factor].clone();
            let moves = fit.factors[factor].iter_mut().zip(&gradients[factor]);
            moves.for_each(|(number, g)| *number += (by / length) as f32 * g);
            let loss = f64::from(fit.gradients(batch).unwrap().0);
            fit.factors[factor] = kept;
            loss
        };
        let found = (slope(2e-2) - slope(-2e-2)) / 4e-2;
        assert!((found - length).abs() < 0.03 * length, "factor {factor}: {found}, {length}");
    }
}

#[test]
fn nothing_comes_of_too_little_and_of_what_has_nothing_to_teach() {
    let world = World::turned(20, swap);
    assert!(fit(world.fitting(&[false; 20])).unwrap().is_none());
    assert!(fit(world.fitting(&[true; 20])).unwrap().is_none());
    // What is answered by itself can't be answered better.
    let world = World::turned(20, |_| {});
    let apart = world.apart();
    assert!(fit(world.fitting(&apart)).unwrap().is_none());
}

#[test]
fn a_fit_can_be_stopped_and_asks_for_every_vector() {
    let mut world = World::turned(20, swap);
    let apart = world.apart();
    let mut told = 0;
    let stopped = fit_adapter(world.fitting(&apart), &mut |_| {
        told += 1;
        if told == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(Error::Cancelled { .. })), "{stopped:?}");
    world.anchors = Guide::default();
    assert!(matches!(fit(world.fitting(&apart)), Err(Error::Invalid { .. })));
}
