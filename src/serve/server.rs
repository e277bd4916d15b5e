//! A running service: started, waited for, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};

use super::activity::{Activity, Event};
#[cfg(unix)]
use super::connections::OVER_SOCKET;
use super::connections::{GRACE, OVER_TCP, Serving, take};
use super::events::watch_status;
use super::gone::{self, Held};
use super::indexer::Indexer;
use super::options::ServeOptions;
use super::routes;
#[cfg(unix)]
use super::socket::Socket;
use super::state::{HeldIndex, Shared, State};
use super::work::REQUESTS;
#[cfg(feature = "opensearch")]
use crate::access::Clustered;
use crate::access::{Access, Own};
#[cfg(feature = "opensearch")]
use crate::engine::Cluster;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Open pages at a time.
const STREAMS: usize = 32;
/// Threads that wait for connections.
const WAITING: usize = 2;
/// Threads that answer, besides those of the processors.
const ANSWERING: usize = 6;
/// How often it is looked whether anybody needs the service.
const IDLE_LOOK: Duration = Duration::from_millis(200);

/// A service that runs until it is stopped. Dropping it stops it, too.
///
/// ```no_run
/// use retune::serve::{ServeOptions, Server};
/// use retune::{Engine, Options};
///
/// # fn main() -> retune::Result<()> {
/// let engine = Engine::open("notes.retune", Options::default())?;
/// let server = Server::start(engine, &ServeOptions::default())?;
/// println!("{}", server.url());
/// server.wait()?;
/// server.stop()
/// # }
/// ```
pub struct Server {
    url: String,
    address: SocketAddr,
    state: Shared,
    /// Of an index of this machine.
    folder: Option<Held>,
    stop: Arc<watch::Sender<bool>>,
    rooms: Vec<(Arc<Semaphore>, u32)>,
    indexer: Option<Indexer>,
    #[cfg(unix)]
    socket: Option<Socket>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Serves an index: over TCP, and over a socket in its folder to the programs of its owner. Watches its folders,
    /// and learns as the engine's policy says. The engine is closed when the service stops.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that can't be used; [`Error::Io`] if the port is taken or the socket can't be
    /// made.
    pub fn start(engine: Engine, options: &ServeOptions) -> Result<Server> {
        let listening = Listening::on(options)?;
        let activity = Arc::new(Activity::new());
        let told = Arc::clone(&activity);
        engine.on_round_end(move || told.tell(Event::Round));
        let (indexer, jobs) = Indexer::start(engine.clone(), Arc::clone(&activity))?;
        let access = Access::Own(Own::new(engine.clone()).paced());
        Server::over(listening, access, Some((HeldIndex { engine, jobs }, indexer)), activity, options)
    }

    /// Serves an index on a cluster, over TCP. Any number of processes may serve it. What is to be logged is sent to
    /// the cluster before the service has stopped.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options that can't be used; [`Error::Io`] if the port is taken.
    #[cfg(feature = "opensearch")]
    pub fn start_on_cluster(cluster: Cluster, options: &ServeOptions) -> Result<Server> {
        let access = Access::Clustered(Box::new(Clustered::new(cluster).paced()));
        Server::over(Listening::on(options)?, access, None, Arc::new(Activity::new()), options)
    }

    fn over(
        listening: Listening,
        access: Access,
        index: Option<(HeldIndex, Indexer)>,
        activity: Arc<Activity>,
        options: &ServeOptions,
    ) -> Result<Server> {
        let Listening { runtime, listener, address } = listening;
        let (index, indexer) = index.unzip();
        let folder = index.as_ref().map(|index| Held::of(index.engine.path()));
        let (stop, stopped) = watch::channel(false);
        let state: Shared = Arc::new(State {
            access: Arc::new(access),
            held: index,
            activity,
            token: options.token.clone().unwrap_or_else(random_token),
            token_for_all: options.token.is_some(),
            requests: Arc::new(Semaphore::new(REQUESTS)),
            streams: Arc::new(Semaphore::new(STREAMS)),
            stop: stopped.clone(),
        });
        let mut server = Server {
            url: url(address),
            address,
            state,
            folder,
            stop: Arc::new(stop),
            rooms: Vec::new(),
            indexer,
            #[cfg(unix)]
            socket: None,
            runtime: None,
        };
        let connected = server.take_connections(&runtime, listener);
        runtime.spawn(watch_status(Arc::clone(&server.state), stopped));
        if let Some(folder) = server.folder.clone() {
            runtime.spawn(stop_when_gone(folder, Arc::clone(&server.stop)));
        }
        if let Some(time) = options.idle_exit {
            runtime.spawn(exit_when_idle(Arc::clone(&server.state), time, Arc::clone(&server.stop)));
        }
        server.runtime = Some(runtime);
        // Where that failed the server is dropped, which stops the rest.
        connected?;
        Ok(server)
    }

    /// What connections of a listener are served with.
    fn serving(&mut self, router: Router, connections: usize) -> Serving {
        let room = Arc::new(Semaphore::new(connections));
        self.rooms.push((Arc::clone(&room), connections as u32));
        Serving { router, room, stop: self.stop.subscribe() }
    }

    fn take_connections(&mut self, runtime: &Runtime, listener: TcpListener) -> Result<()> {
        let over_tcp = self.serving(routes::over_tcp(&self.state), OVER_TCP);
        runtime.spawn(take(listener, over_tcp));
        #[cfg(unix)]
        if let Some(index) = &self.state.held {
            let path = index.engine.path().to_path_buf();
            let over_socket = self.serving(routes::over_socket(&self.state), OVER_SOCKET);
            let _inside = runtime.enter();
            let (socket, listener) = Socket::open(&path, &self.url)?;
            runtime.spawn(take(listener, over_socket));
            self.socket = Some(socket);
        }
        #[cfg(not(unix))]
        tracing::info!("this system has no sockets in folders: other programs don't find the service");
        Ok(())
    }

    /// Where the page is, such as `http://127.0.0.1:7867/`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token that changes need over TCP. The page has it.
    pub fn token(&self) -> &str {
        &self.state.token
    }

    /// Has folders indexed that are followed from now on; returns at once. An index on a cluster follows none.
    pub fn follow(&self, folders: Vec<std::path::PathBuf>) {
        if let Some(index) = &self.state.held {
            index.jobs.follow(folders, &self.state.activity);
        }
    }

    /// Waits until the process is asked to end (SIGTERM, Ctrl-C), or nobody has needed the service for long.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the index folder was removed, moved or replaced meanwhile.
    pub fn wait(&self) -> Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        let mut stopped = self.stop.subscribe();
        runtime.block_on(async {
            tokio::select! {
                () = asked_to_end() => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        });
        match &self.folder {
            Some(folder) if folder.is_gone() => Err(folder.lost()),
            _ => Ok(()),
        }
    }

    /// Stops: what is being answered is finished, a round that is running is left with its checkpoint, the socket is
    /// removed and the engine closed.
    ///
    /// # Errors
    /// The first thing that could not be finished; everything is released all the same.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let Some(runtime) = self.runtime.take() else { return Ok(()) };
        // Whoever looks for a service from now on finds none.
        #[cfg(unix)]
        let removed = self.socket.take().map_or(Ok(()), Socket::remove);
        #[cfg(not(unix))]
        let removed = Ok(());
        self.stop.send_replace(true);
        let rooms = std::mem::take(&mut self.rooms);
        runtime.block_on(async {
            let all = async {
                for (room, connections) in &rooms {
                    _ = room.acquire_many(*connections).await;
                }
            };
            _ = tokio::time::timeout(GRACE + Duration::from_secs(1), all).await;
        });
        let indexed = self.indexer.take().map_or(Ok(()), Indexer::stop);
        runtime.shutdown_timeout(GRACE);
        removed.and(indexed).and(self.state.close())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, "the service was not stopped cleanly");
        }
    }
}

/// The threads of a service, and where it listens.
struct Listening {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    fn on(options: &ServeOptions) -> Result<Listening> {
        options.validate()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(WAITING)
            .max_blocking_threads(ANSWERING + std::thread::available_parallelism().map_or(1, usize::from))
            .thread_name("retune-serve")
            .enable_all()
            .build()
            .map_err(Error::io("start the threads of", "the service".as_ref()))?;
        let listener = runtime.block_on(listen(options))?;
        let address = listener.local_addr().map_err(Error::io("listen on", "a port".as_ref()))?;
        Ok(Listening { runtime, listener, address })
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

async fn listen(options: &ServeOptions) -> Result<TcpListener> {
    let mut first = None;
    for address in options.addresses() {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) => _ = first.get_or_insert((address, error)),
        }
    }
    Err(match first {
        Some((address, error)) => Error::io("listen on", address.to_string().as_ref())(error),
        None => Error::invalid("the port", "none", "a port"),
    })
}

fn url(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        // Any address of this machine; this one is.
        true => format!("http://127.0.0.1:{}/", address.port()),
        false => format!("http://{address}/"),
    }
}

fn random_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}

async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    _ = tokio::signal::ctrl_c().await;
}

/// Stops the service when its index is gone.
async fn stop_when_gone(held: Held, stop: Arc<watch::Sender<bool>>) {
    while !held.is_gone() {
        tokio::time::sleep(gone::LOOK).await;
    }
    stop.send_replace(true);
}

/// Stops the service when nobody has asked for anything for so long, no page is open, and no round is running.
async fn exit_when_idle(state: Shared, time: Duration, stop: Arc<watch::Sender<bool>>) {
    loop {
        tokio::time::sleep(IDLE_LOOK).await;
        if state.activity.events.receiver_count() > 0 || state.is_at_work() {
            state.activity.touch();
        }
        if state.activity.idle() >= time {
            stop.send_replace(true);
            return;
        }
    }
}
