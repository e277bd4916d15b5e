//! Judgements of places in files. They are independent of how the files are cut into passages.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::evaluation::Evaluation;
use super::judged_place::{JudgedPlace, PlaceFields, Shown};
use super::lines::Lines;
use super::metrics::Metric;
use crate::error::{Error, Result};
use crate::ids::Digest;

/// Judged places for some queries. The file has one JSON object per line with `query`, `path`, `grade`, `digest` and
/// exactly one place: `start` and `end` (bytes of a text file), `page` (from 1) or `quote` (words of the text).
///
/// A passage gets the highest grade of the places that it matches. It matches a byte range of the same file if they
/// overlap by at least half of the shorter one. So a long passage that contains a table row counts, and so does a short
/// one inside a long paragraph, but not a passage that only touches the range's edge. It matches a page that it begins
/// on, and a quote that it contains, whatever the white space.
#[derive(Debug, Clone, Default)]
pub struct Passages {
    queries: BTreeMap<String, Vec<Judged>>,
}

/// A line of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    query: String,
    path: String,
    start: Option<u64>,
    end: Option<u64>,
    page: Option<u32>,
    quote: Option<String>,
    grade: i32,
    digest: String,
}

#[derive(Debug, Clone)]
struct Judged {
    path: String,
    place: JudgedPlace,
    grade: i32,
    /// The first 16 hexadecimal digits of the SHA-256 of the bytes that were judged: of the range, otherwise of the
    /// whole file.
    digest: String,
}

impl Passages {
    /// Reads the judgements.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Invalid`] for an invalid line, which it names, or an empty file.
    pub fn read(path: &Path) -> Result<Passages> {
        const EXPECTED: &str = "one JSON object per line with query, path, grade, digest and one place: \
                                start < end, page from 1, or quote";
        let mut passages = Passages::default();
        let mut lines = Lines::open(path)?;
        while let Some(line) = lines.next() {
            let (number, line) = line?;
            let line: Line = serde_json::from_str(&line).map_err(|e| lines.wrong(number, e, EXPECTED))?;
            let Line { query, path, start, end, page, quote, grade, digest } = line;
            let place = PlaceFields { start, end, page, quote }.place();
            let place = place.map_err(|found| lines.wrong(number, found, EXPECTED))?;
            passages.queries.entry(query).or_default().push(Judged { path, place, grade, digest });
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
        let mut files: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
        for judged in self.queries.values().flatten() {
            files.entry(&judged.path).or_default().push(judged);
        }
        for (name, all) in files {
            let path = folder.join(name);
            let file = std::fs::read(&path).map_err(Error::io("read", &path))?;
            // Many pages of one file are judged by the same bytes.
            let whole = LazyCell::new(|| Digest::of(&file).to_string());
            for Judged { place, digest, .. } in all {
                let (is_same, found) = match place {
                    JudgedPlace::Bytes(judged) => {
                        let bytes = file.get(judged.start as usize..judged.end as usize);
                        let is_same =
                            bytes.is_some_and(|bytes| Digest::of(bytes).to_string().starts_with(digest));
                        (is_same, format!("{name} with other bytes at {} to {}", judged.start, judged.end))
                    }
                    JudgedPlace::Page(_) | JudgedPlace::Quote(_) => {
                        (whole.starts_with(digest), format!("{name} with other content"))
                    }
                };
                if !is_same {
                    return Err(Error::invalid("the folder", found, "the files that were judged"));
                }
            }
        }
        Ok(())
    }

    /// The best grade of each file that was judged for a query.
    fn judgements(&self, query: &str) -> BTreeMap<String, i32> {
        let mut best = BTreeMap::new();
        for judged in self.queries.get(query).into_iter().flatten() {
            let grade = best.entry(judged.path.clone()).or_insert(judged.grade);
            *grade = judged.grade.max(*grade);
        }
        best
    }

    /// The grade of a passage; `None` if it matches no judged place.
    fn grade(&self, query: &str, shown: &Shown) -> Option<i32> {
        let matching = self.queries.get(query)?.iter();
        let matching = matching.filter(|judged| judged.path == shown.path && judged.place.matches(shown));
        matching.map(|judged| judged.grade).max()
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
    use std::ops::Range;

    use super::*;

    fn shown(path: &str, bytes: Range<u64>) -> Shown {
        Shown { path: path.into(), bytes, ..Shown::default() }
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
    fn a_passage_has_the_best_grade_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let passages = passages(folder.path(), &LINES).unwrap();
        let grade = |path: &str, bytes| passages.grade("q", &shown(path, bytes));
        assert_eq!((grade("a", 10..20), grade("a", 50..60)), (Some(2), Some(1)));
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
    fn each_file_may_be_judged_in_a_form_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let lines = [
            r#"{"query":"q","path":"a.pdf","page":2,"grade":2,"digest":""}"#,
            r#"{"query":"q","path":"a.pdf","page":3,"grade":1,"digest":""}"#,
            r#"{"query":"q","path":"b.docx","quote":"runs calmly","grade":1,"digest":""}"#,
            LINES[0],
        ];
        let passages = passages(folder.path(), &lines).unwrap();
        let of = |path: &str, page, text: &str| {
            passages.grade("q", &Shown { page, text: text.into(), ..shown(path, 0..0) })
        };
        assert_eq!(
            (of("a.pdf", Some(2), ""), of("a.pdf", Some(3), ""), of("a.pdf", None, "")),
            (Some(2), Some(1), None)
        );
        assert_eq!(
            (of("b.docx", Some(2), "it runs\ncalmly"), of("a", Some(2), "runs calmly")),
            (Some(1), None)
        );
        assert_eq!(passages.grade("q", &shown("a", 10..20)), Some(2));
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
        let whole = Digest::of(b"the answer").to_string();
        for place in [r#""page":7"#, r#""quote":"answer""#] {
            let check = |digest: &str| {
                let line = format!(r#"{{"query":"q","path":"a",{place},"grade":1,"digest":"{digest}"}}"#);
                passages(folder.path(), &[&line]).unwrap().check(folder.path())
            };
            check(&whole[..16]).unwrap();
            let said = check(digest).unwrap_err().to_string();
            assert!(said.contains("a with other content"), "{said}");
        }
        let error = passages(folder.path(), &[&line(10), "", &line(4)]).unwrap_err().to_string();
        assert!(error.contains("passages.jsonl:3:"), "{error}");
        let mixed = line(10).replace("\"grade\"", "\"page\":1,\"grade\"");
        let error = passages(folder.path(), &[&mixed]).unwrap_err().to_string();
        assert!(error.contains("start and end and page") && error.contains("one place"), "{error}");
    }
}
