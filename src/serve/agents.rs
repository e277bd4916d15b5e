//! MCP for agents that speak HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;

use super::state::Shared;
use crate::mcp::{self, Index};

/// `/mcp`, behind whatever guards the other routes.
pub(super) fn routes(state: &Shared) -> Router {
    let index = Index::held(Arc::clone(&state.access));
    Router::new()
        .route_service("/mcp", mcp::service(index, Arc::clone(&state.requests)))
        .layer(from_fn_with_state(state.clone(), touched))
}

/// Passes a request on as one that somebody has asked.
async fn touched(State(state): State<Shared>, request: Request, next: Next) -> Response {
    state.activity.touch();
    next.run(request).await
}
