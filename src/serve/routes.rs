//! Which request goes where.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

#[cfg(unix)]
use super::calls;
use super::state::Shared;
use super::{agents, answers, assets, changes, documents, events, guard, headers};

/// What is answered over TCP: the page and the API, to whom the guard lets through.
pub(super) fn over_tcp(state: &Shared) -> Router {
    api(state)
        .merge(agents::routes(state))
        .fallback(get(assets::page).with_state(state.clone()))
        .layer(from_fn_with_state(state.clone(), guard::check))
        .layer(from_fn(headers::add))
}

/// What is answered over the socket, which only its owner can open.
#[cfg(unix)]
pub(super) fn over_socket(state: &Shared) -> Router {
    let own = Router::new().route("/call", post(calls::call)).route("/task", post(calls::task));
    api(state).merge(own.with_state(state.clone())).layer(from_fn(guard::trust))
}

fn api(state: &Shared) -> Router {
    let routes = Router::new()
        .route("/search", get(answers::search))
        .route("/similar", get(answers::similar))
        .route("/read", get(answers::read))
        .route("/file", get(documents::file))
        .route("/status", get(answers::current))
        .route("/files", get(answers::files))
        .route("/rounds", get(answers::rounds))
        .route("/rounds/{round}/page", get(answers::round_page))
        .route("/log", get(answers::log))
        .route("/events", get(events::events))
        .route("/openapi.json", get(answers::description))
        .route("/judge", post(changes::judge))
        .route("/forget", post(changes::forget))
        .route("/learn", post(changes::learn))
        .route("/learn/cancel", post(changes::cancel))
        .route("/trial/end", post(changes::end_trial))
        .route("/rollback", post(changes::roll_back))
        .route("/index", post(changes::index));
    Router::new().nest("/api/v1", routes).with_state(state.clone())
}
