//! `retune service install|show|remove`: has `retune serve` started when its user logs in, by systemd or launchd.

mod launchd;
mod manager;
mod systemd;
mod unit;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use retune::{Error, Result};
use serde::Serialize;

use super::args::Place;
use super::print::{Output, Text, complain};
use manager::Manager;
use unit::{Call, Unit};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Write the unit. It is started only with --start.
    Install(Install),
    /// Show the unit as it would be written, and where.
    Show(Install),
    /// Stop the service and remove its unit.
    Remove(Remove),
}

#[derive(clap::Args)]
struct Install {
    #[command(flatten)]
    place: Place,
    /// The TCP port to serve on. Default: as `retune serve`.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Start it now, and from now on with each login.
    #[arg(long)]
    start: bool,
}

#[derive(clap::Args)]
struct Remove {
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Report<'a> {
    path: PathBuf,
    unit: &'a str,
    written: bool,
    started: bool,
}

#[derive(Serialize)]
struct Removed {
    path: PathBuf,
    removed: bool,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    match &args.what {
        What::Install(args) => install(args, true, out),
        What::Show(args) => install(args, false, out),
        What::Remove(args) => remove(args, out),
    }
}

fn install(args: &Install, write: bool, out: &Output) -> Result<()> {
    let unit = Unit::of(&args.place, args.port)?;
    let (manager, path) = (Manager::here()?, Manager::here()?.path(&unit)?);
    let text = manager.text(&unit);
    let started = write && args.start;
    if write {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed("create", folder.into()))?;
        }
        fs::write(&path, &text).map_err(failed("write", path.clone()))?;
    }
    if started {
        manager.start(&unit, &path).iter().try_for_each(run_call)?;
    }
    let report = Report { path, unit: &text, written: write, started };
    out.print(&report, |report| {
        let path = report.path.display();
        let mut shown = Text::default();
        report.unit.lines().for_each(|line| shown.line(line.to_string()));
        shown.line("");
        shown.line(match (write, started) {
            (true, true) => format!("written to {path} and started"),
            (true, false) => {
                format!("written to {path}; not started: {}", said(&manager.start(&unit, &report.path)))
            }
            (false, _) => format!("`retune service install` writes this to {path}"),
        });
        shown
    })
}

fn remove(args: &Remove, out: &Output) -> Result<()> {
    let unit = Unit::of(&args.place, None)?;
    let (manager, path) = (Manager::here()?, Manager::here()?.path(&unit)?);
    let removed = path.exists();
    if removed {
        // It may not be running, or there may be no manager in this session.
        if let Err(error) = manager.stop(&unit).iter().try_for_each(run_call) {
            complain(&error.to_string());
        }
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove", path)(error)),
        _ => {}
    }
    out.print(&Removed { path, removed }, |report| {
        let path = report.path.display();
        Text::of(match report.removed {
            true => format!("{path} is removed"),
            false => format!("there is no {path}"),
        })
    })
}

fn run_call(call: &Call) -> Result<()> {
    let failed = |source| Error::Io { doing: "run", path: call.program.into(), source };
    let status = Command::new(call.program).args(&call.arguments).status().map_err(failed)?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(std::io::Error::other(format!("{call} ended with {status}")))),
    }
}

/// How a user does it by hand.
fn said(calls: &[Call]) -> String {
    calls.iter().map(|call| format!("`{call}`")).collect::<Vec<_>>().join(", then ")
}

fn failed(doing: &'static str, path: PathBuf) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io { doing, path, source }
}
