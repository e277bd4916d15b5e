//! Server-sent events: the status whenever it changes, a changed index, the end of a round.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::activity::Event;
use super::failure::busy;
use super::state::{Shared, State as Service, status};
use super::work::work;
use crate::access::api::StatusAnswer;

/// How often the status is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often something is sent where nothing happens, to find out who is gone.
const ALIVE: Duration = Duration::from_secs(15);

fn sent(event: Event) -> sse::Event {
    match event {
        Event::Status(json) => sse::Event::default().event("status").data(&*json),
        Event::Changed => sse::Event::default().event("changed").data("{}"),
        Event::Round => sse::Event::default().event("round").data("{}"),
    }
}

/// `GET events`: begins with the status.
pub(super) async fn events(State(state): State<Shared>) -> Response {
    let Ok(permit) = Arc::clone(&state.streams).try_acquire_owned() else { return busy() };
    let (told, stop) = (state.activity.events.subscribe(), state.stop.clone());
    let first = match work(&state, now).await {
        Ok(first) => first.map(Event::Status),
        Err(response) => return response,
    };
    let rest =
        stream::unfold((first, told, stop, permit), |(first, mut told, mut stop, permit)| async move {
            if let Some(first) = first {
                return Some((Ok::<_, Infallible>(sent(first)), (None, told, stop, permit)));
            }
            loop {
                let event = tokio::select! {
                    event = told.recv() => event,
                    _ = stop.changed() => return None,
                };
                match event {
                    Ok(event) => return Some((Ok(sent(event)), (None, told, stop, permit))),
                    // The next status has all of it.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
    Sse::new(rest).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

fn now(state: &Service) -> Option<Arc<str>> {
    status(state).ok().as_ref().and_then(written)
}

fn written(status: &StatusAnswer) -> Option<Arc<str>> {
    serde_json::to_string(status).ok().map(Arc::from)
}

/// Looks at the status for all who listen, until it is stopped.
pub(super) async fn watch_status(state: Shared, mut stop: watch::Receiver<bool>) {
    let (mut last, mut generation) = (None, None);
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => return,
        }
        if state.activity.events.receiver_count() == 0 {
            continue;
        }
        // An open page is in use.
        let Ok(now) = work(&state, |state| status(state).ok()).await else { continue };
        let json = now.as_ref().and_then(written);
        if json != last {
            if let Some(json) = &json {
                state.activity.tell(Event::Status(Arc::clone(json)));
            }
            last = json;
        }
        // Of an index on a cluster nothing else tells that answers may be others.
        let Some(now) = now.filter(|now| now.cluster.is_some()) else { continue };
        if generation.replace(now.generation).is_some_and(|before| before != now.generation) {
            state.activity.tell(Event::Changed);
        }
    }
}
