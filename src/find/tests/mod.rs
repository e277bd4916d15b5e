//! The finder as its users meet it, without a terminal and without an index.

mod looks;
mod picks;
mod stand;
mod typing;
