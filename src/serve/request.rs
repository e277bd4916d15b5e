//! Reading requests, bounded in size and time.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Query, Request};
use axum::http::{StatusCode, Uri, header};
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::failure::refused;

/// How large a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) bytes: usize,
}

/// Of requests over TCP.
pub(super) const SMALL: Bounds = Bounds { bytes: 64 << 10 };
/// The longest time that a body may take.
const SLOWEST_BODY: Duration = Duration::from_secs(10);

/// The parameters of a URL.
///
/// # Errors
/// The response for what is missing, unknown or unusable.
#[expect(clippy::result_large_err, reason = "a response is an answer like any other")]
pub(super) fn parameters<T: DeserializeOwned>(uri: &Uri) -> Result<T, Response> {
    Query::try_from_uri(uri)
        .map(|Query(parameters)| parameters)
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &error.body_text()))
}

/// The JSON of a body; an empty one is `{}`.
///
/// # Errors
/// The response for a body that is no JSON, too large or too slow, or lacks something.
pub(super) async fn body<T: DeserializeOwned>(request: Request, bounds: Bounds) -> Result<T, Response> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json =
        kind.is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim() == "application/json");
    if !is_json {
        let reason = "send JSON, with the header `Content-Type: application/json`";
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
    }
    let too_large = || {
        let reason = format!("the body has more than {} bytes", bounds.bytes);
        refused(StatusCode::PAYLOAD_TOO_LARGE, &reason)
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length: Option<usize> = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length| length > bounds.bytes) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(SLOWEST_BODY, to_bytes(request.into_body(), bounds.bytes)).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err(too_large()),
        Err(_) => return Err(refused(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
    };
    let bytes = if bytes.is_empty() { b"{}".as_slice() } else { &bytes };
    serde_json::from_slice(bytes)
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &format!("could not use the body: {error}")))
}
