//! The protocol's side of the tools.

use std::sync::Arc;

use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    JsonObject, ListToolsResult, PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use tokio::sync::Semaphore;

use super::arguments::Arguments;
use super::asking::Asking;
use super::conversation::{Conversation, Conversations};
use super::index::Index;
use super::text::line;
use super::told::Told;
use super::tools::{INSTRUCTIONS, Name, TOOLS, named};
use super::{judging, reading, searching, status};
use crate::error::Result;

/// Calls at a time over standard input and output; more are told to come again.
const CALLS: usize = 64;
/// The longest error in characters.
const ERROR: usize = 1000;
/// The name of an agent that doesn't say it.
const UNKNOWN: &str = "unknown";

/// One connection: the tools over an index.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    index: Arc<Index>,
    conversation: Arc<Conversation>,
    /// Of agents that send each request on its own.
    apart: Option<Arc<Conversations>>,
    room: Arc<Semaphore>,
}

impl Tools {
    /// A connection of its own.
    pub(super) fn new(index: Arc<Index>) -> Tools {
        let room = Arc::new(Semaphore::new(CALLS));
        Tools { index, conversation: Arc::new(Conversation::new()), apart: None, room }
    }

    /// One of many connections, or a request without one; `room` has a permit for each call that may be in work.
    pub(super) fn of_many(index: Arc<Index>, apart: Arc<Conversations>, room: Arc<Semaphore>) -> Tools {
        Tools { index, conversation: Arc::new(Conversation::new()), apart: Some(apart), room }
    }

    /// The conversation that a request belongs to. Over HTTP there are no connections from 2026-07-28 on.
    fn conversation(&self, context: &RequestContext<RoleServer>, agent: &str) -> Arc<Conversation> {
        let connected = context.protocol_version().is_none_or(|version| version.has_initialize());
        match &self.apart {
            Some(apart) if !connected => apart.of(agent),
            _ => Arc::clone(&self.conversation),
        }
    }

    async fn call(
        &self,
        (name, tool): (Name, &Tool),
        arguments: Option<JsonObject>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let arguments = match Arguments::new(arguments, &tool.input_schema) {
            Ok(arguments) => arguments,
            Err(error) => return refused(&error.to_string()),
        };
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            return refused("too many calls are in work: wait for their answers, then call again");
        };
        let agent = context.client_info().map_or_else(|| UNKNOWN.to_string(), |client| client.name);
        let conversation = self.conversation(&context, &agent);
        let index = Arc::clone(&self.index);
        let done = tokio::task::spawn_blocking(move || {
            let is_cancelled = || context.ct.is_cancelled();
            let asking = Asking {
                index: &index,
                conversation: &conversation,
                agent: &agent,
                is_cancelled: &is_cancelled,
            };
            let told = run(name, &asking, &arguments);
            drop(permit);
            told
        });
        match done.await {
            Ok(Ok(told)) => said(told),
            Ok(Err(error)) => refused(&error.to_string()),
            Err(error) => {
                tracing::error!(%error, "a tool failed");
                refused("this is a bug in retune: please report it")
            }
        }
    }
}

fn run(name: Name, asking: &Asking<'_>, arguments: &Arguments) -> Result<Told> {
    match name {
        Name::Search => searching::search(asking, arguments),
        Name::Read => reading::read(asking, arguments),
        Name::Similar => searching::similar(asking, arguments),
        Name::Status => status::status(asking),
        Name::Judge => judging::judge(asking, arguments),
    }
}

fn said(told: Told) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(told.text)]);
    result.structured_content = Some(told.json);
    result
}

/// An error that the agent reads, in one line.
fn refused(reason: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(line(reason, ERROR))])
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let mut server = Implementation::new("retune", env!("CARGO_PKG_VERSION"));
        server.title = Some("retune".into());
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = server;
        info.protocol_version = ProtocolVersion::LATEST_WITH_INITIALIZE;
        info.instructions = Some(INSTRUCTIONS.to_string());
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(TOOLS.clone()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        named(name).map(|(_, tool)| tool.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        // As the protocol has it; all else is told the agent.
        let unknown = || format!("Unknown tool: {}", line(&request.name, 100));
        let tool = named(&request.name).ok_or_else(|| ErrorData::invalid_params(unknown(), None))?;
        Ok(self.call(tool, request.arguments, context).await.into())
    }
}
