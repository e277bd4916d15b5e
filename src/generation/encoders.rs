//! The encoders of a generation, loaded at once or when they are needed.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::query_side::QuerySide;
use crate::encoder::Encoder;
use crate::error::Result;

/// The document encoder, and the query side.
#[derive(Debug)]
pub(super) struct Encoders {
    pub(super) documents: Arc<Encoder>,
    pub(super) queries: QuerySide,
}

/// Encoders that are loaded by the first call that needs them.
#[derive(Debug, Default)]
pub(super) struct LazyEncoders {
    loaded: OnceLock<Encoders>,
    /// Held while they are loaded.
    loading: Mutex<()>,
}

impl LazyEncoders {
    pub(super) fn loaded(encoders: Encoders) -> LazyEncoders {
        LazyEncoders { loaded: encoders.into(), loading: Mutex::default() }
    }

    pub(super) fn if_loaded(&self) -> Option<&Encoders> {
        self.loaded.get()
    }

    /// The encoders. One call loads them, while others wait; after an error the next call tries again.
    pub(super) fn get(&self, load: impl FnOnce() -> Result<Encoders>) -> Result<&Encoders> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        match self.loaded.get() {
            Some(loaded) => Ok(loaded),
            None => {
                let encoders = load()?;
                Ok(self.loaded.get_or_init(|| encoders))
            }
        }
    }
}
