//! The records of the log.
//!
//! A record is the payload of one frame:
//!
//! | bytes | content |
//! |---|---|
//! | 0 | version of the record: 1; 2 for the kinds 5 and 6, and for an impression with a hit that names no chunk |
//! | 1 | kind: 1 impression, 2 judgement, 3 loss, 4 replaced segments, 5 opening, 6 withdrawal |
//! | 2..4 | zero |
//! | 4..12 | query id, u64 little endian; zero for a loss and for replaced segments |
//! | 12.. | the record as JSON |
//!
//! The first twelve bytes stay the same in all later versions, so that a query is found without parsing JSON. Fields
//! may be added to the JSON without a new version. A new kind or a changed meaning needs a new version.

use serde::{Deserialize, Deserializer, Serialize};
use tokenizers::NormalizedString;

use crate::ids::{ChunkId, GenerationId, QueryId};

/// One answered query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Impression {
    /// The answer's id.
    pub query_id: QueryId,
    /// Time of the answer, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// The generation that answered; 0 if it was none of this index: the impression was
    /// [imported](crate::Feedback::import).
    pub generation: GenerationId,
    /// The query's text, unchanged.
    pub query: String,
    /// What was searched for, if the text had operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The [session](crate::Query::session) that the query belongs to, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The generation on trial that answered too, if there was one: its list and the serving generation's were shown as
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<GenerationId>,
    /// The documents shown, best first.
    pub hits: Vec<ShownHit>,
}

impl Impression {
    /// What was searched for: the query's text without operators.
    pub fn searched(&self) -> &str {
        self.words.as_deref().unwrap_or(&self.query)
    }

    /// The version and kind of its record. Versions before hits without a chunk skip it, and would take it for damage.
    fn head(&self) -> [u8; 2] {
        [if self.hits.iter().all(|hit| hit.chunk.is_some()) { 1 } else { 2 }, IMPRESSION]
    }
}

/// A document of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShownHit {
    /// The document's id.
    pub document: String,
    /// The document's best chunk, which was shown. `None` if the answer was another engine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<ChunkId>,
    /// The BM25 score, if the lexical index was searched.
    pub lexical: Option<f32>,
    /// The cosine similarity, if the query was encoded.
    pub dense: Option<f32>,
    /// The score that the hits were ranked by. NaN if it is not known.
    #[serde(deserialize_with = "number_or_nan")]
    pub score: f32,
    /// Where both lists have the document, if two generations answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// Where a hit was shown, and where each of two lists has it. All count from 1.
///
/// Ranks stop below what is shown, and below the end of the shorter list: whoever has less to say is neither helped
/// nor hurt by that. A document that a list lacks, or has further down, has the rank below the last that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// The place in the interleaved list.
    pub place: u32,
    /// The rank in the serving generation's list.
    pub serving: u32,
    /// The rank in the candidate's list.
    pub candidate: u32,
}

/// A user's judgement of a document for an answered query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Judgement {
    /// The answer's id.
    pub query_id: QueryId,
    /// Time of the judgement, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// The document's id. It need not have been shown.
    pub document: String,
    /// The verdict.
    pub verdict: Verdict,
}

/// A user's verdict on a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The user picked the document, and so skipped the documents above it.
    Chosen,
    /// The document answers the query.
    Relevant,
    /// The document does not answer the query.
    NotRelevant,
    /// The user opened the document: a weak yes. Of all documents that were opened for one need (one answer, or answers
    /// in one [session](crate::Query::session) to queries that ask for the same) only the last one is taken for the
    /// answer, and only if none was chosen or judged relevant. A document that was judged not relevant is not taken for
    /// it, whenever it was opened. Of a query that many ask, more than a quarter have to agree.
    Opened,
    /// Takes back what was said last of the document in this answer, as if it was never said: that it was opened, if it
    /// was opened since anything else was said, otherwise the verdict. For users who come back at once, and for undo.
    Withdrawn,
}

impl Verdict {
    /// The version and kind of its records. Versions before these verdicts skip what they don't know, and would take an
    /// unknown verdict in a record of a known kind for damage.
    fn head(self) -> [u8; 2] {
        match self {
            Verdict::Chosen | Verdict::Relevant | Verdict::NotRelevant => [1, JUDGEMENT],
            Verdict::Opened => [2, OPENING],
            Verdict::Withdrawn => [2, WITHDRAWAL],
        }
    }
}

/// The number of impressions that were lost, recorded once the disk accepts records again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Loss {
    pub(super) impressions: u64,
}

/// The names of the segments whose records are in this one. Leftovers of those after a crash are not read. The first
/// record of a sealed segment, if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Replaced {
    pub(super) segments: Vec<String>,
}

/// A record of a kind that this version knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    Impression(Impression),
    Judgement(Judgement),
    Loss(Loss),
    Replaced(Replaced),
}

/// The decoded payload of a frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decoded {
    Known(Record),
    /// A record of a newer version.
    Newer,
    /// Not a record, although the checksum is correct.
    Garbage,
}

/// The highest version of a record that is read.
pub(super) const VERSION: u8 = 2;
const HEAD: usize = 12;
const IMPRESSION: u8 = 1;
const JUDGEMENT: u8 = 2;
const LOSS: u8 = 3;
const REPLACED: u8 = 4;
const OPENING: u8 = 5;
const WITHDRAWAL: u8 = 6;
/// The longest payload to write. Far longer than any real query.
const LONGEST: usize = 16 << 20;

/// The kind of a record, known from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Impression,
    /// A judgement that withdraws nothing.
    Judgement,
    /// A judgement that withdraws another one.
    Withdrawal,
    Loss,
    Replaced,
    Newer,
    Garbage,
}

/// The kind of the record in `payload` and its query's id, without parsing the JSON.
pub(super) fn peek(payload: &[u8]) -> (Kind, QueryId) {
    let Some((head, _)) = payload.split_first_chunk::<HEAD>() else { return (Kind::Garbage, QueryId(0)) };
    let [version, kind, a, b, id @ ..] = *head;
    let kind = match (version, kind) {
        (0, _) => Kind::Garbage,
        (..=VERSION, _) if (a, b) != (0, 0) => Kind::Garbage,
        (1 | 2, IMPRESSION) => Kind::Impression,
        (1, JUDGEMENT) | (2, OPENING) => Kind::Judgement,
        (1, LOSS) => Kind::Loss,
        (1, REPLACED) => Kind::Replaced,
        (2, WITHDRAWAL) => Kind::Withdrawal,
        _ => Kind::Newer,
    };
    (kind, QueryId(u64::from_le_bytes(id)))
}

impl Record {
    /// The payload for the record's frame. `None` if it is too long to be logged.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let ([version, kind], query_id) = match self {
            Record::Impression(impression) => (impression.head(), impression.query_id),
            Record::Judgement(judgement) => (judgement.verdict.head(), judgement.query_id),
            Record::Loss(_) => ([1, LOSS], QueryId(0)),
            Record::Replaced(_) => ([1, REPLACED], QueryId(0)),
        };
        let mut bytes = vec![version, kind, 0, 0];
        bytes.extend_from_slice(&query_id.0.to_le_bytes());
        let json = match self {
            Record::Impression(impression) => serde_json::to_writer(&mut bytes, impression),
            Record::Judgement(judgement) => serde_json::to_writer(&mut bytes, judgement),
            Record::Loss(loss) => serde_json::to_writer(&mut bytes, loss),
            Record::Replaced(replaced) => serde_json::to_writer(&mut bytes, replaced),
        };
        json.is_ok().then_some(bytes).filter(|bytes| bytes.len() <= LONGEST)
    }

    pub(super) fn decode(payload: &[u8]) -> Decoded {
        let (kind, query_id) = peek(payload);
        let json = payload.get(HEAD..).unwrap_or_default();
        let record = match kind {
            Kind::Impression => serde_json::from_slice(json).ok().map(Record::Impression),
            Kind::Judgement | Kind::Withdrawal => {
                let known = |one: &Judgement| payload.starts_with(&one.verdict.head());
                serde_json::from_slice(json).ok().filter(known).map(Record::Judgement)
            }
            Kind::Loss => serde_json::from_slice(json).ok().map(Record::Loss),
            Kind::Replaced => serde_json::from_slice(json).ok().map(Record::Replaced),
            Kind::Newer => return Decoded::Newer,
            Kind::Garbage => None,
        };
        match record {
            Some(Record::Impression(one)) if one.query_id != query_id => Decoded::Garbage,
            Some(Record::Judgement(one)) if one.query_id != query_id => Decoded::Garbage,
            Some(record) => Decoded::Known(record),
            None => Decoded::Garbage,
        }
    }
}

/// The time in an impression or judgement; 0 if it can't be read.
pub(super) fn time_of(payload: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Timed {
        time_ms: u64,
    }
    let timed = payload.get(HEAD..).and_then(|json| serde_json::from_slice::<Timed>(json).ok());
    timed.map_or(0, |timed| timed.time_ms)
}

/// What lists of impressions need to know of one.
#[derive(Debug, Deserialize)]
pub(super) struct ReadHeading {
    pub(super) query_id: QueryId,
    pub(super) time_ms: u64,
    pub(super) query: String,
}

/// The heading of an impression. `None` for what is none, or can't be read.
pub(super) fn heading(payload: &[u8]) -> Option<ReadHeading> {
    let (Kind::Impression, query_id) = peek(payload) else { return None };
    let heading: ReadHeading = serde_json::from_slice(payload.get(HEAD..)?).ok()?;
    (heading.query_id == query_id).then_some(heading)
}

/// The names in a record of replaced segments.
pub(super) fn replaces(payload: &[u8]) -> Option<Vec<String>> {
    match Record::decode(payload) {
        Decoded::Known(Record::Replaced(replaced)) => Some(replaced.segments),
        _ => None,
    }
}

/// Reads null as NaN: JSON has no NaN and no infinity, and both are written as null.
fn number_or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    Option::<f32>::deserialize(deserializer).map(|number| number.unwrap_or(f32::NAN))
}

/// Normalises a query: Unicode NFC, lower case, single spaces, none at the ends.
///
/// Judgements are grouped by the normalised query, and the choice of held-out queries depends on it. So the result
/// stays the same in all versions.
pub fn normalise_query(text: &str) -> String {
    if text.is_ascii() {
        return joined(&text.to_ascii_lowercase());
    }
    // Lower-casing can decompose a letter ("İ"), so compose again.
    joined(&composed(&composed(text).to_lowercase()))
}

fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn composed(text: &str) -> String {
    let mut text = NormalizedString::from(text);
    text.nfc();
    text.get().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judgement(document: &str) -> Record {
        let document = document.to_string();
        Record::Judgement(Judgement {
            query_id: QueryId(5),
            time_ms: 7,
            document,
            verdict: Verdict::Relevant,
        })
    }

    #[test]
    fn queries_are_the_same_whatever_their_case_spacing_and_composition() {
        assert_eq!(normalise_query("  How\tDO  I\n"), "how do i");
        assert_eq!(normalise_query("ÄRGER"), "ärger");
        assert_eq!(normalise_query("A\u{308}rger"), "ärger");
        assert_eq!(normalise_query("\u{212b}ngström"), "ångström", "the Angstrom sign");
        assert_eq!(normalise_query("\u{1e0b}\u{323}"), normalise_query("d\u{323}\u{307}"));
        assert_eq!(normalise_query("İ"), normalise_query("I\u{307}"));
        assert_eq!(normalise_query(" \u{a0}\u{2003} "), "");
    }

    #[test]
    fn the_layout_of_a_record_is_as_documented() {
        let bytes = judgement("d").encode().unwrap();
        assert_eq!(bytes[..12], [1, 2, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        let json = r#"{"query_id":"0000000000000005","time_ms":7,"document":"d","verdict":"relevant"}"#;
        assert_eq!(std::str::from_utf8(&bytes[12..]).unwrap(), json);
    }

    #[test]
    fn verdicts_that_earlier_versions_do_not_know_are_records_of_a_newer_version_to_them() {
        let of = |verdict, name: &str| {
            let one = Judgement { query_id: QueryId(5), time_ms: 7, document: "d".into(), verdict };
            let record = Record::Judgement(one);
            let bytes = record.encode().unwrap();
            assert_eq!(Record::decode(&bytes), Decoded::Known(record));
            let json =
                format!(r#"{{"query_id":"0000000000000005","time_ms":7,"document":"d","verdict":"{name}"}}"#);
            assert_eq!(std::str::from_utf8(&bytes[12..]).unwrap(), json);
            bytes
        };
        let (opened, withdrawn) = (of(Verdict::Opened, "opened"), of(Verdict::Withdrawn, "withdrawn"));
        assert_eq!(opened[..12], [2, 5, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(withdrawn[..12], [2, 6, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(peek(&opened).0, Kind::Judgement);
        assert_eq!(peek(&withdrawn).0, Kind::Withdrawal);
        for head in [[1, 2], [2, 6]] {
            let mixed = [&head, &opened[2..]].concat();
            assert_eq!(
                Record::decode(&mixed),
                Decoded::Garbage,
                "the head says another verdict than the JSON"
            );
        }
    }

    #[test]
    fn newer_records_are_told_from_garbage() {
        let bytes = judgement("d").encode().unwrap();
        let changed = |at: usize, to: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = to;
            Record::decode(&bytes)
        };
        assert_eq!(Record::decode(&bytes), Decoded::Known(judgement("d")));
        assert_eq!(changed(0, 2), Decoded::Newer);
        assert_eq!(changed(0, 3), Decoded::Newer);
        assert_eq!(changed(1, 5), Decoded::Newer);
        assert_eq!(changed(0, 0), Decoded::Garbage);
        assert_eq!(changed(2, 1), Decoded::Garbage);
        assert_eq!(changed(4, 6), Decoded::Garbage, "the head names another query than the JSON");
        assert_eq!(changed(12, b'['), Decoded::Garbage);
        assert_eq!(Record::decode(&bytes[..11]), Decoded::Garbage);
    }

    #[test]
    fn a_field_of_a_later_minor_version_is_ignored_and_a_missing_number_is_nan() {
        let mut bytes = vec![1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(
            br#"{"query_id":"0000000000000001","time_ms":1,"generation":1,"query":"q","client":"x",
                "hits":[{"document":"d","chunk":1,"lexical":null,"dense":null,"score":null}]}"#,
        );
        let Decoded::Known(Record::Impression(one)) = Record::decode(&bytes) else {
            panic!("not an impression")
        };
        assert!(one.hits[0].score.is_nan());
        assert_eq!((one.words, one.session), (None, None));
    }

    #[test]
    fn an_answer_of_another_engine_is_a_record_of_a_newer_version_to_earlier_ones() {
        let hit = |chunk| ShownHit {
            document: "d".into(),
            chunk,
            lexical: None,
            dense: None,
            score: 1.0,
            standing: None,
        };
        let of = |hits| {
            let (query, words, session) = ("q".to_string(), None, None);
            let (query_id, generation) = (QueryId(5), GenerationId(0));
            let one =
                Impression { query_id, time_ms: 7, generation, query, words, session, trial: None, hits };
            let record = Record::Impression(one);
            let bytes = record.encode().unwrap();
            assert_eq!(
                (peek(&bytes), Record::decode(&bytes)),
                ((Kind::Impression, QueryId(5)), Decoded::Known(record))
            );
            bytes
        };
        let (own, other) = (of(vec![hit(Some(ChunkId(3)))]), of(vec![hit(Some(ChunkId(3))), hit(None)]));
        assert_eq!((&own[..4], &other[..4]), (&[1, 1, 0, 0][..], &[2, 1, 0, 0][..]));
        assert!(
            String::from_utf8(other)
                .unwrap()
                .ends_with(r#"{"document":"d","lexical":null,"dense":null,"score":1.0}]}"#)
        );
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert!(judgement(&"x".repeat(LONGEST)).encode().is_none());
    }

    proptest! {
        #[test]
        fn records_round_trip(
            id in any::<u64>(), time_ms in any::<u64>(), query in any::<String>(),
            words in any::<Option<String>>(), session in any::<Option<String>>(), trial in any::<Option<u32>>(),
            hits in prop::collection::vec(
                (any::<String>(), any::<Option<u64>>(), prop::num::f32::NORMAL), 0..4
            ),
        ) {
            let standing = trial.map(|rank| Standing { place: rank, serving: 1, candidate: rank });
            let hits = hits.into_iter().map(|(document, chunk, score)| ShownHit {
                document, chunk: chunk.map(ChunkId), lexical: Some(score / 3.0), dense: None, score, standing,
            });
            let impression = Impression {
                query_id: QueryId(id), time_ms, generation: GenerationId(1), query, words, session,
                trial: trial.map(|id| GenerationId(id.into())), hits: hits.collect(),
            };
            let record = Record::Impression(impression);
            let bytes = record.encode().unwrap();
            prop_assert_eq!(peek(&bytes), (Kind::Impression, QueryId(id)));
            prop_assert_eq!(Record::decode(&bytes), Decoded::Known(record));
        }

        #[test]
        fn arbitrary_payloads_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let decoded = Record::decode(&bytes);
            prop_assert_eq!(decoded == Decoded::Newer, peek(&bytes).0 == Kind::Newer);
        }

        #[test]
        fn normalising_twice_changes_nothing(text in any::<String>()) {
            let once = normalise_query(&text);
            prop_assert_eq!(normalise_query(&once), once);
        }
    }
}
