//! Trials by drawn users. `benches/trial.rs` has more of them, and docs/trial.md the figures.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::model::{Lists, Need, Users, few_large_losses, mean_ndcg_10};
use super::{Outcome, Recorded, Standing, Trial, TrialOptions, interleave};
use crate::ids::QueryId;

/// Both equally good.
const EQUAL: Lists = Lists { changed: 1.0, noise: 0.3, gain: 0.0 };
/// The candidate gains 0.05 of nDCG@10.
const BETTER: Lists = Lists { gain: 0.18, ..EQUAL };

/// The votes of drawn needs. With `anew` a coin says for each which list is the candidate's.
fn votes(needs: &[Need], users: Users, anew: bool, seed: u64) -> impl Iterator<Item = (QueryId, Standing)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..).filter_map(move |number| {
        let drawn = needs.choose(&mut random).unwrap();
        let swapped = (anew && random.random()).then(|| drawn.swapped());
        let need = swapped.as_ref().unwrap_or(drawn);
        let hits = interleave(&need.serving, &need.candidate, 10, random.random());
        let answers: Vec<bool> = hits.iter().map(|hit| hit.document < need.answers).collect();
        Some((QueryId(number), hits[users.pick(&answers, &mut random)?].standing))
    })
}

fn trial(options: TrialOptions) -> Trial {
    Trial::new(options).unwrap()
}

/// How many of `count` trials end so.
fn ends(outcome: Outcome, count: u64, run: impl Fn(u64) -> Trial) -> usize {
    (0..count).filter(|&seed| run(seed).outcome() == Some(outcome)).count()
}

fn within(most_votes: u32) -> Trial {
    trial(TrialOptions::default().with_most_votes(most_votes))
}

/// Does not end before its last vote.
fn patient(most_votes: u32) -> Trial {
    trial(TrialOptions::default().with_alpha(1e-12).with_beta(1e-12).with_most_votes(most_votes))
}

fn run(needs: &[Need], users: Users, anew: bool, most_votes: u32, seed: u64) -> Trial {
    within(most_votes).replay(votes(needs, users, anew, seed).take(most_votes as usize))
}

#[test]
fn of_equally_good_candidates_few_are_published() {
    let needs = EQUAL.draw(2000, 1);
    for users in [Users::CASCADE, Users::QUARTER_CARELESS] {
        let published = ends(Outcome::Better, 200, |seed| run(&needs, users, true, 500, seed));
        assert!((1..=10).contains(&published), "{published}");
    }
}

#[test]
fn better_candidates_are_published_and_worse_ones_are_not() {
    let needs = BETTER.draw(4000, 2);
    let (before, after) = mean_ndcg_10(&needs);
    assert!((0.04..0.06).contains(&(after - before)), "{before} {after}");
    let worse: Vec<Need> = needs.iter().map(Need::swapped).collect();
    for users in [Users::CASCADE, Users::QUARTER_CARELESS] {
        let better = ends(Outcome::Better, 50, |seed| run(&needs, users, false, 3000, seed));
        assert!(better >= 48, "{better}");
        let rejected = ends(Outcome::NotBetter, 50, |seed| run(&worse, users, false, 3000, seed));
        assert_eq!(rejected, 50);
        // A vote is a difference in discounted gain, as far as users look and pick.
        let mean = run(&needs, users, false, 3000, 1).mean().unwrap();
        assert!((0.02..0.08).contains(&mean), "{mean}");
    }
}

/// Nine in ten wins prove nothing, if the losses are as large together.
#[test]
fn many_small_gains_do_not_outvote_few_large_losses() {
    const VOTES: u32 = 20_000;
    let needs = few_large_losses(5000);
    let (before, after) = mean_ndcg_10(&needs);
    assert!((before - after).abs() < 1e-4, "{before} {after}");
    let with = |continues| {
        let options = patient(VOTES).options().with_continuing(continues..=continues);
        trial(options).replay(votes(&needs, Users::CASCADE, false, 1).take(VOTES as usize))
    };
    let ended = with(0.85);
    let mean = ended.mean().unwrap();
    assert!(ended.wins() > 4 * ended.losses(), "{} {}", ended.wins(), ended.losses());
    assert!(mean.abs() < 0.005, "{mean}");
    // Where users look less far down than is assumed, the losses at the top weigh more.
    let mean = with(1.0).mean().unwrap();
    assert!((-0.02..-0.01).contains(&mean), "{mean}");
}

#[test]
fn a_stored_trial_and_one_made_anew_from_the_log_go_on_alike() {
    let needs = BETTER.draw(500, 3);
    let log: Vec<_> = votes(&needs, Users::CASCADE, false, 4).take(200).collect();
    let whole = patient(3000).replay(log.iter().copied());
    let stored = serde_json::to_string(&patient(3000).replay(log[..77].iter().copied())).unwrap();
    let restored: Trial = serde_json::from_str(&stored).unwrap();
    // What the log says twice counts once.
    assert_eq!(restored.replay(log.iter().copied()), whole);
    assert_eq!(whole.votes(), 200);
}

#[test]
fn a_need_votes_once_and_not_after_the_end() {
    let (for_it, against) =
        (Standing { place: 1, serving: 2, candidate: 1 }, Standing { place: 1, serving: 1, candidate: 2 });
    let mut trial = within(2);
    assert_eq!(trial.record(QueryId(1), for_it), Recorded::Counted);
    let before = trial.clone();
    assert_eq!(trial.record(QueryId(1), against), Recorded::Repeated);
    assert_eq!(trial, before);
    assert_eq!((trial.votes(), trial.wins(), trial.losses(), trial.outcome()), (1, 1, 0, None));
    assert_eq!(trial.record(QueryId(2), against), Recorded::Counted);
    assert_eq!((trial.outcome(), trial.mean()), (Some(Outcome::Undecided), Some(0.0)));
    assert_eq!(trial.record(QueryId(3), for_it), Recorded::Late);
    assert_eq!(trial.votes(), 2);
}

/// Each candidate takes the place of the one before after 100 votes. The alpha is 0.2.
fn in_a_row(rows: &[Vec<Need>], seed: u64) -> Trial {
    let mut last = trial(TrialOptions::default().with_alpha(0.2));
    for (needs, seed) in rows.iter().zip(3 * seed..) {
        last = Trial::in_place_of(&last).replay(votes(needs, Users::CASCADE, true, seed).take(100));
        if last.outcome().is_some() {
            break;
        }
    }
    last
}

#[test]
fn of_candidates_that_follow_one_another_few_are_published_if_none_is_better() {
    let rows = [1, 2, 3].map(|seed| EQUAL.draw(2000, seed));
    let published = ends(Outcome::Better, 400, |seed| in_a_row(&rows, seed));
    assert!((4..=80).contains(&published), "{published} of 400");
}

#[test]
fn no_candidate_gains_by_what_was_said_of_another() {
    let said = |serving, candidate| Standing { place: 1, serving, candidate };
    let liked = patient(3000).replay((0..8).map(|need| (QueryId(need), said(3, 1))));
    assert!(liked.better() > 3.0);
    let next = Trial::in_place_of(&liked);
    assert_eq!(next, Trial::new(liked.options()).unwrap());
    let disliked = patient(3000).replay([(QueryId(1), said(1, 3))]);
    let next = Trial::in_place_of(&disliked);
    assert!(next.better() == disliked.better() && next.better() < 1.0, "{}", next.better());
    assert_eq!((next.not_better(), next.votes(), next.mean()), (1.0, 0, None));
    let after = next.clone().replay([(QueryId(1), said(3, 1))]);
    assert!(after.votes() == 1 && after.better() > next.better());
}

#[test]
fn evidence_adds_up() {
    let needs = BETTER.draw(500, 5);
    let log: Vec<_> = votes(&needs, Users::CASCADE, false, 6).take(100).collect();
    let first = patient(50).replay(log[..50].iter().copied());
    assert_eq!(first.outcome(), Some(Outcome::Undecided));
    let second = Trial::after(&first, first.options()).unwrap().replay(log[50..].iter().copied());
    let whole = patient(100).replay(log.iter().copied());
    assert_eq!((second.better(), second.not_better()), (whole.better(), whole.not_better()));
    assert_eq!(second.votes(), 50);
    let known = patient(100).with_prior(2.5).unwrap().replay(log.iter().copied());
    assert_eq!(known.better(), 2.5 * whole.better());
    assert_eq!(Trial::after(&known, known.options()).unwrap().better(), known.better());
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let default = TrialOptions::default();
    for options in [
        default.with_alpha(0.0),
        default.with_alpha(f64::NAN),
        default.with_beta(1.5),
        default.with_continuing(0.0..=0.9),
        default.with_continuing(0.8..=1.1),
        default.with_least_gain(-0.1),
        default.with_least_gain(f64::INFINITY),
    ] {
        assert!(Trial::new(options).is_err(), "{options:?}");
        assert!(Trial::after(&trial(default), options).is_err(), "{options:?}");
    }
    for e_value in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(trial(default).with_prior(e_value).is_err(), "{e_value}");
    }
}
