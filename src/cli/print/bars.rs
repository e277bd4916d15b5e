//! Progress bars on standard error, shown on a terminal only.

use std::ops::ControlFlow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use retune::folders::IndexProgress;
use retune::measure::Progress;
use retune::{LearnProgress, Mode, OpenProgress};

const COUNTS: &str = "{msg:20} {wide_bar} {human_pos}/{human_len} {eta:>5}";
const BYTES: &str =
    "{msg:20} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta:>5} left";

/// A bar that counts to `total`.
pub(crate) fn counting_bar(what: &'static str, total: u64) -> ProgressBar {
    let bar = bar(Some(total), COUNTS);
    bar.set_message(what);
    bar
}

/// For work of unknown size.
pub(crate) fn spinner() -> ProgressBar {
    bar(None, "{spinner} {msg} {elapsed}")
}

fn bar(total: Option<u64>, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A bar for each step of a measurement or a round; only the current one is shown.
#[derive(Default)]
pub(crate) struct Bars {
    current: Option<(Step, ProgressBar)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Looking,
    Reading,
    Encoding,
    Adding,
    Merging,
    Timing,
    Ranking(Mode),
    Weights,
    Asking,
    Learning,
    #[cfg(feature = "opensearch")]
    Migrating,
    Renewing,
    Repairing,
}

impl Step {
    fn bar(self) -> ProgressBar {
        match self {
            Step::Looking => spinner(),
            Step::Reading | Step::Adding => bar(Some(0), BYTES),
            Step::Encoding => counting_bar("encoding passages", 0),
            Step::Merging => counting_bar("merging segments", 0),
            Step::Timing => counting_bar("timing", 0),
            Step::Ranking(mode) => counting_bar(mode.name(), 0),
            Step::Weights => counting_bar("weights", 0),
            Step::Asking => counting_bar("searching, judging", 0),
            Step::Learning => counting_bar("collecting", 0),
            #[cfg(feature = "opensearch")]
            Step::Migrating => counting_bar("copying passages", 0),
            Step::Renewing => counting_bar("renewing the words", 0),
            Step::Repairing => counting_bar("repairing vectors", 0),
        }
    }
}

impl Bars {
    /// For measurements, which it never stops.
    pub(crate) fn show(&mut self, progress: Progress) -> ControlFlow<()> {
        match progress {
            Progress::Adding { bytes, total_bytes, encoded } => {
                let bar = self.step(Step::Adding, bytes, total_bytes);
                bar.set_message(format!("{encoded} documents encoded"));
            }
            Progress::Merging { done, total } => self.count(Step::Merging, done, total),
            Progress::Timing { done, total } => self.count(Step::Timing, done, total),
            Progress::Ranking { mode, done, total } => self.count(Step::Ranking(mode), done, total),
            Progress::Weights { done, total } => self.count(Step::Weights, done, total),
            Progress::Asking { done, total } => self.count(Step::Asking, done, total),
            Progress::Learning(LearnProgress { stage, done, total, .. }) => {
                self.step(Step::Learning, done as u64, total as u64).set_message(stage.to_string());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// For [`Engine::index_folder`](retune::Engine::index_folder), which it never stops.
    pub(crate) fn show_indexing(&mut self, progress: IndexProgress) -> ControlFlow<()> {
        match progress {
            IndexProgress { total_chunks: total @ 1.., chunks, .. } => {
                self.count(Step::Encoding, chunks, total)
            }
            IndexProgress { total_bytes: total @ 1.., bytes, .. } => {
                self.step(Step::Reading, bytes, total).set_message("reading");
            }
            IndexProgress { files, .. } => {
                self.step(Step::Looking, 0, 0).set_message(format!("{files} files looked at"));
            }
        }
        ControlFlow::Continue(())
    }

    /// For [`Engine::watch`](retune::Engine::watch).
    pub(crate) fn show_encoding(&mut self, done: usize, total: usize) {
        self.count(Step::Encoding, done, total);
        if done == total {
            self.clear();
        }
    }

    /// For [`Engine::open_with`](retune::Engine::open_with), which it never stops.
    pub(crate) fn show_opening(&mut self, progress: OpenProgress) -> ControlFlow<()> {
        match progress {
            OpenProgress::Lexical { done, total } => self.count(Step::Renewing, done, total),
            OpenProgress::Vectors { done, total } => self.count(Step::Repairing, done, total),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// For [`Reader::migrate`](retune::Reader::migrate), which it never stops.
    #[cfg(feature = "opensearch")]
    pub(crate) fn show_migrating(&mut self, progress: retune::cluster::MigrateProgress) -> ControlFlow<()> {
        self.step(Step::Migrating, progress.done, progress.total);
        ControlFlow::Continue(())
    }

    /// For [`Engine::learn_from_cluster`](retune::Engine::learn_from_cluster), which it never stops.
    #[cfg(feature = "opensearch")]
    pub(crate) fn show_workers(&mut self, progress: retune::cluster::EncodeProgress) -> ControlFlow<()> {
        let retune::cluster::EncodeProgress { done, total, workers, .. } = progress;
        self.step(Step::Learning, done, total).set_message(format!("encoding, {workers} workers"));
        ControlFlow::Continue(())
    }

    /// For [`Engine::learn`](retune::Engine::learn), which it never stops.
    pub(crate) fn show_learning(&mut self, progress: LearnProgress) -> ControlFlow<()> {
        self.show(Progress::Learning(progress))
    }

    /// Removes the bar, before something is printed.
    pub(crate) fn clear(&mut self) {
        if let Some((_, bar)) = self.current.take() {
            bar.finish_and_clear();
        }
    }

    fn count(&mut self, step: Step, done: usize, total: usize) {
        self.step(step, done as u64, total as u64);
    }

    /// The bar of a step. The bar of the step before is removed.
    fn step(&mut self, step: Step, done: u64, total: u64) -> &ProgressBar {
        if self.current.as_ref().is_none_or(|(current, _)| *current != step) {
            self.clear();
        }
        let (_, bar) = self.current.get_or_insert_with(|| (step, step.bar()));
        bar.set_length(total);
        bar.set_position(done);
        bar
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
    }
}
