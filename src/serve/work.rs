//! Blocking work for requests, bounded.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::failure::{busy, failure, refused};
use super::state::{Shared, State};
use crate::error::Result;

/// Requests that are in work or wait for it; more are told to come again.
pub(super) const REQUESTS: usize = 256;
/// The largest answer in bytes.
const LARGEST: usize = 32 << 20;

/// Answers with the JSON of what `ask` returns. It may block.
pub(super) async fn answer<T: Serialize + Send + 'static>(
    state: Shared,
    ask: impl FnOnce(&State) -> Result<T> + Send + 'static,
) -> Response {
    match work(&state, ask).await {
        Ok(Ok(value)) => json(&value),
        Ok(Err(error)) => failure(&error),
        Err(response) => response,
    }
}

/// Runs what may block on a thread for it.
///
/// # Errors
/// The response where there is too much to do, or it panicked.
pub(super) async fn work<T: Send + 'static>(
    state: &Shared,
    ask: impl FnOnce(&State) -> T + Send + 'static,
) -> Result<T, Response> {
    let Ok(permit) = Arc::clone(&state.requests).try_acquire_owned() else { return Err(busy()) };
    state.activity.touch();
    let shared = Arc::clone(state);
    let done = tokio::task::spawn_blocking(move || {
        let done = ask(&shared);
        drop(permit);
        done
    });
    done.await.map_err(|error| {
        tracing::error!(%error, "a request failed");
        refused(StatusCode::INTERNAL_SERVER_ERROR, "this is a bug in retune: please report it")
    })
}

/// A value as a response.
pub(super) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) if bytes.len() <= LARGEST => {
            let mut response = Response::new(Body::from(bytes));
            let kind = header::HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Ok(bytes) => refused(
            StatusCode::INSUFFICIENT_STORAGE,
            &format!("the answer has {} bytes, {LARGEST} at most: ask for less", bytes.len()),
        ),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
