//! Where an index lies.

use serde::{Deserialize, Serialize};

/// How a generation is laid out over the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) shards: u32,
    pub(crate) replicas: u32,
}
