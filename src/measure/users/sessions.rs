//! Users who look for a document, open what attracts them, and ask again in other words.
//!
//! Position bias and attraction are those of a cascade (Craswell et al., WSDM 2008), several openings those of the
//! dependent click model (Guo, Liu and Wang, WSDM 2009). Asking again makes query chains (Radlinski and Joachims, KDD
//! 2005).

use std::collections::HashMap;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::Result;
use crate::eval::{Query as Topic, Split};
use crate::{Query, Reader, Verdict};

/// The probability of opening a right document that is looked at.
const OPENS_RIGHT: f64 = 0.9;
/// The probability of having found it then.
const SATISFIED: f64 = 0.9;
/// The probability of looking at the next document.
const CONTINUES: f64 = 0.85;
/// How often one need is asked again in other words at most.
const MOST_AGAIN: usize = 3;
/// The probability of asking again after an answer that did not help, instead of giving up.
const ASKS_AGAIN: f64 = 0.8;
/// The probability that a session goes on with another need.
const STAYS: f64 = 0.5;

/// How careful users are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// The probability of opening a wrong document that is looked at.
    opens_wrong: f64,
    /// The probability of coming back from it at once, which front ends notice.
    bounces: f64,
}

impl Manner {
    pub(super) const CAREFUL: Manner = Manner { opens_wrong: 0.08, bounces: 0.5 };
    pub(super) const CARELESS: Manner = Manner { opens_wrong: 0.25, bounces: 0.0 };
}

/// What somebody does with one answer.
#[derive(Debug, PartialEq)]
struct Visit {
    openings: Vec<Opening>,
    found: bool,
}

#[derive(Debug, PartialEq)]
struct Opening {
    place: usize,
    bounced: bool,
}

/// All sessions, one after another.
pub(super) struct Sessions<'a> {
    split: &'a Split,
    /// The queries that a document answers.
    wordings: HashMap<&'a str, Vec<&'a Topic>>,
    random: ChaCha8Rng,
    session: u64,
}

impl<'a> Sessions<'a> {
    pub(super) fn new(split: &'a Split, seed: u64) -> Sessions<'a> {
        let mut wordings: HashMap<&str, Vec<&Topic>> = HashMap::new();
        for topic in &split.queries {
            for (document, &relevance) in split.qrels.judgements(&topic.id).into_iter().flatten() {
                if relevance > 0 {
                    wordings.entry(document).or_default().push(topic);
                }
            }
        }
        Sessions { split, wordings, random: ChaCha8Rng::seed_from_u64(seed), session: 0 }
    }

    /// Somebody looks for the first document that answers `topic`, and asks that first.
    pub(super) fn ask(&mut self, engine: &Reader, topic: &'a Topic, manner: Manner) -> Result<()> {
        if !self.random.random_bool(STAYS) {
            self.session += 1;
        }
        let session = self.session.to_string();
        for wording in self.wordings(topic) {
            let answer = engine
                .search(&Query::new(wording.text.as_str()).with_copies().with_session(session.as_str()))?;
            let relevant: Vec<bool> =
                answer.hits.iter().map(|hit| self.split.is_relevant(wording, &hit.document)).collect();
            let visit = visit(&relevant, manner, &mut self.random);
            for Opening { place, bounced } in visit.openings {
                let document = &answer.hits[place].document;
                engine.judge(answer.query_id, document, Verdict::Opened)?;
                if bounced {
                    engine.judge(answer.query_id, document, Verdict::Withdrawn)?;
                }
            }
            if visit.found || !self.random.random_bool(ASKS_AGAIN) {
                break;
            }
        }
        Ok(())
    }

    /// The first query, and others of the same document in a random order.
    fn wordings(&mut self, topic: &'a Topic) -> Vec<&'a Topic> {
        let document = self.split.first_relevant(topic).unwrap_or_default();
        let mut others = self.wordings.get(document).cloned().unwrap_or_default();
        others.retain(|other| other.id != topic.id);
        others.shuffle(&mut self.random);
        others.truncate(MOST_AGAIN);
        [&[topic], &others[..]].concat()
    }
}

/// Looks at an answer from the top.
fn visit(relevant: &[bool], manner: Manner, random: &mut ChaCha8Rng) -> Visit {
    let mut visit = Visit { openings: Vec::new(), found: false };
    for (place, &is_right) in relevant.iter().enumerate() {
        if random.random_bool(if is_right { OPENS_RIGHT } else { manner.opens_wrong }) {
            let bounced = !is_right && random.random_bool(manner.bounces);
            visit.openings.push(Opening { place, bounced });
            visit.found = is_right && random.random_bool(SATISFIED);
        }
        if visit.found || !random.random_bool(CONTINUES) {
            break;
        }
    }
    visit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visits(relevant: &[bool], manner: Manner) -> Vec<Visit> {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        (0..2000).map(|_| visit(relevant, manner, &mut random)).collect()
    }

    #[test]
    fn a_right_document_on_top_is_found_and_a_wrong_one_is_left() {
        let found = visits(&[true, false, false], Manner::CAREFUL).iter().filter(|one| one.found).count();
        assert!((1_560..1_680).contains(&found), "0.9 · 0.9 of 2000: {found}");
        let wrong = visits(&[false; 10], Manner::CAREFUL);
        assert!(wrong.iter().all(|one| !one.found));
        let openings: Vec<&Opening> = wrong.iter().flat_map(|one| &one.openings).collect();
        let bounced = openings.iter().filter(|one| one.bounced).count();
        assert!(bounced * 10 > openings.len() * 4 && bounced * 10 < openings.len() * 6, "half of them");
        let first = openings.iter().filter(|one| one.place == 0).count();
        let last = openings.iter().filter(|one| one.place == 9).count();
        assert!(first > 2 * last, "from the top: {first}, {last}");
    }

    #[test]
    fn the_careless_open_more_that_is_wrong_and_never_say_so() {
        let openings = |manner| -> Vec<Opening> {
            visits(&[false; 10], manner).into_iter().flat_map(|one| one.openings).collect()
        };
        let (careful, careless) = (openings(Manner::CAREFUL), openings(Manner::CARELESS));
        assert!(careless.len() > 2 * careful.len() && careless.iter().all(|one| !one.bounced));
    }
}
