//! What the programs of the owner ask over the socket.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{Sender, channel};

use super::activity::{Activity, Event};
use super::failure::{failure, refused};
use super::indexer::Job;
use super::request::{Bounds, body};
use super::state::{HeldIndex, Shared};
use super::work::answer;
use crate::access::{Call, IndexTask, Line, Task};
use crate::engine::Engine;

/// A query can be a whole text.
const BOUNDS: Bounds = Bounds { bytes: 16 << 20 };
/// Lines that a reader may be behind; of progress, some are left out then.
const BEHIND: usize = 64;
/// There is a socket only in the folder of an index of this machine.
const DOING: &str = "ask over the socket of";

pub(super) async fn call(State(state): State<Shared>, request: Request) -> Response {
    match body::<Call>(request, BOUNDS).await {
        Ok(call) => answer(state, move |state| state.own(DOING)?.answer(&call)).await,
        Err(response) => response,
    }
}

pub(super) async fn task(State(state): State<Shared>, request: Request) -> Response {
    let task = match body::<Task>(request, BOUNDS).await {
        Ok(task) => task,
        Err(response) => return response,
    };
    state.activity.touch();
    let (engine, jobs) = match state.held(DOING) {
        Ok(HeldIndex { engine, jobs }) => (engine.clone(), jobs.clone()),
        Err(error) => return failure(&error),
    };
    let (send, lines) = channel(BEHIND);
    let started = match task {
        Task::Index(task) => jobs.give(index(task, send, Arc::clone(&state.activity))),
        Task::ForgetFolder(folder) => {
            let activity = Arc::clone(&state.activity);
            let job: Job = Box::new(move |engine, _| {
                let forgotten = engine.forget_folder(&folder);
                activity.tell(Event::Changed);
                last(&send, Line::last(forgotten));
            });
            jobs.give(job)
        }
        Task::Learn(options) => aside(move || {
            let round = engine.learn(&options, &mut |at| told(&send, &Line::Learning(at)));
            last(&send, Line::last(round));
        }),
        Task::DryRun(options) => aside(move || {
            let round = engine.dry_run(&options, &mut |at| told(&send, &Line::Learning(at)));
            last(&send, Line::last(round));
        }),
        Task::Watch => {
            tokio::spawn(watch(state, engine, send));
            true
        }
    };
    if !started {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "too much is waiting to be done: ask again later");
    }
    let lines = stream::unfold(lines, |mut lines| async move {
        let line = lines.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(line), lines))
    });
    Response::new(Body::from_stream(lines))
}

/// Does something on a thread of its own. Returns whether there is one.
fn aside(work: impl FnOnce() + Send + 'static) -> bool {
    std::thread::Builder::new().name("retune-learn-now".into()).spawn(work).is_ok()
}

fn index(task: IndexTask, send: Sender<Bytes>, activity: Arc<Activity>) -> Job {
    Box::new(move |engine: &Engine, stop: &AtomicBool| {
        let indexed = task.run(engine, &mut |at| {
            activity.indexed(at);
            match stop.load(Ordering::Acquire) {
                true => ControlFlow::Break(()),
                false => told(&send, &Line::Indexing(at)),
            }
        });
        activity.read_all();
        activity.tell(Event::Changed);
        last(&send, Line::last(indexed));
    })
}

/// Passes on what watching the folders tells, until the reader has gone or the service stops.
async fn watch(state: Shared, engine: Engine, send: Sender<Bytes>) {
    let (mut told, mut stop) = (state.activity.watching.subscribe(), state.stop.clone());
    let mut next = Arc::new(match engine.folders() {
        Ok(folders) => Line::Watching(folders),
        Err(error) => Line::Failed(error.to_string()),
    });
    loop {
        let Some(line) = written(&next) else { return };
        if send.send(line).await.is_err() {
            return;
        }
        next = loop {
            tokio::select! {
                line = told.recv() => match line {
                    Ok(line) => break line,
                    // What was changed is in the index all the same.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                () = send.closed() => return,
                _ = stop.changed() => return,
            }
        };
    }
}

/// Sends how far something is, if there is room, and says whether anybody still wants to know.
fn told(send: &Sender<Bytes>, line: &Line) -> ControlFlow<()> {
    if send.is_closed() {
        return ControlFlow::Break(());
    }
    if let Some(line) = written(line) {
        _ = send.try_send(line);
    }
    ControlFlow::Continue(())
}

fn last(send: &Sender<Bytes>, line: Line) {
    if let Some(line) = written(&line) {
        // Nobody may want it any more.
        _ = send.blocking_send(line);
    }
}

fn written(line: &Line) -> Option<Bytes> {
    let mut bytes = serde_json::to_vec(line).ok()?;
    bytes.push(b'\n');
    Some(Bytes::from(bytes))
}
