//! Errors as responses: a status and `{"error": "one line"}`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::error::Error;

/// The response to a request that failed.
pub(super) fn failure(error: &Error) -> Response {
    refused(status(error), &error.to_string())
}

/// What kind of failure an error is.
pub(super) fn status(error: &Error) -> StatusCode {
    match error {
        Error::Invalid { .. } => StatusCode::BAD_REQUEST,
        Error::NotFound { .. } => StatusCode::NOT_FOUND,
        Error::ReadOnly { .. } => StatusCode::FORBIDDEN,
        Error::RoundRunning { .. } | Error::Locked { .. } => StatusCode::CONFLICT,
        Error::Closed { .. } | Error::Cancelled { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A response with a reason.
pub(super) fn refused(status: StatusCode, reason: &str) -> Response {
    let mut response = Response::new(Body::from(json!({ "error": reason }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The response where there is too much to do.
pub(super) fn busy() -> Response {
    let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once: ask again");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
