//! What a tool has to say.

use serde_json::Value;

/// The same twice: as text, which is short, and as JSON.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) json: Value,
}
