//! MCP over standard input and output.

use std::sync::Arc;

use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::runtime::Builder;

use super::handler::Tools;
use super::index::Index;
use crate::error::{Error, Result};

/// The longest message of an agent in bytes.
const LONGEST: usize = 1 << 20;
/// Threads that take and send messages; those that answer come and go.
const THREADS: usize = 1;

/// Serves the index over standard input and output until the agent closes its end. Nothing else may write to standard
/// output meanwhile.
///
/// # Errors
/// [`Error::Service`] where the agent does not speak the protocol; [`Error::Io`] if the log could not be written out.
pub fn serve_stdio(index: Index) -> Result<()> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("retune-mcp")
        .enable_all()
        .build()
        .map_err(Error::io("start the threads of", "MCP".as_ref()))?;
    let index = Arc::new(index);
    let tools = Tools::new(Arc::clone(&index));
    let served = runtime.block_on(async {
        let (input, output) = rmcp::transport::stdio();
        let transport = AsyncRwTransport::new_server(input, output).with_max_line_length(LONGEST);
        match tools.serve(transport).await {
            Ok(running) => running.waiting().await.map(drop).map_err(|error| error.to_string()),
            // It has never been one, or has gone at once.
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    });
    // A read of standard input can't be ended.
    runtime.shutdown_background();
    let closed = index.close();
    served.map_err(|message| Error::Service { message: format!("MCP ended: {message}") }).and(closed)
}
