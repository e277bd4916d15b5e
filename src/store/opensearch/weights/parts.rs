//! Parts of files as documents of the cluster.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::stored::{Part, StoredEncoder, read_in_parts};
use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::{LATER, refused, unexpected};
use crate::store::opensearch::indices::create_index;
use crate::store::opensearch::manifest::Names;
use crate::store::opensearch::retry::Repeat;

const SEND: &str = "send the encoder of the generation to";
const FETCH: &str = "download the encoder of the generation from";
const DROP: &str = "drop the encoders of earlier generations at";

/// Parts that are dropped at once: 40 GB.
const MOST: usize = 10_000;
/// The field that has the bytes.
const BYTES: &str = "bytes";

/// The parts that an index on a cluster has.
pub(crate) struct Parts<'c> {
    client: &'c Client,
    index: String,
}

impl Parts<'_> {
    pub(crate) fn of<'c>(client: &'c Client, names: &Names) -> Parts<'c> {
        Parts { client, index: names.weights() }
    }

    /// Sends the parts that are not there yet of the encoder in `folder`, one at a time while `goes_on`. Returns their
    /// bytes.
    ///
    /// # Errors
    /// [`Error::Cluster`] if the cluster refuses one, [`Error::Damaged`] if a file has changed since it was described.
    pub(crate) fn send(
        &self,
        encoder: &StoredEncoder,
        folder: &Path,
        goes_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<u64> {
        create_index(self.client, "create the index of weights", &self.index, &mapping())?;
        let (mut missing, mut sent) = (self.missing(encoder)?, 0);
        for (name, stored) in &encoder.files {
            let path = folder.join(name);
            let mut parts = encoder.parts_of(name, stored);
            read_in_parts(&path, encoder.part_bytes, &mut |bytes| {
                let found = Digest::of(bytes);
                let Some(part) = parts.next().filter(|part| part.sha256 == found) else {
                    return Err(Error::Damaged {
                        path: path.clone(),
                        found: format!("a part with SHA-256 {found}"),
                        expected: "the file as it was a moment ago".into(),
                        remedy: "see what changes it, then migrate again",
                    });
                };
                if missing.remove(&part.sha256.to_string()) {
                    goes_on()?;
                    self.create(&part, bytes)?;
                    sent += bytes.len() as u64;
                }
                Ok(())
            })?;
        }
        if sent > 0 {
            // On disk too: until then a node that comes back reads them from its log.
            self.post(SEND, &format!("/{}/_flush?wait_if_ongoing=true", self.index), Body::None)?;
        }
        Ok(sent)
    }

    /// Fails if a part is not there: somebody else has dropped it meanwhile.
    pub(crate) fn check(&self, encoder: &StoredEncoder) -> Result<()> {
        match self.missing(encoder)?.len() {
            0 => Ok(()),
            missing => Err(Error::Cluster {
                doing: SEND,
                at: self.client.at(&format!("/{}", self.index)),
                found: format!("{missing} parts missing that were there"),
                remedy: "see whether another migration is at work, then try again",
            }),
        }
    }

    /// The bytes of a part, which are what they should be.
    ///
    /// # Errors
    /// [`Error::Cluster`] that names the document, if it is missing or another.
    pub(super) fn fetch(&self, part: &Part<'_>) -> Result<Vec<u8>> {
        let path = format!("/{}/_doc/{}", self.index, part.sha256);
        let call =
            Call { doing: FETCH, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
        let wrong = |what: &str, remedy| Error::Cluster {
            doing: FETCH,
            at: self.client.at(&path),
            found: format!("{what} in the place of part {} of {}", part.number + 1, part.file),
            remedy,
        };
        let bytes = match self.client.answer(&call)? {
            (200, mut body) => match body["_source"][BYTES].take() {
                Json::String(text) => STANDARD.decode(text).unwrap_or_default(),
                _ => Vec::new(),
            },
            (404, _) => return Err(wrong("nothing", "migrate the index again: that sends what is missing")),
            (status, body) => return Err(refused(FETCH, self.client.at(&path), status, &body)),
        };
        match Digest::of(&bytes) {
            found if found == part.sha256 => Ok(bytes),
            found => Err(wrong(
                &format!("{} bytes with SHA-256 {found}", bytes.len()),
                "delete that document and migrate the index again: that sends what is missing",
            )),
        }
    }

    /// Drops all parts but those with these ids.
    pub(crate) fn keep(&self, ids: &BTreeSet<String>) -> Result<()> {
        let path = format!("/{}/_refresh", self.index);
        let call =
            Call { doing: DROP, method: Method::Post, path: &path, body: Body::None, repeat: Repeat::Safe };
        match self.client.answer(&call)? {
            (200..300, _) => {}
            // No generation has weights.
            (404, _) => return Ok(()),
            (status, body) => return Err(refused(DROP, self.client.at(&path), status, &body)),
        }
        let path = format!("/{}/_search?allow_partial_search_results=false", self.index);
        let others = json!({
            "size": MOST, "_source": false,
            "query": { "bool": { "must_not": { "ids": { "values": ids } } } },
        });
        let found = self.post(DROP, &path, Body::Json(&others))?;
        let others = found["hits"]["hits"].as_array().into_iter().flatten();
        let lines: String = others
            .filter_map(|hit| hit["_id"].as_str())
            .map(|id| format!("{}\n", json!({ "delete": { "_id": id } })))
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        // What is not deleted now is found by the next sweep.
        self.post(DROP, &format!("/{}/_bulk", self.index), Body::Lines(&lines))?;
        // Else their bytes stay until something else is merged.
        let path = format!("/{}/_forcemerge?only_expunge_deletes=true&wait_for_completion=false", self.index);
        if let Err(error) = self.post(DROP, &path, Body::None) {
            tracing::warn!(%error, "the room of dropped weights is not free yet");
        }
        Ok(())
    }

    /// The ids of an encoder's parts that are not there.
    fn missing(&self, encoder: &StoredEncoder) -> Result<BTreeSet<String>> {
        let (mut ids, path) = (encoder.ids(), format!("/{}/_mget?_source=false", self.index));
        let wanted = json!({ "ids": ids });
        let answer = self.post(SEND, &path, Body::Json(&wanted))?;
        let lacks = || unexpected(SEND, self.client.at(&path), "a document for each id");
        for found in answer["docs"].as_array().ok_or_else(lacks)? {
            let (Some(id), Some(is_there)) = (found["_id"].as_str(), found["found"].as_bool()) else {
                return Err(lacks());
            };
            if is_there {
                ids.remove(id);
            }
        }
        Ok(ids)
    }

    fn create(&self, part: &Part<'_>, bytes: &[u8]) -> Result<()> {
        let path = format!("/{}/_create/{}", self.index, part.sha256);
        let body = json!({ BYTES: STANDARD.encode(bytes) });
        let body = Body::Json(&body);
        let call = Call { doing: SEND, method: Method::Put, path: &path, body, repeat: Repeat::Safe };
        match self.client.answer(&call)? {
            // 409: by an attempt whose answer was lost.
            (200..300 | 409, _) => Ok(()),
            (status, body) => Err(refused(SEND, self.client.at(&path), status, &body)),
        }
    }

    fn post(&self, doing: &'static str, path: &str, body: Body<'_>) -> Result<Json> {
        let answer =
            self.client.ask(&Call { doing, method: Method::Post, path, body, repeat: Repeat::Safe })?;
        match answer["_shards"]["failed"].as_u64().unwrap_or(0) {
            0 => Ok(answer),
            failed => Err(Error::Cluster {
                doing,
                at: self.client.at(path),
                found: format!("{failed} shards that failed"),
                remedy: LATER,
            }),
        }
    }
}

/// Bytes are kept and not indexed. Compressed they take about the room of the file.
fn mapping() -> Json {
    json!({
        "settings": { "index": {
            "number_of_shards": 1, "auto_expand_replicas": "0-2", "codec": "best_compression",
        } },
        "mappings": { "dynamic": "strict", "properties": { BYTES: { "type": "binary" } } },
    })
}
