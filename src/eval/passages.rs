//! Judgements of byte ranges in files. They are independent of how the files are cut into passages.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

use super::evaluation::Evaluation;
use super::lines::Lines;
use super::metrics::Metric;
use crate::error::{Error, Result};
use crate::ids::Digest;

/// Judged spans for some queries. The file has one JSON object per line with `query`, `path`, `start`, `end`, `grade`
/// and `digest`.
///
/// A passage gets the highest grade of the spans that it matches. It matches a span of the same file if they overlap by
/// at least half of the shorter one. So a long passage that contains a table row counts, and so does a short one inside
/// a long paragraph, but not a passage that only touches the span's edge.
#[derive(Debug, Clone, Default)]
pub struct Passages {
    queries: BTreeMap<String, Vec<Span>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    query: String,
    path: String,
    start: u64,
    end: u64,
    grade: i32,
    /// The first 16 hexadecimal digits of the SHA-256 of the span's bytes.
    digest: String,
}

/// A passage shown to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The file's path, relative to the folder.
    pub path: String,
    /// The byte range of the passage.
    pub bytes: Range<u64>,
}

impl Passages {
    /// Reads the judgements.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] for an invalid line, which it names, or an empty file.
    pub fn read(path: &Path) -> Result<Passages> {
        const EXPECTED: &str = "one JSON object per line with query, path, start < end, grade and digest";
        let mut passages = Passages::default();
        let mut lines = Lines::open(path)?;
        while let Some(line) = lines.next() {
            let (number, line) = line?;
            let span: Span = serde_json::from_str(&line).map_err(|e| lines.wrong(number, e, EXPECTED))?;
            if span.start >= span.end {
                return Err(lines.wrong(number, format!("{} to {}", span.start, span.end), EXPECTED));
            }
            passages.queries.entry(span.query.clone()).or_default().push(span);
        }
        match passages.queries.is_empty() {
            false => Ok(passages),
            true => {
                Err(Error::invalid("the judged passages", format!("none in {}", path.display()), EXPECTED))
            }
        }
    }

    /// The judged queries, sorted.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        self.queries.keys().map(String::as_str)
    }

    /// Checks that the files in `folder` are those that were judged.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Invalid`] with the first file that differs.
    pub fn check(&self, folder: &Path) -> Result<()> {
        let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for span in self.queries.values().flatten() {
            if !files.contains_key(span.path.as_str()) {
                let path = folder.join(&span.path);
                files.insert(&span.path, std::fs::read(&path).map_err(Error::io("read", &path))?);
            }
            let bytes = files[span.path.as_str()].get(span.start as usize..span.end as usize);
            let found = bytes.map(|bytes| Digest::of(bytes).to_string());
            if !found.is_some_and(|found| found.starts_with(&span.digest)) {
                let found = format!("{} with other bytes at {} to {}", span.path, span.start, span.end);
                return Err(Error::invalid("the folder", found, "the files that were judged"));
            }
        }
        Ok(())
    }

    /// The best grade of each file that was judged for a query.
    fn judgements(&self, query: &str) -> BTreeMap<String, i32> {
        let mut best = BTreeMap::new();
        for span in self.queries.get(query).into_iter().flatten() {
            let grade = best.entry(span.path.clone()).or_insert(span.grade);
            *grade = span.grade.max(*grade);
        }
        best
    }

    /// The grade of a passage; `None` if it matches no judged span.
    fn grade(&self, query: &str, shown: &Shown) -> Option<i32> {
        let overlaps = |span: &&Span| {
            let shared = shown.bytes.end.min(span.end).saturating_sub(shown.bytes.start.max(span.start));
            let shorter = (span.end - span.start).min(shown.bytes.end.saturating_sub(shown.bytes.start));
            span.path == shown.path && shared > 0 && 2 * shared >= shorter
        };
        let spans = self.queries.get(query)?.iter();
        spans.filter(overlaps).map(|span| span.grade).max()
    }

    /// Evaluates answers, best first, over all judged queries. A query without an answer counts 0.
    ///
    /// Each file may come once. It counts with the grade of its passage shown. The ideal ranking shows the best passage
    /// of every judged file.
    pub fn evaluate(&self, answers: &BTreeMap<String, Vec<Shown>>, metrics: &[Metric]) -> Evaluation {
        let shown = |query: &String| answers.get(query).map(Vec::as_slice).unwrap_or_default();
        let of = |query: &String| (query.clone(), self.measure(query, shown(query), metrics));
        Evaluation::new(metrics, self.queries.keys().map(of).collect())
    }

    /// Evaluates the answer to one query. Returns one value per metric.
    pub fn measure(&self, query: &str, shown: &[Shown], metrics: &[Metric]) -> Vec<f64> {
        let judgements = self.judgements(query);
        let judged: Vec<Option<i32>> = shown.iter().map(|shown| self.grade(query, shown)).collect();
        metrics.iter().map(|metric| metric.of_judged(&judged, &judgements)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, bytes: Range<u64>) -> Shown {
        Shown { path: path.into(), bytes }
    }

    fn passages(folder: &Path, lines: &[&str]) -> Result<Passages> {
        let path = folder.join("passages.jsonl");
        std::fs::write(&path, lines.join("\n")).unwrap();
        Passages::read(&path)
    }

    const LINES: [&str; 3] = [
        r#"{"query":"q","path":"a","start":10,"end":20,"grade":2,"digest":""}"#,
        r#"{"query":"q","path":"a","start":40,"end":100,"grade":1,"digest":""}"#,
        r#"{"query":"q","path":"b","start":0,"end":4,"grade":1,"digest":""}"#,
    ];

    #[test]
    fn a_passage_counts_that_covers_half_of_the_shorter() {
        let folder = tempfile::tempdir().unwrap();
        let passages = passages(folder.path(), &LINES).unwrap();
        let grade = |path: &str, bytes| passages.grade("q", &shown(path, bytes));
        assert_eq!(grade("a", 0..15), Some(2), "half of the span");
        assert_eq!(grade("a", 0..14), None, "less than half");
        assert_eq!(grade("a", 50..60), Some(1), "all of it lies in the span");
        assert_eq!(grade("a", 0..1000), Some(2), "the best of both");
        assert_eq!((grade("a", 20..40), grade("c", 0..100)), (None, None));
        assert_eq!(passages.grade("other", &shown("a", 0..100)), None);
    }

    #[test]
    fn a_file_counts_by_the_passage_that_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let passages = passages(folder.path(), &LINES).unwrap();
        let metrics = [Metric::NdcgAt(10), Metric::MrrAt(10)];
        let score = |answer: Vec<Shown>| {
            let evaluation = passages.evaluate(&[("q".to_string(), answer)].into(), &metrics);
            metrics.map(|metric| evaluation.mean(metric).unwrap())
        };
        let ideal = 2.0 + 1.0 / 3f64.log2();
        assert_eq!(score(vec![shown("a", 10..20), shown("b", 0..4)]), [1.0, 1.0]);
        let [ndcg, mrr] = score(vec![shown("c", 0..9), shown("a", 40..90), shown("b", 2..9)]);
        assert!((ndcg - (1.0 / 3f64.log2() + 0.5) / ideal).abs() < 1e-12, "{ndcg}");
        assert_eq!(mrr, 0.5);
        assert_eq!(passages.evaluate(&BTreeMap::new(), &metrics).mean(metrics[0]), Some(0.0));
    }

    #[test]
    fn other_files_and_wrong_lines_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "the answer").unwrap();
        let digest = &Digest::of(b"answer").to_string()[..16];
        let line = |end: u64| {
            format!(r#"{{"query":"q","path":"a","start":4,"end":{end},"grade":1,"digest":"{digest}"}}"#)
        };
        passages(folder.path(), &[&line(10)]).unwrap().check(folder.path()).unwrap();
        for end in [9, 11] {
            let changed = passages(folder.path(), &[&line(end)]).unwrap().check(folder.path());
            assert!(matches!(changed, Err(Error::Invalid { .. })));
        }
        let error = passages(folder.path(), &[&line(10), "", &line(4)]).unwrap_err().to_string();
        assert!(error.contains("passages.jsonl:3:"), "{error}");
    }
}
