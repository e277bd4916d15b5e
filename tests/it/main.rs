//! The engine and the program as their users meet them, on the tiny model.

#[cfg(all(unix, feature = "serve"))]
mod browser;
mod cli;
mod common;
mod desk;
mod dry_run;
mod engine;
mod evaluation_page;
mod exchange;
mod fields;
mod first_model;
mod gate;
mod interrupted;
mod kill;
mod learn;
#[cfg(feature = "serve")]
mod mcp;
mod model_export;
mod opened;
mod page;
mod query_side;
mod repair;
mod reports;
mod schedule;
#[cfg(feature = "serve")]
mod serve;
mod sharing;
mod simulation_page;
mod tokio;
mod trial;
mod words_first;
