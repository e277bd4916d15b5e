//! Indexes on a cluster, against a real one: RETUNE_TEST_STORE has the URLs of its nodes. `just cluster` starts one.
//! Without it these tests say that they were skipped. Those that end nodes need RETUNE_TEST_NODES, the folder of the
//! scripts that do.

mod answers;
mod changes;
#[path = "../it/common/tiny.rs"]
mod common;
mod evaluations;
mod faults;
mod feedback;
mod forgetting;
mod learning;
mod learnt;
mod migrations;
mod others;
mod program;
mod rounds;
mod support;
mod swaps;
