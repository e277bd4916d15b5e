//! MCP: an index as tools for agents, over standard input and output or over HTTP.
//!
//! What agents read teaches as what people open does: each connection is a session, and reading a document that an
//! answer has shown is noted as opening it. docs/agents.md describes the tools and how agents are set up.

mod arguments;
mod asking;
mod conversation;
mod handler;
mod http;
mod index;
mod judging;
mod listing;
mod reading;
mod searching;
mod status;
mod stdio;
mod text;
mod told;
mod tools;

pub(crate) use http::service;
pub use index::Index;
pub use stdio::serve_stdio;
