//! Slices of a job: who works at them, and how far they are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::job::Job;
use super::{KIND, SLICE, document};
use crate::error::{Error, Result};
use crate::ids::ChunkId;
use crate::store::opensearch::beating::Beating;
use crate::store::opensearch::client::{Body, Call, Client, Method};
use crate::store::opensearch::failure::unexpected;
use crate::store::opensearch::manifest::Names;
use crate::store::opensearch::retry::Repeat;
use crate::store::opensearch::versioned::{Version, beat};

/// Slices that are asked for at once.
const PAGE: usize = 1000;

/// How far a slice is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The last passage that the index has.
    behind: Option<ChunkId>,
    /// Passages so far.
    passages: u64,
    is_done: bool,
}

/// A slice as others see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SliceState {
    /// Who works at it, unless it was given back.
    pub(super) holder: Option<String>,
    pub(super) position: Position,
    /// `None` if nobody has ever had it.
    pub(super) version: Option<Version>,
}

impl SliceState {
    /// All slices of a job.
    pub(crate) fn all(client: &Client, names: &Names, job: &Job) -> Result<Vec<SliceState>> {
        let mut all = vec![SliceState::default(); job.starts.len()];
        SliceState::renew(&mut all, client, names, job)?;
        Ok(all)
    }

    /// Looks at all slices of a job again. One that is done stays so.
    pub(crate) fn renew(all: &mut [SliceState], client: &Client, names: &Names, job: &Job) -> Result<()> {
        const DOING: &str = "look who encodes which passages at";
        let open: Vec<usize> = (0..all.len()).filter(|&number| !all[number].is_done()).collect();
        let path = format!("/{}/_mget", names.state());
        for page in open.chunks(PAGE) {
            let ids: Vec<String> = page.iter().map(|&number| id(job, number)).collect();
            let asked = json!({ "ids": ids });
            let (method, body) = (Method::Post, Body::Json(&asked));
            let call = Call { doing: DOING, method, path: &path, body, repeat: Repeat::Safe };
            let mut found = client.ask(&call)?;
            let documents = found["docs"].as_array_mut().filter(|documents| documents.len() == page.len());
            let lacks = || unexpected(DOING, client.at(&path), "a document for each id");
            for (&number, document) in page.iter().zip(documents.ok_or_else(lacks)?) {
                all[number] = SliceState::of(document).ok_or_else(lacks)?;
            }
        }
        Ok(())
    }

    fn of(document: &mut Json) -> Option<SliceState> {
        if !document["found"].as_bool()? {
            return Some(SliceState::default());
        }
        let version = Version::of(document);
        let holder = document["_source"]["holder"].as_str().map(str::to_string);
        let position = serde_json::from_value(document["_source"][SLICE].take()).ok()?;
        version.map(|version| SliceState { holder, position, version: Some(version) })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.position.is_done
    }

    /// Passages that have their vectors.
    pub(crate) fn passages(&self) -> u64 {
        self.position.passages
    }

    #[cfg(test)]
    pub(super) fn sample(holder: Option<&str>, version: u64, passages: u64, is_done: bool) -> SliceState {
        SliceState {
            holder: holder.map(str::to_string),
            position: Position { behind: None, passages, is_done },
            version: Some(Version::sample(version)),
        }
    }
}

/// A slice that this process works at, until it is dropped: then it is given back, unless it is done.
pub(crate) struct Slice {
    pub(crate) number: usize,
    holder: String,
    position: Arc<Mutex<Position>>,
    beating: Beating,
    at: String,
    is_over: bool,
}

impl Slice {
    /// Takes a slice that was seen in this state. `None` if it no longer is.
    pub(crate) fn take(
        client: &Arc<Client>,
        names: &Names,
        job: &Job,
        number: usize,
        seen: &SliceState,
        holder: &str,
    ) -> Result<Option<Slice>> {
        let document = document(client, names, id(job, number), "take passages to encode at");
        let (begun, holder) = (Instant::now(), holder.to_string());
        let Some(version) = document.write(seen.version, &body(Some(&holder), seen.position))? else {
            return Ok(None);
        };
        let position = Arc::new(Mutex::new(seen.position));
        let at = client.at(&format!("/{}/_doc/{}", document.index, document.id));
        let beating = Beating::begin(document, version, begun, {
            let (holder, position) = (holder.clone(), Arc::clone(&position));
            move || body(Some(&holder), *position.lock().unwrap_or_else(PoisonError::into_inner))
        })?;
        Ok(Some(Slice { number, holder, position, beating, at, is_over: false }))
    }

    /// The last passage that the index has.
    pub(crate) fn behind(&self) -> Option<ChunkId> {
        self.position().behind
    }

    /// Says that the index has so many passages more, up to this one.
    pub(crate) fn advance(&self, to: ChunkId, passages: u64) {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        (position.behind, position.passages) = (Some(to), position.passages + passages);
    }

    /// Fails if somebody else has taken it over, or may have.
    pub(crate) fn check(&self) -> Result<()> {
        match self.beating.doubt() {
            None => Ok(()),
            Some(doubt) => Err(Error::Cluster {
                doing: "go on with the passages of",
                at: self.at.clone(),
                found: format!("them {doubt}"),
                remedy: "nothing has to be done: that one goes on",
            }),
        }
    }

    /// Says that all its passages are there. Returns whether it was still this process's.
    pub(crate) fn finish(mut self) -> Result<bool> {
        self.is_over = true;
        let done = Position { is_done: true, ..self.position() };
        self.beating.end_with(&body(Some(&self.holder), done))
    }

    fn position(&self) -> Position {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        if let Err(error) = self.beating.end_with(&body(None, self.position())) {
            tracing::warn!(%error, "passages to encode were not given back: others take them over after a while");
        }
    }
}

fn id(job: &Job, number: usize) -> String {
    format!("slice-{:06}-{number:05}", job.generation.0)
}

fn body(holder: Option<&str>, position: Position) -> Json {
    let mut body = beat(holder.unwrap_or_default());
    if holder.is_none() {
        body["holder"] = Json::Null;
    }
    body[KIND] = json!(SLICE);
    body[SLICE] = json!(position);
    body
}
