//! `retune man [DIR]`: manual pages.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_mangen::Man;
use retune::{Error, Result};

use super::print::raw;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Write the pages of all commands into this folder, such as ~/.local/share/man/man1. Default: print the first.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn run<C: CommandFactory>(args: &Args) -> Result<()> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        Man::new(C::command())
            .render(&mut page)
            .map_err(failed("make the manual page of", "retune".into()))?;
        return raw(&page);
    };
    std::fs::create_dir_all(folder).map_err(failed("create the folder", folder.clone()))?;
    clap_mangen::generate_to(C::command(), folder).map_err(failed("write manual pages into", folder.clone()))
}

fn failed(doing: &'static str, path: PathBuf) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io { doing, path, source }
}
