//! One call of a tool.

use super::conversation::Conversation;
use super::index::Index;

/// What a tool works with.
pub(super) struct Asking<'a> {
    pub(super) index: &'a Index,
    pub(super) conversation: &'a Conversation,
    /// The agent's name.
    pub(super) agent: &'a str,
    /// Whether the agent no longer wants the answer.
    pub(super) is_cancelled: &'a dyn Fn() -> bool,
}
