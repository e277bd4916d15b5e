//! `retune encode-worker`: encodes passages for rounds of learning on another machine.

use std::ops::ControlFlow;

use retune::cluster::{Cluster, WorkerProgress, WorkerReport};
use retune::encoder::Device;
use retune::{Options, Result};

use super::print::{Bars, Output, Text};
use super::stop::Stop;

#[derive(clap::Args)]
pub(super) struct Args {
    /// An index on an OpenSearch cluster: its nodes, separated by commas, and the index's name behind the last one, as
    /// http://search-1:9200,http://search-2:9200/NAME. The name may be left out where there is one index. The
    /// environment says who asks: RETUNE_STORE_USER and RETUNE_STORE_PASSWORD, or RETUNE_STORE_API_KEY.
    #[arg(long, value_name = "URL", env = "RETUNE_STORE")]
    store: String,
    /// Where the encoder computes: cpu, candle-cpu (a slow reference), or cuda:N or metal in builds with that feature.
    #[arg(long, default_value = "cpu")]
    device: Device,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let stop = Stop::on_signals()?;
    let options = Options::default().with_device(args.device).with_lazy_model(true);
    let cluster = Cluster::open(&args.store, &options)?;
    out.say(&Text::of("waiting for passages to encode; Ctrl-C ends it".to_string()));
    let (mut bars, mut failed) = (Bars::default(), Ok(()));
    let worked = cluster.encode_for_rounds(&mut |progress| {
        match progress {
            WorkerProgress::Encoding { done, total } => bars.show_encoding(done as usize, total as usize),
            WorkerProgress::Ended(report) => {
                bars.clear();
                failed = out.print(&report, ended_text);
            }
            _ => bars.clear(),
        }
        match failed.is_err() {
            // Nobody reads any more.
            true => ControlFlow::Break(()),
            false => stop.go_on(),
        }
    });
    bars.clear();
    worked.and(failed).and(cluster.close())
}

fn ended_text(report: &WorkerReport) -> Text {
    let WorkerReport { name, passages, slices, seconds, .. } = report;
    let rate = *passages as f64 / seconds.max(f64::EPSILON);
    Text::of(format!(
        "{name}: {passages} passages encoded, {slices} slices ended, in {seconds:.1} s ({rate:.0}/s)"
    ))
}
