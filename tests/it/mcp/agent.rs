//! An agent: the SDK's own client, which starts the program as agents do.

use std::path::Path;
use std::process::Stdio;

use retune::Options;
use retune::access::Access;
use retune::access::api::{Asked, LogRequest};
use rmcp::model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, Tool};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{ClientLifecycleMode, ClientServiceExt};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::wire::program;
use crate::cli::harness::{documents, retune, stderr};

/// A folder with an index of the eight documents.
pub fn indexed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    index(folder.path());
    folder
}

pub fn index(folder: &Path) {
    let output = retune(folder, &["index", "."]);
    assert!(output.status.success(), "{}", stderr(&output));
}

/// What is in the log, the latest query first.
pub fn log(folder: &Path) -> Vec<Asked> {
    let access = Access::find(&folder.join(".retune"), Options::default()).unwrap();
    access.recent(&LogRequest::default()).unwrap().queries
}

/// A connected agent.
pub struct Agent {
    runtime: Runtime,
    client: RunningService<RoleClient, ClientConfig>,
}

/// What a tool has answered.
#[derive(Debug)]
pub struct Said {
    pub text: String,
    pub json: Value,
    pub is_error: bool,
}

impl Agent {
    pub fn start(folder: &Path) -> Agent {
        Agent::named(folder, "Test Agent", ClientLifecycleMode::Initialize)
    }

    pub fn named(folder: &Path, name: &str, lifecycle: ClientLifecycleMode) -> Agent {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = ClientConfig::new(ClientCapabilities::default(), Implementation::new(name, "1.0"));
        let client = runtime.block_on(async {
            let mut command = tokio::process::Command::from(program(folder, &["mcp"]));
            command.stderr(Stdio::inherit());
            let process = TokioChildProcess::new(command).unwrap();
            config.serve_with_lifecycle(process, lifecycle).await.unwrap()
        });
        Agent { runtime, client }
    }

    pub fn tools(&self) -> Vec<Tool> {
        self.runtime.block_on(self.client.list_all_tools()).unwrap()
    }

    pub fn instructions(&self) -> String {
        self.client.peer_info().unwrap().instructions.clone().unwrap()
    }

    pub fn call(&self, tool: &str, arguments: Value) -> Said {
        let request = CallToolRequestParams::new(tool.to_string())
            .with_arguments(arguments.as_object().cloned().unwrap());
        let result = self.runtime.block_on(self.client.call_tool(request)).unwrap();
        let text = result.content.iter().filter_map(|block| block.as_text()).map(|text| text.text.clone());
        Said {
            text: text.collect(),
            json: result.structured_content.unwrap_or_default(),
            is_error: result.is_error == Some(true),
        }
    }

    /// The answer of a call that works.
    pub fn ask(&self, tool: &str, arguments: Value) -> Said {
        let said = self.call(tool, arguments);
        assert!(!said.is_error, "{}", said.text);
        said
    }

    /// The one line with which a call is refused.
    pub fn refused(&self, tool: &str, arguments: Value) -> String {
        let said = self.call(tool, arguments);
        assert!(said.is_error, "{}", said.text);
        assert_eq!(said.text.lines().count(), 1, "{}", said.text);
        said.text
    }

    /// Hangs up and waits until the program has ended.
    pub fn leave(self) {
        self.runtime.block_on(self.client.cancel()).unwrap();
    }
}
