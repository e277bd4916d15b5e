//! `retune serve [DIR]…`: the page, the API and the other verbs, over one process that holds the index.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use retune::access::Served;
use retune::serve::{ServeOptions, Server};
use retune::{CorpusOptions, Engine, Error, IdleOptions, LearnPolicy, Options, Result};
use serde::Serialize;

#[cfg(feature = "opensearch")]
use super::args::Store;
use super::args::{Place, Wait, duration};
use super::extract;
use super::index::{keep_out_of_git, where_to};
use super::print::{Bars, Output, Text};

/// Judgements after which a round is worth its time.
const ENOUGH: usize = 20;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Folders of documents, which the index follows from now on; a new one lies in the first. Default: the index that
    /// --dir or the current folder finds.
    #[arg(value_name = "DIR", conflicts_with = "dir")]
    #[cfg_attr(feature = "opensearch", arg(conflicts_with = "store"))]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[cfg(feature = "opensearch")]
    #[command(flatten)]
    store: Store,
    #[command(flatten)]
    wait: Wait,
    /// The TCP port; 0 for any that is free. Default: 7867, or the next one that is free.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// The address to listen on. Any but this machine's own loopback needs --token.
    #[arg(long, value_name = "ADDR")]
    listen: Option<IpAddr>,
    /// What every request over TCP has to present: 16 characters or more. Better in RETUNE_TOKEN than here, where other
    /// users of this machine can see it.
    #[arg(long, value_name = "TOKEN", env = "RETUNE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// End when nothing was asked for so long, such as 30m or 2h, and nothing is being learnt or indexed.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    idle_exit: Option<Duration>,
}

#[derive(Serialize)]
struct Started<'a> {
    url: &'a str,
    index: String,
    pid: u32,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    #[cfg(feature = "opensearch")]
    if let Some(store) = args.store.named(args.place.is_named() || !args.folders.is_empty()) {
        let options = args.place.options().with_lazy_model(false);
        let cluster = retune::cluster::Cluster::open(&store, &options)?;
        return serve(Server::start_on_cluster(cluster, &serve_options(args))?, store, out);
    }
    let (path, folders) = where_to(&args.place, &args.folders)?;
    if let Some(served) = Served::find(&path) {
        let (url, pid) = (&served.record().url, served.record().pid);
        let holder = Some(format!("the service at {url} (process {pid})"));
        return Err(Error::Locked { path, holder });
    }
    let is_new = !path.join("retune.json").is_file();
    if is_new {
        args.place.model.ensure()?;
    }
    let mut bars = Bars::default();
    let engine = Engine::open_with(&path, options(args)?, &mut |progress| bars.show_opening(progress))?;
    bars.clear();
    if is_new {
        keep_out_of_git(&path)?;
    }
    let server = Server::start(engine, &serve_options(args))?;
    if !folders.is_empty() {
        server.follow(folders);
    }
    serve(server, path.display().to_string(), out)
}

/// Until it is stopped.
fn serve(server: Server, index: String, out: &Output) -> Result<()> {
    let started = Started { url: server.url(), index, pid: std::process::id() };
    out.print(&started, |started| {
        Text::of(format!("{} serves {}; Ctrl-C ends it", started.url, started.index))
    })?;
    // What it was stopped for comes first.
    let waited = server.wait();
    let stopped = server.stop();
    waited.and(stopped)
}

fn options(args: &Args) -> Result<Options> {
    let policy = LearnPolicy::after_judgements(ENOUGH).when_idle(IdleOptions::default());
    let options = args.wait.apply(Options::default()).with_policy(policy);
    let options = options
        .with_corpus(CorpusOptions::default())
        .with_extractor(std::sync::Arc::new(extract::children()?));
    Ok(args.place.model.apply(options))
}

fn serve_options(args: &Args) -> ServeOptions {
    let mut options = ServeOptions::default();
    options.port = args.port;
    options.listen = args.listen;
    options.token.clone_from(&args.token);
    options.idle_exit = args.idle_exit;
    options
}
