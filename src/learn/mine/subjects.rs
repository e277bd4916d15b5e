//! Answers of one subject, over all rows of a round.

use std::collections::{BTreeSet, HashMap};

use crate::lexical::ChunkRecord;
use crate::train::TrainingRow;

/// The texts that answer something, by their subject: the title of a thread, or of a question with several answers.
///
/// Where people pick one of them, the others may answer as well: in a batch none of them may be the negative of another
/// one's query.
#[derive(Default)]
pub(super) struct Subjects {
    texts: HashMap<String, BTreeSet<String>>,
    titles: HashMap<String, String>,
}

impl Subjects {
    /// Whether an answer's title is this subject.
    pub(super) fn has(&self, title: &str) -> bool {
        self.texts.contains_key(title)
    }

    /// Adds an answer whose title is a subject.
    pub(super) fn add(&mut self, answer: &ChunkRecord) {
        let text = answer.encoder_text();
        self.titles.insert(text.clone(), answer.title.clone());
        self.texts.entry(answer.title.clone()).or_default().insert(text);
    }

    /// Lets each row know the answers on the subject of its positive, except those that are its negatives: somebody has
    /// said that they don't answer.
    pub(super) fn tell(&self, rows: &mut [TrainingRow]) {
        for row in rows {
            let alike = self.titles.get(&row.positive).and_then(|title| self.texts.get(title));
            for text in alike.into_iter().flatten() {
                let is_known = [&row.positive]
                    .into_iter()
                    .chain(&row.other_answers)
                    .chain(&row.negatives)
                    .any(|one| one == text);
                if !is_known {
                    row.other_answers.push(text.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(positive: &ChunkRecord, negatives: &[&ChunkRecord]) -> TrainingRow {
        TrainingRow {
            anchor: format!("about {}", positive.body),
            positive: positive.encoder_text(),
            other_answers: Vec::new(),
            negatives: negatives.iter().map(|one| one.encoder_text()).collect(),
            kinds: Vec::new(),
            weight: 1.0,
        }
    }

    #[test]
    fn rows_know_the_answers_on_the_subject_of_theirs() {
        let [first, second, third] =
            ["one", "two", "three"].map(|body| ChunkRecord::sample(1, "Boiler noise", body));
        let other = ChunkRecord::sample(2, "Another subject", "four");
        let mut subjects = Subjects::default();
        [&first, &second, &third].into_iter().for_each(|one| subjects.add(one));
        assert!(subjects.has("Boiler noise") && !subjects.has("Another subject"));
        let mut rows = [row(&first, &[]), row(&second, &[&third]), row(&other, &[])];
        subjects.tell(&mut rows);
        let known = rows.map(|row| row.other_answers);
        assert_eq!(known[0], ["Boiler noise three", "Boiler noise two"]);
        assert_eq!(known[1], ["Boiler noise one"], "the third was judged not relevant");
        assert!(known[2].is_empty());
    }
}
