//! `retune watch`: keeps an index in step with its folders until it is stopped.

use std::ops::ControlFlow;

use retune::folders::{Folder, IndexReport, WatchEvent, WatchOptions};
use retune::{Engine, Error, Options, Result};

use super::args::{Place, Wait};
use super::extract;
use super::print::{Bars, Output, Text, complain};
use super::stop::Stop;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let served = args.place.served();
    // What a service tells is not waited for: Ctrl-C ends this program as any other.
    let stop = served.is_none().then(Stop::on_signals).transpose()?;
    let (mut bars, mut failed) = (Bars::default(), Ok(()));
    let mut tell = |event| {
        match event {
            WatchEvent::Watching(folders) => out.say(&Text::of(watching(&folders))),
            WatchEvent::WithoutEvents(error) => complain(&without_events(&error)),
            WatchEvent::Changed(report) => {
                bars.clear();
                failed = out.print(&report, |report| Text::of(changed(report)));
            }
            WatchEvent::Encoding { done, total } => bars.show_encoding(done, total),
            WatchEvent::Failed(error) => complain(&error.to_string()),
            _ => {}
        }
        match &stop {
            // Nobody reads any more.
            _ if failed.is_err() => ControlFlow::Break(()),
            Some(stop) => stop.go_on(),
            None => ControlFlow::Continue(()),
        }
    };
    match served {
        Some(served) => served.watch(&mut tell)?,
        None => watch(args, &mut tell)?,
    }
    bars.clear();
    failed
}

fn watch(args: &Args, tell: &mut dyn FnMut(WatchEvent) -> ControlFlow<()>) -> Result<()> {
    let options = args.wait.apply(Options::default()).with_lazy_model(true);
    let options = options.with_extractor(std::sync::Arc::new(extract::children()?));
    let engine = Engine::open(args.place.existing()?, args.place.model.apply(options))?;
    engine.watch(&WatchOptions::default(), tell).and(engine.close())
}

fn watching(folders: &[Folder]) -> String {
    let paths: Vec<String> = folders.iter().map(|folder| folder.path.display().to_string()).collect();
    format!("watching {}; Ctrl-C ends it", paths.join(", "))
}

fn without_events(error: &Error) -> String {
    format!(
        "{error}; looking once a minute instead (on Linux, raise fs.inotify.max_user_watches for many folders)"
    )
}

fn changed(report: &IndexReport) -> String {
    format!("{} files read, {} removed, in {:.1} s", report.read, report.removed, report.words_seconds)
}
