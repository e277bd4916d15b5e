//! Counts of what was found and dropped while collecting confusables.

/// Numbers of items, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CollectReport {
    /// Candidates that another judgement calls an answer to the same query text.
    pub(crate) dropped_relevant_elsewhere: u64,
    /// Candidates with the same content as an answer.
    pub(crate) dropped_duplicate_of_positive: u64,
    /// Query texts without a known answer.
    pub(crate) dropped_no_positive: u64,
    /// Judgements of queries that are not in the log: forgotten, or lost.
    pub(crate) dropped_judgement_without_query: u64,
    /// Judgements that a later one of the same answer and document replaced.
    pub(crate) dropped_superseded_judgement: u64,
    /// Judgements that were withdrawn.
    pub(crate) dropped_withdrawn_judgement: u64,
    /// Documents that were opened in an answer and are not taken for what was looked for: another one was opened later,
    /// or was chosen or judged relevant, or they were judged not relevant.
    pub(crate) dropped_overruled_opening: u64,
    /// Documents that were opened last for a query, or for the same needs in other words, by too few to be an answer.
    pub(crate) dropped_too_few_agree: u64,
    /// Query texts whose answers are known from other words only.
    pub(crate) answered_in_other_words: u64,
}

impl CollectReport {
    /// Calls `count` with each name and number.
    pub(crate) fn each(&self, mut count: impl FnMut(&str, u64)) {
        count("dropped_relevant_elsewhere", self.dropped_relevant_elsewhere);
        count("dropped_duplicate_of_positive", self.dropped_duplicate_of_positive);
        count("dropped_no_positive", self.dropped_no_positive);
        count("dropped_judgement_without_query", self.dropped_judgement_without_query);
        count("dropped_superseded_judgement", self.dropped_superseded_judgement);
        count("dropped_withdrawn_judgement", self.dropped_withdrawn_judgement);
        count("dropped_overruled_opening", self.dropped_overruled_opening);
        count("dropped_too_few_agree", self.dropped_too_few_agree);
        count("answered_in_other_words", self.answered_in_other_words);
    }
}
