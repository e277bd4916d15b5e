//! Identifiers. The application names documents with strings; everything else is numbered.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// The longest document id, in bytes.
pub(crate) const LONGEST_DOCUMENT_ID: usize = 4096;

/// A chunk: the unit that is encoded and indexed. Ids ascend and are never reused within an index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChunkId(pub u64);

/// A generation: encoder weights, the dense index built with them, and fusion weights. Starts at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerationId(pub u64);

/// An answered query. Written as 16 hexadecimal digits, also in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct QueryId(pub u64);

/// A set of chunks, such as those that a filter allows.
pub(crate) trait ChunkSet {
    /// The number of chunks.
    fn len(&self) -> usize;
    /// Whether `chunk` is in the set.
    fn contains(&self, chunk: ChunkId) -> bool;
    /// All chunks, ascending.
    fn chunks(&self) -> Vec<ChunkId>;
}

/// The list must be ascending.
impl ChunkSet for Vec<ChunkId> {
    fn len(&self) -> usize {
        self.len()
    }

    fn contains(&self, chunk: ChunkId) -> bool {
        self.binary_search(&chunk).is_ok()
    }

    fn chunks(&self) -> Vec<ChunkId> {
        self.clone()
    }
}

impl QueryId {
    /// A new random id, which no other process makes either.
    pub fn random() -> Self {
        QueryId(rand::random())
    }

    /// The ids that begin with these hexadecimal digits.
    pub(crate) fn beginning_with(digits: &str) -> Result<RangeInclusive<QueryId>, Error> {
        let length = digits.len();
        if !(1..=16).contains(&length) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let expected = "1 to 16 hexadecimal digits, as search prints them";
            return Err(Error::invalid("the query id", format!("{digits:?}"), expected));
        }
        let padded = |digit| format!("{digits}{}", String::from(digit).repeat(16 - length));
        Ok(padded('0').parse()?..=padded('f').parse()?)
    }
}

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for QueryId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::invalid(
                "the query id",
                format!("{text:?}"),
                "16 hexadecimal digits, as search prints them",
            )
        };
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u64::from_str_radix(text, 16).map(QueryId).map_err(|_| wrong())
    }
}

impl From<QueryId> for String {
    fn from(id: QueryId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for QueryId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

/// A SHA-256 digest, such as that of a file or of an encoder's weights. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest of all that can be read, without holding it in memory.
    pub(crate) fn of_reader(from: &mut dyn io::Read) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok(Digest(hash.finalize().into())),
                count => hash.update(&buffer[..count]),
            }
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::invalid("the digest", format!("{text:?}"), "64 hexadecimal digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Digest(bytes))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_ids_round_trip_through_text() {
        let id = QueryId(0x00ab);
        assert_eq!(id.to_string(), "00000000000000ab");
        assert_eq!(id.to_string().parse::<QueryId>().ok(), Some(id));
        assert!("ab".parse::<QueryId>().is_err());
        assert!("+0000000000000ab".parse::<QueryId>().is_err());
    }

    #[test]
    fn beginnings_of_query_ids_are_ranges() {
        let range = |digits| QueryId::beginning_with(digits).ok();
        assert_eq!(range("00Ab"), Some(QueryId(0x00ab << 48)..=QueryId((0x00ac << 48) - 1)));
        assert_eq!(range("ffffffffffffffff"), Some(QueryId(u64::MAX)..=QueryId(u64::MAX)));
        assert_eq!(range("f"), Some(QueryId(0xf << 60)..=QueryId(u64::MAX)));
        for wrong in ["", "x", "+1", "00000000000000000"] {
            assert!(range(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn digests_round_trip_through_text() {
        let digest = Digest([0x1f; 32]);
        assert_eq!(digest.to_string().parse::<Digest>().ok(), Some(digest));
        assert!("1f".parse::<Digest>().is_err());
    }
}
