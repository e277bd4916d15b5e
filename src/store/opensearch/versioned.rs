//! A document that several processes write: a write names the version that it has seen, and fails if there is another.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::{refused, unexpected};
use super::retry::Repeat;
use crate::error::Result;

/// Where the document is, and what it is written for.
pub(super) struct Versioned {
    pub(super) client: Arc<Client>,
    pub(super) index: String,
    pub(super) id: String,
    /// As a verb phrase that the address follows.
    pub(super) doing: &'static str,
}

/// A version of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    number: u64,
    term: u64,
}

impl Version {
    /// That of a document, as an answer has it.
    pub(super) fn of(document: &Json) -> Option<Version> {
        Some(Version { number: document["_seq_no"].as_u64()?, term: document["_primary_term"].as_u64()? })
    }

    #[cfg(test)]
    pub(super) fn sample(number: u64) -> Version {
        Version { number, term: 1 }
    }

    fn wanted(self) -> String {
        format!("if_seq_no={}&if_primary_term={}", self.number, self.term)
    }
}

impl Versioned {
    /// The document as it is. `None` if it is not there.
    pub(super) fn read(&self) -> Result<Option<(Version, Json)>> {
        let path = format!("/{}/_doc/{}", self.index, self.id);
        match self.client.answer(&self.call(Method::Get, &path, Body::None))? {
            (200, mut body) => {
                let version = Version::of(&body);
                let version =
                    version.ok_or_else(|| unexpected(self.doing, self.client.at(&path), "a version"))?;
                Ok(Some((version, body["_source"].take())))
            }
            (404, _) => Ok(None),
            (status, body) => Err(refused(self.doing, self.client.at(&path), status, &body)),
        }
    }

    /// Writes the document, if it is still of this version, or still missing. `None` if it is not. `body` says who
    /// holds it (`holder`).
    pub(super) fn write(&self, before: Option<Version>, body: &Json) -> Result<Option<Version>> {
        let (index, id) = (&self.index, &self.id);
        let path = match before {
            None => format!("/{index}/_create/{id}"),
            Some(version) => format!("/{index}/_doc/{id}?{}", version.wanted()),
        };
        // A second write after one whose answer was lost fails as one after another's does: who holds it tells.
        match self.client.answer(&self.call(Method::Put, &path, Body::Json(body)))? {
            (200..300, answer) => Ok(Version::of(&answer)),
            (409, _) => {
                let now = self.read()?;
                Ok(now.filter(|(_, now)| now["holder"] == body["holder"]).map(|(version, _)| version))
            }
            (status, answer) => Err(refused(self.doing, self.client.at(&path), status, &answer)),
        }
    }

    /// Deletes the document, if it is still of this version.
    pub(super) fn delete(&self, version: Version) -> Result<()> {
        let path = format!("/{}/_doc/{}?{}", self.index, self.id, version.wanted());
        match self.client.answer(&self.call(Method::Delete, &path, Body::None))? {
            (200..300 | 404 | 409, _) => Ok(()),
            (status, body) => Err(refused(self.doing, self.client.at(&path), status, &body)),
        }
    }

    fn call<'a>(&'a self, method: Method, path: &'a str, body: Body<'a>) -> Call<'a> {
        Call { doing: self.doing, method, path, body, repeat: Repeat::Safe }
    }
}

/// What the document of somebody who is alive says, besides what it is about.
pub(super) fn beat(holder: &str) -> Json {
    json!({ "holder": holder, "beat": crate::clock::now_ms() })
}
