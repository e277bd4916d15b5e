//! Relevance judgements.

use std::collections::BTreeMap;
use std::path::Path;

use super::lines::Lines;
use super::numbers::without_zeros;
use crate::error::{Error, Result};
use crate::storage::write_atomic;

/// Relevance judgements for some queries. Above 0 is relevant, and higher is better. Documents without a judgement
/// count as not relevant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Qrels {
    queries: BTreeMap<String, BTreeMap<String, i32>>,
}

impl Qrels {
    /// No judgements.
    pub fn new() -> Qrels {
        Qrels::default()
    }

    /// Adds a judgement. Replaces an earlier one of the same query and document.
    pub fn insert(&mut self, query: impl Into<String>, document: impl Into<String>, relevance: i32) {
        self.queries.entry(query.into()).or_default().insert(document.into(), relevance);
    }

    /// The relevance of a document; `None` if it was not judged.
    pub fn get(&self, query: &str, document: &str) -> Option<i32> {
        self.queries.get(query)?.get(document).copied()
    }

    /// The judgements of a query, by document.
    pub fn judgements(&self, query: &str) -> Option<&BTreeMap<String, i32>> {
        self.queries.get(query)
    }

    /// The judged queries, sorted, with their judgements.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, i32>)> {
        self.queries.iter().map(|(query, judgements)| (query.as_str(), judgements))
    }

    /// The number of judged queries.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether there are no judgements.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// Reads BEIR's format: `query-id TAB corpus-id TAB score`, with or without a header. A first line is a header if
    /// its last field is a column name such as `score`, `relevance` or `grade`. Every other line must be a judgement.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] with the line that is invalid or contradicts an earlier one.
    pub fn read_beir(path: &Path) -> Result<Qrels> {
        let expected = "query-id TAB corpus-id TAB score, where score is an integer; a header is optional";
        Qrels::read_lines(path, expected, |number, line| {
            let mut fields: Vec<&str> = line.split('\t').collect();
            if fields.len() == 1 {
                fields = line.split_ascii_whitespace().collect();
            }
            match fields[..] {
                [_, _, score] if number == 1 && is_heading(score) => Some(None),
                [query, document, score] => Some(Some((query, document, whole_number(score)?))),
                _ => None,
            }
        })
    }

    /// Reads TREC's format: `query ITERATION document relevance`, separated by spaces or tabs, without a header.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] with the line that is invalid or contradicts an earlier one.
    pub fn read_trec(path: &Path) -> Result<Qrels> {
        Qrels::read_lines(path, "query ITERATION document relevance", |_, line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let [query, _, document, relevance] = fields[..] else { return None };
            Some(Some((query, document, whole_number(relevance)?)))
        })
    }

    /// Reads either format. The first line decides: TREC's has four fields, BEIR's has three, which may contain spaces
    /// if tabs separate them.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] with the line that is invalid or contradicts an earlier one.
    pub fn read(path: &Path) -> Result<Qrels> {
        let first = Lines::open(path)?.next().transpose()?;
        let is_trec =
            |line: &str| line.split_ascii_whitespace().count() == 4 && line.split('\t').count() != 3;
        match first.is_some_and(|(_, line)| is_trec(&line)) {
            true => Qrels::read_trec(path),
            false => Qrels::read_beir(path),
        }
    }

    /// Reads the judgements of SMART's classic collections: `query document CODE` (Cranfield), `query document 0 0`
    /// (CISI, CACM) or TREC's format (MED).
    ///
    /// The codes differ between collections. So every listed document is relevant (1), as in SMART itself. In TREC's
    /// format, documents above 0 are relevant. Leading zeros of numbers are removed.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] with the line that is invalid or contradicts an earlier one.
    pub fn read_smart(path: &Path) -> Result<Qrels> {
        Qrels::read_lines(path, "query document CODE, query document 0 0, or TREC's format", |_, line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let number = |text: &str| text.parse().ok().filter(|number: &f32| number.is_finite());
            let (query, document, relevance) = match fields[..] {
                [query, document, code] => (query, document, number(code).map(|_| 1)?),
                [query, document, "0", last] if number(last) == Some(0.0) => (query, document, 1),
                [query, _, document, relevance] => (query, document, whole_number(relevance)?.clamp(0, 1)),
                _ => return None,
            };
            Some(Some((without_zeros(query), without_zeros(document), relevance)))
        })
    }

    /// Reads a file. `parse` returns `None` for an invalid line and `Some(None)` for a header.
    fn read_lines(
        path: &Path,
        expected: &str,
        parse: impl Fn(usize, &str) -> Option<Option<(&str, &str, i32)>>,
    ) -> Result<Qrels> {
        let mut qrels = Qrels::new();
        let mut lines = Lines::open(path)?;
        while let Some(line) = lines.next() {
            let (number, line) = line?;
            let parsed =
                parse(number, &line).ok_or_else(|| lines.wrong(number, format!("{line:?}"), expected))?;
            let Some((query, document, relevance)) = parsed else { continue };
            if qrels.get(query, document).is_some_and(|known| known != relevance) {
                let found = format!("a different judgement of {document} for {query}");
                return Err(lines.wrong(number, found, "one judgement per query and document"));
            }
            qrels.insert(query, document, relevance);
        }
        Ok(qrels)
    }

    /// Writes BEIR's format.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] if an id contains a tab or a line break.
    pub fn write_beir(&self, path: &Path) -> Result<()> {
        let mut text = String::from("query-id\tcorpus-id\tscore\n");
        for (query, judgements) in self.iter() {
            for (document, relevance) in judgements {
                check_id(query, |c| c == '\t' || c == '\n' || c == '\r')?;
                check_id(document, |c| c == '\t' || c == '\n' || c == '\r')?;
                text.push_str(&format!("{query}\t{document}\t{relevance}\n"));
            }
        }
        write_atomic(path, text.as_bytes())
    }

    /// Writes TREC's format.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] if an id contains white space.
    pub fn write_trec(&self, path: &Path) -> Result<()> {
        let mut text = String::new();
        for (query, judgements) in self.iter() {
            for (document, relevance) in judgements {
                check_id(query, char::is_whitespace)?;
                check_id(document, char::is_whitespace)?;
                text.push_str(&format!("{query} 0 {document} {relevance}\n"));
            }
        }
        write_atomic(path, text.as_bytes())
    }
}

/// Checks that an id can be read back from the file.
pub(super) fn check_id(id: &str, separates: impl Fn(char) -> bool) -> Result<()> {
    if id.is_empty() || id.contains(separates) {
        return Err(Error::invalid(
            "the id for a TREC or BEIR file",
            format!("{id:?}"),
            "an id that is not empty and contains no separator",
        ));
    }
    Ok(())
}

/// Whether a field is the name of a grade column. Only known names count: an invalid grade must not pass as a header.
fn is_heading(text: &str) -> bool {
    const NAMES: [&str; 9] =
        ["score", "relevance", "relevancy", "rel", "grade", "label", "judgment", "judgement", "rating"];
    NAMES.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// Parses an integer. Some files write it as `1.0`.
fn whole_number(text: &str) -> Option<i32> {
    let text = text.trim();
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}
