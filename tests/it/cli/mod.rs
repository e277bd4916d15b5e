//! The program, as a user runs it.

mod bad_input;
mod broken_files;
#[cfg(target_os = "linux")]
mod desk;
mod eval;
mod exchange;
#[cfg(target_os = "linux")]
mod finder;
mod finding;
mod folder;
mod folder_kept;
mod folder_languages;
mod folder_rules;
mod folder_watch;
pub mod harness;
mod inventory;
mod learn;
mod passages;
mod reading;
mod sharing;
mod simulate;
mod terminal;
mod usage;
