//! What is asked without changing anything.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::failure::refused;
use super::guard::Trusted;
use super::headers::SHOWN_IN_A_FRAME;
use super::media::HTML;
use super::request::parameters;
use super::state::{Shared, status};
use super::work::{answer, work};
use crate::access::api::{
    FilesRequest, LogRequest, ReadRequest, RoundsAnswer, SearchRequest, SimilarRequest,
};

pub(super) async fn search(State(state): State<Shared>, request: Request) -> Response {
    match parameters::<SearchRequest>(request.uri()) {
        Ok(asked) => answer(state, move |state| state.access.search(&asked)).await,
        Err(response) => response,
    }
}

pub(super) async fn similar(State(state): State<Shared>, request: Request) -> Response {
    match parameters::<SimilarRequest>(request.uri()) {
        Ok(asked) => answer(state, move |state| state.access.similar(&asked)).await,
        Err(response) => response,
    }
}

pub(super) async fn read(State(state): State<Shared>, request: Request) -> Response {
    match parameters::<ReadRequest>(request.uri()) {
        // It is noted: a link on another site could do that, too.
        Ok(asked) if asked.query_id.is_some() && request.extensions().get::<Trusted>().is_none() => {
            refused(StatusCode::FORBIDDEN, "with a query_id, send the token in the header X-Retune")
        }
        Ok(asked) => answer(state, move |state| state.access.read(&asked)).await,
        Err(response) => response,
    }
}

pub(super) async fn files(State(state): State<Shared>, request: Request) -> Response {
    match parameters::<FilesRequest>(request.uri()) {
        Ok(asked) => answer(state, move |state| state.access.files(&asked)).await,
        Err(response) => response,
    }
}

pub(super) async fn current(State(state): State<Shared>) -> Response {
    answer(state, status).await
}

pub(super) async fn rounds(State(state): State<Shared>) -> Response {
    answer(state, |state| Ok(RoundsAnswer::from(state.access.rounds()?))).await
}

pub(super) async fn round_page(State(state): State<Shared>, Path(round): Path<u64>) -> Response {
    match work(&state, move |state| state.own("show rounds of")?.round_page(round)).await {
        Ok(Ok(page)) => {
            let mut response = Response::new(page.into());
            response.headers_mut().insert(header::CONTENT_TYPE, HTML);
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, SHOWN_IN_A_FRAME);
            response
        }
        Ok(Err(error)) => super::failure::failure(&error),
        Err(response) => response,
    }
}

/// The description of the API.
pub(super) async fn description() -> Response {
    let text: &'static str = include_str!("../../docs/openapi.json");
    let mut response = Response::new(text.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) async fn log(State(state): State<Shared>, request: Request) -> Response {
    match parameters::<LogRequest>(request.uri()) {
        Ok(asked) => answer(state, move |state| state.access.recent(&asked)).await,
        Err(response) => response,
    }
}
