//! A job: passages that are to be encoded anew.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{JOB, KIND, document, forget_jobs, prepare};
use crate::encoder::EncoderPrecision;
use crate::error::{Error, Result};
use crate::ids::{ChunkId, GenerationId};
use crate::lexical::Language;
use crate::store::opensearch::client::Client;
use crate::store::opensearch::failure::unexpected;
use crate::store::opensearch::manifest::Names;
use crate::store::opensearch::versioned::{Version, Versioned};
use crate::store::opensearch::weights::StoredEncoder;

/// What jobs say. Raised by what other versions can't read, or would do otherwise.
const VERSION: u32 = 2;

/// A corpus is cut into about as many slices, of at least so many passages.
const SLICES: usize = 1024;
const LEAST: usize = 128;

/// Passages that are to be encoded anew, each with a vector so far. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// A number that no generation gets. The index of that number takes the passages.
    pub(crate) generation: GenerationId,
    /// The generation whose index has them.
    pub(crate) source: GenerationId,
    pub(crate) encoder: StoredEncoder,
    /// What the encoder is to compute in, or what comes next to it on another machine.
    pub(crate) precision: EncoderPrecision,
    pub(crate) language: Language,
    pub(crate) other_languages: Vec<Language>,
    /// The first passage of each slice.
    pub(crate) starts: Vec<ChunkId>,
    pub(crate) passages: u64,
}

/// A job as it was found.
pub(crate) struct Found {
    pub(crate) job: Job,
    /// Who runs the round and has made it.
    pub(crate) holder: String,
    pub(crate) version: Version,
}

impl Job {
    /// The first passage of each slice of these, which ascend.
    pub(crate) fn cut(passages: &[ChunkId]) -> Vec<ChunkId> {
        let size = (passages.len() / SLICES).max(LEAST);
        passages.iter().step_by(size).copied().collect()
    }

    /// Has all workers see the job. Whoever runs the round calls it,
    /// under the lease of whoever writes: a sweep sees the job, or nothing of it.
    ///
    /// # Errors
    /// [`Error::Cluster`] if there is one already: this process has lost its lease, or somebody else had.
    pub(crate) fn put_up(&self, client: &Arc<Client>, names: &Names, holder: &str) -> Result<()> {
        const DOING: &str = "put up the encoding of passages at";
        prepare(client, names)?;
        let of = Versioned { doing: DOING, ..at(client, names) };
        let job = json!({ "version": VERSION, "of": self });
        match of.write(None, &json!({ KIND: JOB, "holder": holder, JOB: job }))? {
            Some(_) => Ok(()),
            None => Err(Error::Cluster {
                doing: DOING,
                at: client.at(&format!("/{}", names.state())),
                found: "one that somebody else has put up".into(),
                remedy: "see whether another round is at work, then try again",
            }),
        }
    }

    /// The job that is there. `None` too for one of another version, which only those of that version work at.
    pub(crate) fn find(client: &Arc<Client>, names: &Names) -> Result<Option<Found>> {
        let of = at(client, names);
        let Some((version, body)) = of.read()? else { return Ok(None) };
        if body[JOB]["version"] != VERSION {
            return Ok(None);
        }
        let lacks = || unexpected(of.doing, client.at(&format!("/{}/_doc/{JOB}", names.state())), "a job");
        let job: Job = serde_json::from_value(body[JOB]["of"].clone()).map_err(|_| lacks())?;
        let holder = body["holder"].as_str().ok_or_else(lacks)?.to_string();
        match job.encoder.is_sound() {
            true => Ok(Some(Found { job, holder, version })),
            false => Err(lacks()),
        }
    }

    /// Whether a job is there as it was found.
    pub(crate) fn is_there(client: &Arc<Client>, names: &Names, version: Version) -> Result<bool> {
        Ok(at(client, names).read()?.is_some_and(|(now, _)| now == version))
    }

    /// Has no worker go on with any job. Only who runs the round calls it, or who has found nobody to run one.
    pub(crate) fn withdraw_all(client: &Client, names: &Names) -> Result<()> {
        forget_jobs(client, names)
    }

    /// Where the passages of a slice begin, and where those of the next one do.
    pub(crate) fn bounds(&self, slice: usize) -> (ChunkId, Option<ChunkId>) {
        (self.starts[slice], self.starts.get(slice + 1).copied())
    }
}

fn at(client: &Arc<Client>, names: &Names) -> Versioned {
    document(client, names, JOB.into(), "look for passages to encode at")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(count: u64) -> Vec<ChunkId> {
        (0..count).map(|at| ChunkId(3 * at + 1)).collect()
    }

    #[test]
    fn every_passage_is_in_one_slice_and_slices_are_neither_small_nor_many() {
        for (count, slices) in [(0, 0), (1, 1), (128, 1), (129, 2), (40_000, 313), (2_000_000, 1025)] {
            let all = passages(count);
            let starts = Job::cut(&all);
            assert_eq!(starts.len(), slices, "{count}");
            assert!(starts.first() == all.first() && starts.is_sorted());
            let sizes = starts.windows(2).map(|pair| (pair[1].0 - pair[0].0) / 3);
            assert!(sizes.clone().all(|size| size == 128.max(count / 1024)), "{count}");
        }
    }
}
