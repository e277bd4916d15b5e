//! The local service: one process that holds an index, keeps it in step with its folders, learns, and answers the
//! page, the JSON API, MCP and the program's other verbs. Over an index on a cluster it answers page, API and MCP
//! alone.
//!
//! Everything blocking goes through `work` or has a thread of its own; the rest never waits. docs/serve.md describes
//! the API and what is refused.

mod activity;
mod agents;
mod answers;
mod assets;
#[cfg(unix)]
mod calls;
mod changes;
mod connections;
mod documents;
mod events;
mod failure;
mod gone;
mod guard;
mod headers;
mod indexer;
mod media;
mod options;
mod request;
mod routes;
mod server;
#[cfg(unix)]
mod socket;
mod state;
mod work;

pub use options::ServeOptions;
pub use server::Server;
