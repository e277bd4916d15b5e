//! What is asked that changes something. Only trusted requests come here.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::request::{SMALL, body};
use super::state::Shared;
use super::work::answer;
use crate::access::api::{ForgetRequest, JudgeRequest};
use crate::ids::GenerationId;

/// An answer without content.
#[derive(Serialize)]
struct Done {}

/// A request without content.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Serialize)]
struct Started {
    started: bool,
}

#[derive(Serialize)]
struct RolledBack {
    generation: GenerationId,
}

#[derive(Serialize)]
struct Ended {
    ended: bool,
}

#[derive(Serialize)]
struct Cancelled {
    cancelled: bool,
}

pub(super) async fn judge(State(state): State<Shared>, request: Request) -> Response {
    match body::<JudgeRequest>(request, SMALL).await {
        Ok(asked) => answer(state, move |state| state.access.judge(&asked).map(|()| Done {})).await,
        Err(response) => response,
    }
}

pub(super) async fn forget(State(state): State<Shared>, request: Request) -> Response {
    match body::<ForgetRequest>(request, SMALL).await {
        Ok(asked) => answer(state, move |state| state.access.forget(&asked)).await,
        Err(response) => response,
    }
}

pub(super) async fn learn(State(state): State<Shared>, request: Request) -> Response {
    match body::<Nothing>(request, SMALL).await {
        Ok(_) => answer(state, |state| state.access.learn().map(|()| Started { started: true })).await,
        Err(response) => response,
    }
}

pub(super) async fn cancel(State(state): State<Shared>, request: Request) -> Response {
    match body::<Nothing>(request, SMALL).await {
        Ok(_) => {
            answer(state, |state| {
                let held = state.held("cancel a round of")?;
                Ok(Cancelled { cancelled: held.engine.cancel_round() })
            })
            .await
        }
        Err(response) => response,
    }
}

pub(super) async fn roll_back(State(state): State<Shared>, request: Request) -> Response {
    match body::<Nothing>(request, SMALL).await {
        Ok(_) => {
            answer(state, |state| {
                let held = state.held("roll back")?;
                Ok(RolledBack { generation: held.engine.rollback()? })
            })
            .await
        }
        Err(response) => response,
    }
}

pub(super) async fn end_trial(State(state): State<Shared>, request: Request) -> Response {
    match body::<Nothing>(request, SMALL).await {
        Ok(_) => {
            answer(state, |state| {
                let held = state.held("end a trial of")?;
                Ok(Ended { ended: held.engine.end_trial()?.is_some() })
            })
            .await
        }
        Err(response) => response,
    }
}

pub(super) async fn index(State(state): State<Shared>, request: Request) -> Response {
    match body::<Nothing>(request, SMALL).await {
        Ok(_) => {
            answer(state, |state| {
                let held = state.held("read folders for")?;
                Ok(Started { started: held.jobs.look(&state.activity) })
            })
            .await
        }
        Err(response) => response,
    }
}
