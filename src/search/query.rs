//! Queries.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::mode::Mode;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::ids::QueryId;
use crate::lexical::Filter;
use crate::store::is_pattern;

/// How the sessions of agents begin.
pub(crate) const AGENT: &str = "agent:";

/// A query and its options.
///
/// ```
/// use retune::{Mode, Query};
/// let query = Query::new("how do I reset my password").with_limit(5).with_mode(Mode::Dense);
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Query {
    /// The user's words. Every character is text, unless the query has [`operators`](Query::operators). A text without
    /// a word (letters or digits) finds nothing.
    pub text: String,
    /// Whether `text` may have operators, as people type them: see [`Query::parse`]. Default false.
    pub operators: bool,
    /// Maximum number of documents to return. Default 10.
    pub limit: usize,
    /// Number of documents to leave out before the first one that is returned: those of earlier pages. Only the answer
    /// with offset 0 is logged. See [`next_page`](Query::next_page). Default 0.
    pub offset: usize,
    /// The answer that this is a further page of: its id is the new answer's too, and nothing is logged. Default none.
    pub page_of: Option<QueryId>,
    /// What one person does in one sitting, such as a visit of a page or a run of a program: an id that the application
    /// makes up, of 1 to 64 characters, logged as it is. With it, what was [opened](crate::Verdict::Opened) counts over
    /// all answers to the same query. Default none: each answer stands alone.
    pub session: Option<String>,
    /// Which indexes answer. Default both.
    pub mode: Mode,
    /// How the two scores are fused. Default: the generation's own fusion, which learning may have set.
    pub fusion: Option<Fusion>,
    /// Return only documents whose fields match. Default all.
    pub filter: Option<Filter>,
    /// Return only documents whose id fits this pattern, as with the operator `path:` of [`Query::parse`]. It is no
    /// part of what is logged. Default all.
    pub path: Option<String>,
    /// Return only documents with at least this [score](crate::Hit::score). What a score means depends on mode and
    /// fusion: look at some before you choose. Default any.
    pub min_score: Option<f32>,
    /// Whether a generation that is on trial may answer too. Default true. Measurements leave it out.
    pub trial: bool,
    /// Minimum number of chunks that each index proposes. A query finds the documents that contain a word of it and
    /// those that have one of so many (or of `limit`, if that is more) nearest chunks: however far it is paged, it
    /// ends there. Default 100.
    pub candidates: usize,
    /// The fields that each hit brings along. Default all that the document has.
    pub fields: Option<Vec<String>>,
    /// Whether to count all documents that the query finds: [`Answer::total`]. Takes time in a large index, most of
    /// all together with `min_score`. Default false.
    pub total: bool,
    /// The fields whose values are counted over all documents that the query finds: [`Answer::facets`]. Takes as long
    /// as `total`. Default none.
    pub facets: Vec<String>,
    /// Whether documents with the same passage each take a place. Default false: the best takes one, and names the
    /// others in [`Hit::also_in`](crate::Hit::also_in).
    pub copies: bool,
    /// Maximum number of documents of one folder, for a folder that crowds out the others. What lies in an archive or a
    /// mailbox is of that. Default any.
    pub per_folder: Option<usize>,
    /// Whether to log the answer as an impression, so that users can judge it. Default true.
    pub log: bool,
    /// Whether to find the words in each passage that match the query. Takes a fraction of a millisecond per document.
    /// Default true.
    pub highlight: bool,
}

impl Query {
    /// A query with the defaults.
    pub fn new(text: impl Into<String>) -> Query {
        Query {
            text: text.into(),
            operators: false,
            limit: 10,
            offset: 0,
            page_of: None,
            trial: true,
            session: None,
            mode: Mode::default(),
            fusion: None,
            filter: None,
            path: None,
            min_score: None,
            candidates: 100,
            fields: None,
            total: false,
            facets: Vec::new(),
            copies: false,
            per_folder: None,
            log: true,
            highlight: true,
        }
    }

    /// A query as a person types it, with the defaults.
    ///
    /// | typed | finds passages |
    /// |---|---|
    /// | `"exact phrase"` | with these words as they stand (but for case and accents), in this order |
    /// | `-word`, `-"exact phrase"` | without the word in any form, or without the phrase |
    /// | `word*` | with a word that begins so |
    /// | `title:word`, `title:"two words"` | with these in the title or its headings, in any form |
    /// | `path:docs`, `path:*.md`, `path:/src/**/x` | of documents whose id fits, as in a `.gitignore` |
    /// | `ext:pdf`, `ext:md,rst` | of documents whose field `extension` is one of these |
    /// | `after:2024-03`, `before:2025` | of documents whose field `date`, else `modified`, is from then on or before |
    ///
    /// A path fits from any folder on, unless the pattern begins with `/`, and in any case. All of them have to hold.
    /// They restrict what words and vectors find; words and phrases that are not left out are searched for, without the
    /// signs. A `-` before a field or a prefix leaves out what it finds.
    ///
    /// Nothing is refused: what is no operator is text, such as `C++`, `-5`, `http://x`, `title:` or a lone quotation
    /// mark, and so is all of a text that has no word to search for, such as `-word` or `ext:pdf` alone, or that is
    /// longer than 4,096 bytes. A text without operators is the same query as with [`Query::new`].
    ///
    /// ```
    /// use retune::Query;
    /// let query = Query::parse(r#"reset "login password" -windows ext:md"#);
    /// assert_eq!(query.words(), "reset login password");
    /// ```
    pub fn parse(text: impl Into<String>) -> Query {
        Query { operators: true, ..Query::new(text) }
    }

    /// What is searched for: the text without its operators, if the query may have any.
    pub fn words(&self) -> Cow<'_, str> {
        self.typed().words
    }

    pub(super) fn typed(&self) -> Typed<'_> {
        match self.operators {
            true => Typed::of(&self.text),
            false => Typed::plain(&self.text),
        }
    }

    /// Sets [`limit`](Query::limit).
    pub fn with_limit(mut self, limit: usize) -> Query {
        self.limit = limit;
        self
    }

    /// Sets [`offset`](Query::offset).
    pub fn with_offset(mut self, offset: usize) -> Query {
        self.offset = offset;
        self
    }

    /// Sets [`page_of`](Query::page_of).
    pub fn with_page_of(mut self, answer: QueryId) -> Query {
        self.page_of = Some(answer);
        self
    }

    /// The same query for the page behind `answer`, which is one of its pages. Users can judge what any page shows them
    /// under the one id that all pages have.
    ///
    /// A program that keeps no query between two pages makes the next one with [`with_offset`](Query::with_offset) and
    /// [`with_page_of`](Query::with_page_of).
    pub fn next_page(&self, answer: &Answer) -> Query {
        let offset = self.offset + self.limit;
        Query { offset, page_of: Some(answer.query_id), ..self.clone() }
    }

    /// Sets [`session`](Query::session).
    pub fn with_session(mut self, session: impl Into<String>) -> Query {
        self.session = Some(session.into());
        self
    }

    /// Sets [`mode`](Query::mode).
    pub fn with_mode(mut self, mode: Mode) -> Query {
        self.mode = mode;
        self
    }

    /// Sets [`fusion`](Query::fusion).
    pub fn with_fusion(mut self, fusion: Fusion) -> Query {
        self.fusion = Some(fusion);
        self
    }

    /// Sets [`filter`](Query::filter).
    pub fn with_filter(mut self, filter: Filter) -> Query {
        self.filter = Some(filter);
        self
    }

    /// Sets [`path`](Query::path).
    pub fn with_path(mut self, pattern: impl Into<String>) -> Query {
        self.path = Some(pattern.into());
        self
    }

    /// Sets [`min_score`](Query::min_score).
    pub fn with_min_score(mut self, score: f32) -> Query {
        self.min_score = Some(score);
        self
    }

    /// Sets [`fields`](Query::fields). An empty list brings none.
    pub fn with_fields<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Query {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Turns on [`total`](Query::total).
    pub fn with_total(mut self) -> Query {
        self.total = true;
        self
    }

    /// Sets [`facets`](Query::facets).
    pub fn with_facets<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Query {
        self.facets = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Whether it asks for counts.
    pub(super) fn counts(&self) -> bool {
        self.total || !self.facets.is_empty()
    }

    /// Whether an agent asks, by what `retune mcp` gives as its [session](Query::session).
    pub(crate) fn is_agents(&self) -> bool {
        self.session.as_deref().is_some_and(|session| session.starts_with(AGENT))
    }

    /// Has the serving generation answer alone.
    pub fn without_trial(mut self) -> Query {
        self.trial = false;
        self
    }

    /// Sets [`candidates`](Query::candidates).
    pub fn with_candidates(mut self, candidates: usize) -> Query {
        self.candidates = candidates;
        self
    }

    /// Turns on [`copies`](Query::copies).
    pub fn with_copies(mut self) -> Query {
        self.copies = true;
        self
    }

    /// Sets [`per_folder`](Query::per_folder).
    pub fn with_per_folder(mut self, documents: usize) -> Query {
        self.per_folder = Some(documents);
        self
    }

    /// Turns off [`log`](Query::log): for measurements, not for users.
    pub fn without_logging(mut self) -> Query {
        self.log = false;
        self
    }

    /// Turns off [`highlight`](Query::highlight): for callers that need many documents but show no passages.
    pub fn without_highlights(mut self) -> Query {
        self.highlight = false;
        self
    }

    /// Checks the query.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or candidates of 0 or above 100,000, an offset above 100,000, no documents of a
    /// folder, a path that is no pattern, a session that is empty, longer than 64 characters or has control characters,
    /// or a fusion weight or least score that is no number.
    pub(crate) fn validate(&self) -> Result<()> {
        const MOST: usize = 100_000;
        if !(1..=MOST).contains(&self.limit) {
            return Err(Error::invalid("the limit of a query", self.limit, format!("1 to {MOST}")));
        }
        if !(1..=MOST).contains(&self.candidates) {
            return Err(Error::invalid("the number of candidates", self.candidates, format!("1 to {MOST}")));
        }
        if self.offset > MOST {
            return Err(Error::invalid("the offset of a query", self.offset, format!("0 to {MOST}")));
        }
        if self.per_folder == Some(0) {
            return Err(Error::invalid("the documents of one folder that a query returns", 0, "at least 1"));
        }
        if self.min_score.is_some_and(f32::is_nan) {
            return Err(Error::invalid("the least score of a query", "NaN", "a number"));
        }
        if let Some(path) = self.path.as_deref().filter(|path| !is_pattern(path)) {
            return Err(Error::invalid(
                "the path of a query",
                format!("{path:?}"),
                "a pattern such as docs/**/*.md",
            ));
        }
        self.session.as_deref().map_or(Ok(()), check_session)?;
        self.fusion.map_or(Ok(()), |fusion| fusion.validate())
    }
}

fn check_session(session: &str) -> Result<()> {
    const MOST: usize = 64;
    let characters = session.chars().count();
    let found = match characters {
        0 => "nothing".to_string(),
        _ if characters > MOST => format!("{characters} characters"),
        _ if session.chars().any(char::is_control) => format!("{session:?}, which has control characters"),
        _ => return Ok(()),
    };
    let expected = format!("an id of 1 to {MOST} characters without control characters, or no session");
    Err(Error::invalid("the session of a query", found, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_a_short_id_that_can_be_printed() {
        let check = |session: &str| Query::new("q").with_session(session).validate();
        for right in ["s", "7f3a-…", "Ünïcode mit Leerzeichen", &"ä".repeat(64)] {
            check(right).unwrap();
        }
        for (wrong, found) in [("", "nothing"), (&"ä".repeat(65), "65 characters"), ("a\nb", "\"a\\nb\"")] {
            let error = check(wrong).unwrap_err();
            assert!(matches!(error, Error::Invalid { .. }), "{error}");
            let message = error.to_string();
            assert!(message.contains("session") && message.contains(found), "{message}");
        }
        assert_eq!(Query::new("q").session, None);
    }
}
