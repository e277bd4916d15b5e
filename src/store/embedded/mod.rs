//! The index of this machine: a lexical commit, and a generation with its vectors.

mod query;
mod restrict;

use std::sync::Arc;

use self::query::EmbeddedQuery;
use self::restrict::Restricted;
use super::coverage::Coverage;
use super::restriction::Restrictions;
use super::state::Store;
use crate::error::Result;
use crate::fusion::Fusion;
use crate::generation::Pinned;
use crate::lexical::LexicalSnapshot;

/// The state that a search reads: a lexical commit and a generation, pinned together.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) lexical: LexicalSnapshot,
    pub(crate) pinned: Pinned,
}

impl Snapshot {
    /// How much of the index has vectors.
    pub(crate) fn coverage(&self) -> Coverage {
        let encoded = self.pinned.dense.len();
        Coverage { encoded, chunks: encoded + self.pinned.dense.missing().len() }
    }
}

impl Store for Snapshot {
    type Query<'s> = EmbeddedQuery<'s>;

    fn look_up<'s>(&'s self, text: &str, restrictions: &Restrictions<'_>) -> Result<EmbeddedQuery<'s>> {
        let Restricted { allowed, terms } = Restricted::of(&self.lexical, restrictions)?;
        let words = self.lexical.prepare_with_terms(text, &terms)?;
        Ok(EmbeddedQuery { lexical: &self.lexical, dense: &self.pinned.dense, words, allowed })
    }

    fn encode_query(&self, text: &str) -> Result<Arc<[f32]>> {
        self.pinned.generation.encode_query(text)
    }

    fn fusion(&self) -> Fusion {
        self.pinned.generation.meta.fusion
    }

    fn coverage(&self) -> Coverage {
        Snapshot::coverage(self)
    }
}
