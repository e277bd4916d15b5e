//! What a trial by users proves: how often it publishes generations that are no better or worse, and how many needs it
//! takes to publish better ones. Makes the tables of docs/trial.md.
//!
//!     cargo bench --bench trial
//!     cargo bench --bench trial -- BEFORE.trec AFTER.trec QRELS.tsv
//!
//! Lists and users are drawn at random (`src/trial/model.rs`), or lists are those of two runs of `retune eval
//! --run-out`, before and after a round. Beside the trial's own votes it tries two plainer ones: for the side that
//! placed the picked hit, and for the list that ranks it higher.

use std::collections::HashMap;
use std::fs;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use retune::QueryId;
use retune::trial::{Outcome, Owner, Placed, Standing, Trial, TrialOptions, interleave};

#[path = "../src/trial/model.rs"]
mod model;

use model::{Lists, Need, Users, few_large_losses, mean_ndcg_10};

const SHOWN: usize = 10;
/// Needs that lists are drawn for. A trial draws from these.
const POOL: usize = 20_000;
const SEED: u64 = 27;
/// Needs after which another candidate takes the place of one that users don't prefer.
const EARLIER: u32 = 300;

/// How a picked hit votes.
#[derive(Clone, Copy)]
enum Vote {
    /// For the side that placed it.
    Team,
    /// For the list that ranks it higher.
    Rank,
    /// As [`Trial::record`] has it.
    Gain,
}

impl Vote {
    const ALL: [(&'static str, Vote); 3] = [("team", Vote::Team), ("rank", Vote::Rank), ("gain", Vote::Gain)];
}

/// A trial that counts any kind of vote.
enum Count {
    Signs { wins: u32, losses: u32 },
    Gains(Box<Trial>),
}

impl Count {
    fn new(vote: Vote, options: TrialOptions) -> Count {
        match vote {
            Vote::Gain => Count::Gains(Box::new(begun(options))),
            Vote::Team | Vote::Rank => Count::Signs { wins: 0, losses: 0 },
        }
    }

    fn record(&mut self, vote: Vote, need: u64, hit: &Placed<u8>, options: &TrialOptions) -> Option<Outcome> {
        let Standing { serving, candidate, .. } = hit.standing;
        let (won, lost) = match vote {
            Vote::Team => (hit.owner == Owner::Candidate, hit.owner == Owner::Serving),
            Vote::Rank | Vote::Gain => (candidate < serving, serving < candidate),
        };
        match self {
            Count::Gains(trial) => {
                trial.record(QueryId(need), hit.standing);
                trial.outcome()
            }
            Count::Signs { wins, losses } => {
                (*wins, *losses) = (*wins + u32::from(won), *losses + u32::from(lost));
                let better = || wealth(*wins, *losses) >= 1.0 / options.alpha;
                let worse = || wealth(*losses, *wins) >= 1.0 / options.beta;
                better().then_some(Outcome::Better).or_else(|| worse().then_some(Outcome::NotBetter))
            }
        }
    }
}

fn begun(options: TrialOptions) -> Trial {
    Trial::new(options).expect("the options are valid")
}

/// The e-value of wins and losses, with bets for fewer of them than graded votes have.
fn wealth(wins: u32, losses: u32) -> f64 {
    let product = |bet: f64| (f64::from(wins) * bet.ln_1p() + f64::from(losses) * (-bet).ln_1p()).exp();
    [0.1, 0.25].map(product).iter().sum::<f64>() / 2.0
}

/// A hundred or more trials of one kind.
struct Kind<'a> {
    needs: &'a [Need],
    users: Users,
    /// Which list is called the candidate's is drawn anew for each need, so that neither is better.
    null: bool,
    vote: Vote,
    trials: u64,
    /// Another candidate that was on trial before, undecided: it begins with what was said of that.
    instead_of: Option<&'a [Need]>,
}

#[derive(Default)]
struct Ends {
    published: Vec<u32>,
    rejected: Vec<u32>,
    undecided: u32,
}

impl Kind<'_> {
    fn run(&self) -> Ends {
        let mut ends = Ends::default();
        let all: Vec<(Outcome, u32)> =
            (0..self.trials).into_par_iter().map(|seed| self.trial(seed)).collect();
        for end in all {
            match end {
                (Outcome::Better, needs) => ends.published.push(needs),
                (Outcome::NotBetter, needs) => ends.rejected.push(needs),
                (Outcome::Undecided, _) => ends.undecided += 1,
            }
        }
        ends.published.sort_unstable();
        ends.rejected.sort_unstable();
        ends
    }

    /// How a trial ends, and after how many needs, those without a pick included.
    fn trial(&self, seed: u64) -> (Outcome, u32) {
        let options = TrialOptions::default();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut count = match self.instead_of {
            None => Count::new(self.vote, options),
            Some(needs) => Count::Gains(Box::new(Trial::in_place_of(&self.undecided(needs, &mut random)))),
        };
        let mut votes = 0;
        for number in 1.. {
            if let Some(hit) = self.pick(self.needs, &mut random) {
                votes += 1;
                let outcome = count.record(self.vote, u64::from(number), &hit, &options);
                if let Some(outcome) = outcome.or((votes >= options.most_votes).then_some(Outcome::Undecided))
                {
                    return (outcome, number);
                }
            }
        }
        unreachable!("a trial ends with its votes")
    }

    /// What a user picks who has one of these needs.
    fn pick(&self, needs: &[Need], random: &mut ChaCha8Rng) -> Option<Placed<u8>> {
        let need = needs.choose(random).expect("there are needs");
        let swapped = (self.null && random.random()).then(|| need.swapped());
        let need = swapped.as_ref().unwrap_or(need);
        let mut hits = interleave(&need.serving, &need.candidate, SHOWN, random.random());
        let answers: Vec<bool> = hits.iter().map(|hit| hit.document < need.answers).collect();
        Some(hits.swap_remove(self.users.pick(&answers, random)?))
    }

    /// A trial of another candidate that may give way.
    fn undecided(&self, needs: &[Need], random: &mut ChaCha8Rng) -> Trial {
        loop {
            let mut trial = begun(TrialOptions::default());
            for number in 0..EARLIER {
                if let Some(hit) = self.pick(needs, random) {
                    trial.record(QueryId(u64::from(number)), hit.standing);
                }
            }
            if trial.outcome().is_none() && trial.better() <= 1.0 {
                return trial;
            }
        }
    }

    fn row(&self, cells: &[&str]) {
        let ends = self.run();
        let trials = self.trials as usize;
        let (low, high) = clopper_pearson(ends.published.len(), trials);
        let percent = |share: f64| format!("{:.1}", 100.0 * share);
        let share = |count: usize| percent(count as f64 / trials as f64);
        let needs = |sorted: &[u32]| match sorted.len() {
            0 => "–".into(),
            length => format!("{}, {}", sorted[length / 2], sorted[length * 9 / 10]),
        };
        println!(
            "| {} | {} % ({} to {}) | {} % | {} % | {} | {} |",
            cells.join(" | "),
            share(ends.published.len()),
            percent(low),
            percent(high),
            share(ends.rejected.len()),
            share(ends.undecided as usize),
            needs(&ends.published),
            needs(&ends.rejected),
        );
    }
}

/// The exact 95 % interval of a share (Clopper and Pearson, 1934), by bisection.
fn clopper_pearson(hits: usize, of: usize) -> (f64, f64) {
    let log_choose = |k: usize| (1..=k).map(|i| ((of - k + i) as f64 / i as f64).ln()).sum::<f64>();
    // The probability of at most `k` hits.
    let at_most = |k: usize, share: f64| -> f64 {
        let term = |k: usize| log_choose(k) + k as f64 * share.ln() + (of - k) as f64 * (-share).ln_1p();
        (0..=k).map(|k| term(k).exp()).sum()
    };
    let root = |above: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..30 {
            let middle = (low + high) / 2.0;
            *(if above(middle) { &mut low } else { &mut high }) = middle;
        }
        low
    };
    let low = if hits == 0 { 0.0 } else { root(&|share| 1.0 - at_most(hits - 1, share) < 0.025) };
    let high = if hits == of { 1.0 } else { root(&|share| at_most(hits, share) > 0.025) };
    (low, high)
}

fn head(columns: &[&str]) {
    let all = [columns, &["published", "rejected", "undecided", "needs until published", "until rejected"]]
        .concat();
    println!("\n| {} |\n|{}", all.join(" | "), "---|".repeat(all.len()));
}

/// The lists of two runs of a collection, for its test queries.
fn read(before: &str, after: &str, qrels: &str) -> Vec<Need> {
    let lines = |path: &str| -> Vec<Vec<String>> {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("could not read {path}: {error}"));
        text.lines().map(|line| line.split_whitespace().map(String::from).collect()).collect()
    };
    let run = |path: &str| {
        let mut ranked: HashMap<String, Vec<(f64, String)>> = HashMap::new();
        for words in lines(path) {
            let score = words[4].parse().expect("a run has scores in its fifth column");
            ranked.entry(words[0].clone()).or_default().push((score, words[2].clone()));
        }
        ranked.values_mut().for_each(|hits| {
            hits.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
            hits.truncate(SHOWN);
        });
        ranked
    };
    let mut judged: HashMap<String, Vec<String>> = HashMap::new();
    for words in lines(qrels).into_iter().skip(1) {
        if words[words.len() - 1] != "0" {
            judged.entry(words[0].clone()).or_default().push(words[words.len() - 2].clone());
        }
    }
    let (before, after) = (run(before), run(after));
    let mut queries: Vec<&String> = judged.keys().filter(|&query| before.contains_key(query)).collect();
    queries.sort_unstable();
    queries
        .iter()
        .filter_map(|&query| Some(numbered(&judged[query], &before[query], after.get(query)?)))
        .collect()
}

/// Documents as numbers, answers first.
fn numbered(answers: &[String], serving: &[(f64, String)], candidate: &[(f64, String)]) -> Need {
    let mut documents: Vec<&String> = answers.iter().collect();
    for (_, document) in serving.iter().chain(candidate) {
        if !documents.contains(&document) {
            documents.push(document);
        }
    }
    let of = |document: &String| documents.iter().position(|known| *known == document).unwrap_or_default();
    let list = |hits: &[(f64, String)]| {
        hits.iter().map(|(_, document)| u8::try_from(of(document)).unwrap_or(u8::MAX)).collect()
    };
    Need {
        serving: list(serving),
        candidate: list(candidate),
        answers: u8::try_from(answers.len()).unwrap_or(u8::MAX),
    }
}

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [before, after, qrels] = &files[..] {
        return of_runs(&read(before, after, qrels));
    }
    let little = Lists { changed: 1.0, noise: 0.3, gain: 0.0 };
    let shapes = [
        ("all change a little", little),
        ("all change much", Lists { noise: 0.6, ..little }),
        ("three in ten change", Lists { changed: 0.3, noise: 0.6, ..little }),
    ];
    equal(&shapes);
    unlike();
    gaining(&shapes, &[-0.01, -0.03], 400, &[("gain", Vote::Gain)]);
    gaining(&shapes, &[0.01], 400, &[("gain", Vote::Gain)]);
    gaining(&shapes, &[0.03], 400, &Vote::ALL);
    in_place_of(&little);
}

const USERS: [(&str, Users); 2] =
    [("cascade", Users::CASCADE), ("a quarter careless", Users::QUARTER_CARELESS)];

/// Both are equally good, and alike: which list is called the candidate's is drawn anew for each need.
fn equal(shapes: &[(&str, Lists)]) {
    head(&["lists", "users"]);
    for (shape, lists) in shapes {
        let needs = lists.draw(POOL, SEED);
        for (name, users) in USERS {
            Kind { needs: &needs, users, null: true, vote: Vote::Gain, trials: 2000, instead_of: None }
                .row(&[shape, name]);
        }
    }
}

/// Both have the same nDCG@10, but the candidate loses much for few needs and gains little for many, or the reverse.
fn unlike() {
    head(&["lists", "looks at the next hit", "votes"]);
    let losses = few_large_losses(POOL);
    let gains: Vec<Need> = losses.iter().map(Need::swapped).collect();
    for continues in [0.75, 0.85, 0.95] {
        let users = Users { continues, ..Users::CASCADE };
        for (shape, needs) in [("few large losses", &losses), ("few large gains", &gains)] {
            for (name, vote) in Vote::ALL {
                if continues == 0.85 || matches!(vote, Vote::Gain) {
                    let kind = Kind { needs, users, null: false, vote, trials: 400, instead_of: None };
                    kind.row(&[shape, &continues.to_string(), name]);
                }
            }
        }
    }
}

fn gaining(shapes: &[(&str, Lists)], gains: &[f64], trials: u64, votes: &[(&str, Vote)]) {
    head(&["lists", "nDCG@10", "users", "votes"]);
    for &wanted in gains {
        for (shape, lists) in shapes {
            let needs = with_gain(lists, wanted).draw(POOL, SEED);
            let (before, after) = mean_ndcg_10(&needs);
            let gain = format!("{before:.3} {:+.3}", after - before);
            for (name, users) in USERS {
                for &(vote_name, vote) in votes {
                    Kind { needs: &needs, users, null: false, vote, trials, instead_of: None }
                        .row(&[shape, &gain, name, vote_name]);
                }
            }
        }
    }
}

/// Candidates that take the place of others.
fn in_place_of(lists: &Lists) {
    head(&["the one before", "the candidate", "users"]);
    let drawn = |gain: f64| with_gain(lists, gain).draw(POOL, SEED);
    let rows = [(0.0, 0.0), (0.03, 0.03), (0.01, 0.03), (0.03, 0.0), (0.03, -0.01)];
    for (before, gain) in rows {
        let (earlier, needs) = (drawn(before), drawn(gain));
        let cells = [before, gain].map(|gain| format!("{gain:+.2}"));
        for (name, users) in USERS {
            // Alike, not only as good on average.
            let null = (before, gain) == (0.0, 0.0);
            let trials = if null { 2000 } else { 400 };
            Kind { needs: &needs, users, null, vote: Vote::Gain, trials, instead_of: Some(&earlier) }
                .row(&[&cells[0], &cells[1], name]);
        }
    }
}

/// The lists whose candidate gains so much nDCG@10, by bisection.
fn with_gain(lists: &Lists, ndcg_10: f64) -> Lists {
    let (mut low, mut high) = (-3.0, 3.0);
    for _ in 0..12 {
        let gain = (low + high) / 2.0;
        let (before, after) = mean_ndcg_10(&Lists { gain, ..*lists }.draw(POOL, SEED));
        *(if after - before < ndcg_10 { &mut low } else { &mut high }) = gain;
    }
    Lists { gain: (low + high) / 2.0, ..*lists }
}

fn of_runs(needs: &[Need]) {
    let (before, after) = mean_ndcg_10(needs);
    println!("{} queries, nDCG@10 {before:.4} → {after:.4}", needs.len());
    let swapped: Vec<Need> = needs.iter().map(Need::swapped).collect();
    head(&["candidate", "users", "votes"]);
    let candidates = [
        ("after", needs, false, 400),
        ("before", &swapped[..], false, 400),
        ("either, drawn anew", needs, true, 2000),
    ];
    for (what, needs, null, trials) in candidates {
        for (name, users) in USERS {
            for (vote_name, vote) in Vote::ALL {
                Kind { needs, users, null, vote, trials, instead_of: None }.row(&[what, name, vote_name]);
            }
        }
    }
}
