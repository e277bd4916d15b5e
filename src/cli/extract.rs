//! `retune extract`, hidden: what reads files that are not text, in a process of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use retune::extract::{ChildProcess, print, serve};
use retune::{Error, Result};

use super::print::complain;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print the text of this file. Default: read what another retune asks for.
    file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let Some(file) = &args.file else { return serve() };
    match print(file, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&format!("could not read {}: {why}", file.display()));
            ExitCode::FAILURE
        }
    }
}

/// This program as what reads files for itself.
///
/// # Errors
/// If the system doesn't say where the program lies.
pub(super) fn children() -> Result<ChildProcess> {
    let doing = "find the path of";
    let program =
        std::env::current_exe().map_err(|source| Error::Io { doing, path: "retune".into(), source })?;
    Ok(ChildProcess::new(program, ["extract"]))
}
