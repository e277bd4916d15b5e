//! The index as tools for agents: over standard input and output, and over HTTP.

mod agent;
mod beside;
mod bounds;
mod http;
mod picks;
mod protocol;
mod tools;
mod wire;
