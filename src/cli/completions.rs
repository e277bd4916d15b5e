//! `retune completions SHELL`: a script that completes the command line.

use clap::CommandFactory;
use clap_complete::Shell;
use retune::Result;

use super::print::raw;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run<C: CommandFactory>(args: &Args) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "retune", &mut script);
    raw(&script)
}
