//! Indexes on a cluster, against a real one: RETUNE_TEST_STORE has the URLs of its nodes. `just cluster` starts one.
//! Without it these tests say that they were skipped. Those that end nodes need RETUNE_TEST_NODES, the folder of the
//! scripts that do.

mod agents;
mod answers;
mod changes;
#[expect(dead_code, reason = "the tests of the page use the rest")]
#[path = "../it/browser/chromium.rs"]
mod chromium;
#[path = "../it/common/tiny.rs"]
mod common;
mod counts;
#[cfg(target_os = "linux")]
#[path = "../it/cli/desk.rs"]
mod desk;
mod editing;
mod evaluations;
mod faults;
mod feedback;
#[cfg(target_os = "linux")]
mod finder;
mod forgetting;
mod learning;
mod learnt;
mod meanwhile;
mod migrations;
mod operators;
mod others;
mod page;
mod program;
mod restored;
mod rounds;
mod secured;
mod service;
mod site;
mod support;
mod swaps;
#[path = "../it/serve/validate.rs"]
mod validate;
mod workers;
