//! The manifest of a generation, beside its index.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::client::{Body, Call, Client, Method};
use super::failure::{refused, unexpected};
use super::layout::Layout;
use super::retry::Repeat;
use super::weights::StoredEncoder;
use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::generation::OutsideModel;
use crate::ids::{Digest, GenerationId};
use crate::lexical::{IndexedChunk, Language, Part};

/// The layout of manifests and generations. Raised by what earlier versions can't read. 2: encoders that lie on the
/// cluster, and passages of an earlier generation. 3: vectors can be read back, and the index made again.
const VERSION: u32 = 3;
const OLDEST: u32 = 1;

/// What an index is called on a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names(String);

impl Names {
    pub(crate) fn of(name: String) -> Names {
        Names(name)
    }

    /// The alias.
    pub(crate) fn alias(&self) -> &str {
        &self.0
    }

    /// The index of manifests and the lease.
    pub(crate) fn state(&self) -> String {
        format!("{}-state", self.0)
    }

    /// The index of weights.
    pub(crate) fn weights(&self) -> String {
        format!("{}-weights", self.0)
    }

    /// The index of a generation.
    pub(crate) fn generation(&self, id: GenerationId) -> String {
        format!("{}-g{:06}", self.0, id.0)
    }

    /// The generation of an index.
    pub(crate) fn id_of(&self, index: &str) -> Option<GenerationId> {
        let digits = index.strip_prefix(&self.0)?.strip_prefix("-g")?;
        (digits.len() >= 6).then(|| digits.parse().ok().map(GenerationId)).flatten()
    }
}

/// What a generation was made with, and what it holds. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) version: u32,
    pub(crate) generation: GenerationId,
    /// The generation that served before it.
    pub(crate) replaces: Option<GenerationId>,
    /// The generation whose index has the passages, if it is an earlier one: they are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) passages: Option<GenerationId>,
    /// How its index lies on the nodes, if that index marks its passages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) layout: Option<Layout>,
    /// SHA-256 of the weights that made the vectors.
    pub(crate) weights: Digest,
    /// Where the model with these weights was on the machine that made the generation, if no round has trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<PathBuf>,
    /// The encoder of queries, if a round has trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encoder: Option<StoredEncoder>,
    pub(crate) dimensions: usize,
    pub(crate) language: Language,
    /// The languages that some chunks have instead.
    pub(crate) other_languages: Vec<Language>,
    pub(crate) fusion: Fusion,
    pub(crate) counts: Counts,
    /// How many documents these are of. 0 before version 3.
    #[serde(default)]
    pub(crate) documents: u64,
    /// The names of all fields of the documents.
    pub(crate) fields: BTreeSet<String>,
    /// The names of the folders that the documents are from, as [`Folder::name`](crate::folders::Folder::name).
    #[serde(default)]
    pub(crate) folders: Vec<String>,
    /// The index that it was migrated from. Unknown before version 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
    pub(crate) created_ms: u64,
}

/// What an index of a machine has beside its passages and the encoder of its queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// Its settings, as it keeps them.
    pub(crate) settings: Json,
    /// The model that it was created with, if that is known.
    pub(crate) first: Option<OutsideModel>,
    /// No passage has had this id or a higher one.
    pub(crate) next_chunk: u64,
}

/// The settings' name for the last change that was made on the cluster itself.
const EDIT: &str = "edit";

impl Origin {
    /// The last change that was made on the cluster itself.
    pub(crate) fn edit(&self) -> Option<u64> {
        self.settings[EDIT].as_u64()
    }

    /// After another such change. Nobody else's has its number.
    pub(crate) fn edited(&self, next_chunk: u64) -> Origin {
        let mut edited = Origin { next_chunk, ..self.clone() };
        edited.settings[EDIT] = rand::random::<u64>().into();
        edited
    }
}

/// How many chunks there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) chunks: u64,
    /// With a vector.
    pub(crate) encoded: u64,
    /// With a term in the title.
    pub(crate) titled: u64,
    /// With a term in title or passage.
    pub(crate) worded: u64,
}

impl Counts {
    /// Those of a chunk.
    pub(crate) fn of(chunk: &IndexedChunk, has_vector: bool) -> Counts {
        Counts {
            chunks: 1,
            encoded: u64::from(has_vector),
            titled: u64::from(!chunk.title.is_empty()),
            worded: u64::from(!chunk.text.is_empty()),
        }
    }

    /// Counts others too.
    pub(crate) fn add(&mut self, others: &Counts) {
        self.chunks += others.chunks;
        self.encoded += others.encoded;
        self.titled += others.titled;
        self.worded += others.worded;
    }

    /// Counts others no more.
    pub(crate) fn take(&mut self, others: &Counts) {
        self.chunks = self.chunks.saturating_sub(others.chunks);
        self.encoded = self.encoded.saturating_sub(others.encoded);
        self.titled = self.titled.saturating_sub(others.titled);
        self.worded = self.worded.saturating_sub(others.worded);
    }

    /// The chunks that have a term in a field.
    pub(crate) fn having(&self, part: Part) -> u64 {
        match part {
            Part::Title => self.titled,
            Part::Whole => self.worded,
        }
    }
}

impl Manifest {
    pub(crate) const VERSION: u32 = VERSION;

    /// Reads the manifest of the generation in `index`.
    ///
    /// # Errors
    /// [`Error::Cluster`] where it is missing, or of a version that this retune can't read.
    pub(crate) fn read(client: &Client, names: &Names, id: GenerationId) -> Result<Manifest> {
        const DOING: &str = "read the manifest of the generation at";
        let path = format!("/{}/_doc/{}", names.state(), key(id));
        let call =
            Call { doing: DOING, method: Method::Get, path: &path, body: Body::None, repeat: Repeat::Safe };
        let body = client.ask(&call)?;
        let source = &body["_source"]["manifest"];
        let version =
            source["version"].as_u64().ok_or_else(|| unexpected(DOING, client.at(&path), "a version"))?;
        if !(u64::from(OLDEST)..=u64::from(VERSION)).contains(&version) {
            return Err(Error::Cluster {
                doing: DOING,
                at: client.at(&path),
                found: format!("format version {version}, but this retune reads up to version {VERSION}"),
                remedy: "use the retune that wrote it, or migrate the index again",
            });
        }
        let wrong = |found: String| {
            let (at, remedy) = (client.at(&path), "migrate the index again");
            Error::Cluster { doing: DOING, at, found, remedy }
        };
        let read: Manifest =
            serde_json::from_value(source.clone()).map_err(|error| wrong(error.to_string()))?;
        match &read.encoder {
            Some(encoder) if !encoder.is_sound() => Err(wrong("files that can't be put together".into())),
            Some(encoder) if !encoder.fits(read.weights) => {
                Err(wrong(format!("an encoder of queries for other vectors than those of {}", read.weights)))
            }
            _ => Ok(read),
        }
    }

    /// Whether a search finds the same in another generation. Where the folders are others, so are the passages, or
    /// the index was made again and follows none yet.
    pub(crate) fn is_as(&self, other: &Manifest) -> bool {
        self.passages() == other.passages()
            && *self
                == Manifest {
                    generation: self.generation,
                    replaces: self.replaces,
                    passages: self.passages,
                    model: self.model.clone(),
                    folders: self.folders.clone(),
                    origin: self.origin.clone(),
                    created_ms: self.created_ms,
                    ..other.clone()
                }
    }

    /// The generation whose index has the passages.
    pub(crate) fn passages(&self) -> GenerationId {
        self.passages.unwrap_or(self.generation)
    }

    /// SHA-256 of the weights that encode queries.
    pub(crate) fn query_weights(&self) -> Digest {
        self.encoder.as_ref().map_or(self.weights, |encoder| encoder.weights)
    }

    /// Where the model was that has made the vectors, if no round has trained it.
    pub(crate) fn first_of_passages(&self) -> Option<&Path> {
        let first = self.origin.as_ref().and_then(|origin| origin.first.as_ref());
        first.filter(|first| first.weights == self.weights).map(|first| &*first.folder)
    }

    /// Takes the number of a new generation, for whoever is called `holder`: no other gets it, even if this one never
    /// comes to be. So nobody who has lost the lease unnoticed fills, moves or drops an index of a later holder.
    ///
    /// # Errors
    /// [`Error::Cluster`] if somebody else has it.
    pub(crate) fn take_number(client: &Client, names: &Names, id: GenerationId, holder: &str) -> Result<()> {
        const DOING: &str = "take the number of the generation at";
        let path = format!("/{}/_create/{}-taken?refresh=true", names.state(), key(id));
        let body = json!({ "generation": id, "holder": holder });
        let body = Body::Json(&body);
        let call = Call { doing: DOING, method: Method::Put, path: &path, body, repeat: Repeat::Safe };
        let (status, body) = client.answer(&call)?;
        match status {
            200..300 => Ok(()),
            409 => {
                let path = format!("/{}/_doc/{}-taken", names.state(), key(id));
                let (method, body) = (Method::Get, Body::None);
                let taken =
                    client.ask(&Call { doing: DOING, method, path: &path, body, repeat: Repeat::Safe })?;
                match taken["_source"]["holder"].as_str() {
                    // By an attempt whose answer was lost.
                    Some(by) if by == holder => Ok(()),
                    by => Err(Error::Cluster {
                        doing: DOING,
                        at: client.at(&path),
                        found: format!("it taken by {}", by.unwrap_or("somebody")),
                        remedy: "see whether another migration is at work, then try again",
                    }),
                }
            }
            status => Err(refused(DOING, client.at(&path), status, &body)),
        }
    }

    /// Writes the manifest of a new generation.
    pub(crate) fn write(&self, client: &Client, names: &Names) -> Result<()> {
        const DOING: &str = "write the manifest of the generation to";
        let path = format!("/{}/_create/{}?refresh=true", names.state(), key(self.generation));
        let body = json!({ "generation": self.generation, "manifest": self });
        let body = Body::Json(&body);
        let call = Call { doing: DOING, method: Method::Put, path: &path, body, repeat: Repeat::Safe };
        match client.answer(&call)? {
            (200..300, _) => Ok(()),
            // Written by an attempt whose answer was lost. Under the lease nobody else writes.
            (409, _) if Manifest::read(client, names, self.generation)? == *self => Ok(()),
            (status, body) => Err(refused(DOING, client.at(&path), status, &body)),
        }
    }

    /// Deletes what is left of a generation that was dropped. Its number is lower than the serving one's: else another
    /// could get it.
    pub(super) fn delete(client: &Client, names: &Names, id: GenerationId) -> Result<()> {
        const DOING: &str = "delete the manifest of a dropped generation at";
        for document in [key(id), format!("{}-taken", key(id))] {
            let path = format!("/{}/_doc/{document}", names.state());
            let (method, body) = (Method::Delete, Body::None);
            match client.answer(&Call { doing: DOING, method, path: &path, body, repeat: Repeat::Safe })? {
                (200..300 | 404, _) => {}
                (status, body) => return Err(refused(DOING, client.at(&path), status, &body)),
            }
        }
        Ok(())
    }

    /// The highest number that a generation has, or was to have.
    pub(crate) fn highest(client: &Client, names: &Names) -> Result<Option<GenerationId>> {
        const DOING: &str = "list the generations at";
        let path = format!("/{}/_search?allow_partial_search_results=false", names.state());
        let query = json!({
            "size": 1, "_source": ["generation"], "sort": [{ "generation": "desc" }],
            "query": { "exists": { "field": "generation" } },
        });
        let body = Body::Json(&query);
        let call = Call { doing: DOING, method: Method::Post, path: &path, body, repeat: Repeat::Safe };
        let found = client.ask(&call)?;
        Ok(found["hits"]["hits"][0]["_source"]["generation"].as_u64().map(GenerationId))
    }
}

fn key(id: GenerationId) -> String {
    format!("g{:06}", id.0)
}

/// The mapping of the index of manifests, the lease and [jobs](super::jobs).
pub(super) fn state_mapping() -> Json {
    json!({
        "settings": { "index": { "number_of_shards": 1, "auto_expand_replicas": "0-2" } },
        "mappings": { "dynamic": "strict", "properties": {
            "generation": { "type": "long" },
            "manifest": { "type": "object", "enabled": false },
            "holder": { "type": "keyword" },
            "beat": { "type": "long" },
            "kind": { "type": "keyword" },
            "job": { "type": "object", "enabled": false },
            "slice": { "type": "object", "enabled": false },
        } },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_generations_are_read_back() {
        let names = Names::of("docs".into());
        for id in [1, 999_999, 1_234_567].map(GenerationId) {
            assert_eq!(names.id_of(&names.generation(id)), Some(id));
        }
        for other in ["docs", "docs-state", "docs-g1", "docs-gx00001", "docs2-g000001"] {
            assert_eq!(names.id_of(other), None, "{other}");
        }
    }
}
