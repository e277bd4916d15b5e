//! MCP over streamable HTTP: a tower service. Who may ask is not its concern.

use std::sync::Arc;
use std::time::Duration;

use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::sync::Semaphore;

use super::conversation::Conversations;
use super::handler::Tools;
use super::index::Index;

/// The service.
pub(crate) type Service = StreamableHttpService<Tools, LocalSessionManager>;

/// The largest request in bytes.
const LARGEST: usize = 64 << 10;
/// Connections at a time.
const MOST: usize = 256;
/// A connection that was silent for so long is forgotten; the agent is told to begin anew.
const SILENT: Duration = Duration::from_secs(30 * 60);

/// Serves the index. `room` has a permit for each call that may be in work. Hosts and origins must have been checked.
pub(crate) fn service(index: Index, room: Arc<Semaphore>) -> Service {
    let (index, apart) = (Arc::new(index), Arc::new(Conversations::new()));
    let mut connections = SessionConfig::default();
    connections.keep_alive = Some(SILENT);
    let mut manager = LocalSessionManager::default();
    manager.session_config = connections;
    let manager = Arc::new(manager);
    let connected = Arc::clone(&manager);
    let make = move || match connected.sessions.try_read().is_ok_and(|sessions| sessions.len() >= MOST) {
        true => Err(std::io::Error::other("too many agents are connected")),
        false => Ok(Tools::of_many(Arc::clone(&index), Arc::clone(&apart), Arc::clone(&room))),
    };
    let config =
        StreamableHttpServerConfig::default().disable_allowed_hosts().with_max_request_body_bytes(LARGEST);
    StreamableHttpService::new(make, manager, config)
}
