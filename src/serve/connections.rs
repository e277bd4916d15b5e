//! Connections: how many there may be, and how slow they may be.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

/// Connections at a time over TCP; more are turned away.
pub(super) const OVER_TCP: usize = 512;
/// The same over the socket.
#[cfg(unix)]
pub(super) const OVER_SOCKET: usize = 128;
/// The longest time that the head of a request may take, and that a connection may be idle.
const SLOWEST_HEAD: Duration = Duration::from_secs(10);
/// The longest time in which a client may take nothing of its answer.
const SLOWEST_READER: Duration = Duration::from_secs(30);
/// The largest head of a request in bytes.
const LARGEST_HEAD: usize = 32 << 10;
const MOST_HEADERS: usize = 64;
/// What is in work when the service stops may take so long.
pub(super) const GRACE: Duration = Duration::from_secs(3);
/// After the system has refused a connection, such as for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What connections are served with.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) router: Router,
    /// One permit for each connection.
    pub(super) room: Arc<Semaphore>,
    pub(super) stop: watch::Receiver<bool>,
}

/// Where connections come from.
pub(super) trait Listener: Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Answers that there is no room, as far as it goes without waiting.
    fn turn_away(stream: &Self::Stream);
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = TcpListener::accept(self).await?;
        // Answers are small: none waits to be joined with the next.
        _ = stream.set_nodelay(true);
        Ok(stream)
    }

    fn turn_away(stream: &TcpStream) {
        _ = stream.try_write(FULL);
    }
}

#[cfg(unix)]
impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        UnixListener::accept(self).await.map(|(stream, _)| stream)
    }

    fn turn_away(stream: &UnixStream) {
        _ = stream.try_write(FULL);
    }
}

/// Takes connections until it is stopped.
pub(super) async fn take<L: Listener>(listener: L, mut serving: Serving) {
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            _ = serving.stop.changed() => return,
        };
        let Ok(stream) = taken else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        match Arc::clone(&serving.room).try_acquire_owned() {
            Ok(permit) => drop(tokio::spawn(serve(stream, serving.clone(), permit))),
            Err(_) => L::turn_away(&stream),
        }
    }
}

async fn serve<S>(stream: S, mut serving: Serving, _permit: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(SLOWEST_READER));
    let service = TowerToHyperService::new(serving.router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOWEST_HEAD)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => log(ended),
        _ = serving.stop.changed() => {
            connection.as_mut().graceful_shutdown();
            // Whoever takes longer is cut off.
            _ = tokio::time::timeout(GRACE, connection).await;
        }
    }
}

fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
