//! Errors as responses: a status and `{"error": "one line"}`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::error::Error;

const A_SECOND: HeaderValue = HeaderValue::from_static("1");

/// The response to a request that failed.
pub(super) fn failure(error: &Error) -> Response {
    let mut response = refused(status(error), &error.to_string());
    if matches!(error, Error::TooFast { .. }) {
        response.headers_mut().insert(header::RETRY_AFTER, A_SECOND);
    }
    response
}

/// What kind of failure an error is.
pub(super) fn status(error: &Error) -> StatusCode {
    match error {
        Error::Invalid { .. } => StatusCode::BAD_REQUEST,
        Error::NotFound { .. } => StatusCode::NOT_FOUND,
        Error::ReadOnly { .. } => StatusCode::FORBIDDEN,
        #[cfg(feature = "opensearch")]
        Error::OnCluster { .. } => StatusCode::FORBIDDEN,
        #[cfg(feature = "opensearch")]
        Error::Cluster { .. } => StatusCode::BAD_GATEWAY,
        Error::RoundRunning { .. } | Error::Locked { .. } => StatusCode::CONFLICT,
        Error::TooFast { .. } => StatusCode::TOO_MANY_REQUESTS,
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
    response.headers_mut().insert(header::RETRY_AFTER, A_SECOND);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_too_fast_is_told_when_to_come_again() {
        let response = failure(&Error::TooFast { doing: "record a judgement" });
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert!(failure(&Error::Closed { doing: "search" }).headers().get(header::RETRY_AFTER).is_none());
    }
}
