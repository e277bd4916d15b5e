//! The local service: its API, what it refuses, and the program's verbs beside it.

mod answers;
mod beside;
mod crowd;
mod described;
mod installed;
mod lifetime;
mod log;
mod refused;
mod similar;
pub mod site;
mod validate;
