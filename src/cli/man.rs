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
        let mut text = Vec::new();
        page::<C>().render(&mut text).map_err(failed("make the manual page of", "retune".into()))?;
        return raw(&text);
    };
    std::fs::create_dir_all(folder).map_err(failed("create the folder", folder.clone()))?;
    clap_mangen::generate_to(command::<C>(), folder)
        .map_err(failed("write manual pages into", folder.clone()))
}

/// The first page.
fn page<C: CommandFactory>() -> Man {
    Man::new(command::<C>())
}

/// The command without its subcommands `help`, which have no pages.
fn command<C: CommandFactory>() -> clap::Command {
    let without = |command: clap::Command| command.disable_help_subcommand(true);
    without(C::command()).mut_subcommands(without)
}

fn failed(doing: &'static str, path: PathBuf) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;

    /// The pages that a page names: `retune\-index(1)`.
    fn named(page: &str) -> Vec<String> {
        let plain = page.replace('\\', "");
        let names = plain.match_indices("(1)").map(|(end, _)| {
            let before = &plain[..end];
            let start = before.rfind(|c: char| !(c.is_ascii_lowercase() || c == '-')).map_or(0, |at| at + 1);
            before[start..].to_string()
        });
        names.collect()
    }

    #[test]
    fn every_page_that_is_named_is_there() {
        let folder = tempfile::tempdir().unwrap();
        run::<Cli>(&Args { folder: Some(folder.path().to_path_buf()) }).unwrap();
        let mut first = Vec::new();
        page::<Cli>().render(&mut first).unwrap();
        let mut pages = vec![String::from_utf8(first).unwrap()];
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(files.map(|file| std::fs::read_to_string(file).unwrap()));
        let names: Vec<String> = pages.iter().flat_map(|page| named(page)).collect();
        assert!(names.contains(&"retune-index".to_string()), "{names:?}");
        for name in names {
            assert!(folder.path().join(format!("{name}.1")).exists(), "{name}");
        }
    }
}
