//! A finder in the terminal: results while one types, each with its text, and what is opened is a pick.
//!
//! [`run`] takes over the terminal. The state (`state.rs`) changes by events alone (`update.rs`, `picking.rs`), says
//! what is to be done (`event.rs`), and is drawn as it is (`draw.rs`): none of the three waits for anything. Threads
//! (`asking.rs`, `keyboard.rs`) ask the index and read the keyboard. What users see of it: docs/find.md.

mod asking;
mod draw;
mod event;
mod excerpt;
mod filters;
mod found;
mod keyboard;
mod keys;
mod layout;
mod line;
mod list;
mod picking;
mod preview;
mod run;
mod screen;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod theme;
mod update;

pub use event::{Look, Picked};
pub use run::{FindOptions, run};
pub use screen::Stream;
pub use source::Source;
