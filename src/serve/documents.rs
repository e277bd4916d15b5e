//! The bytes of documents' own files.

use std::io::Read;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use serde::Deserialize;

use super::failure::{failure, refused};
use super::headers::{DOCUMENT, PDF_DOCUMENT};
use super::media::{PDF, of_document};
use super::request::parameters;
use super::state::Shared;
use super::work::work;
use crate::access::ServedFile;

/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    document: String,
}

pub(super) async fn file(State(state): State<Shared>, request: Request) -> Response {
    let wanted = match parameters::<Wanted>(request.uri()) {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    match work(&state, move |state| state.own.file(&wanted.document)).await {
        Ok(Ok(Some(file))) => sent(file),
        Ok(Ok(None)) => refused(
            StatusCode::NOT_FOUND,
            "there is no such document, or it has no file of its own in an indexed folder",
        ),
        Ok(Err(error)) => failure(&error),
        Err(response) => response,
    }
}

/// Sends no more than the length that is announced, piece by piece, as fast as it is taken.
fn sent(ServedFile { path, file, bytes }: ServedFile) -> Response {
    let media = of_document(&path);
    let pieces = stream::try_unfold((file, bytes), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; wanted];
            let count = file.read(&mut piece)?;
            piece.truncate(count);
            Ok::<_, std::io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(std::io::Error::other)??;
        if piece.is_empty() {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
        }
        let left = left - piece.len() as u64;
        Ok(Some((Bytes::from(piece), (file, left))))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let policy = if media.kind == PDF { PDF_DOCUMENT } else { DOCUMENT };
    let shown = if media.inline { "inline" } else { "attachment" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.kind);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(shown));
    response
}
