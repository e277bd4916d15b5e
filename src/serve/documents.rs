//! The bytes of documents' own files.

use std::io::Read;
use std::path::Path;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
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
/// What stands for itself in an extended parameter of a header: `attr-char` of RFC 8187.
const ATTRIBUTE: AsciiSet = NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

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
    match work(&state, move |state| state.own("send files of")?.file(&wanted.document)).await {
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
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.kind);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CONTENT_DISPOSITION, disposition(media.inline, &path));
    response
}

/// Whether a browser shows a file or keeps it, and under which name (RFC 6266).
fn disposition(inline: bool, path: &Path) -> HeaderValue {
    let shown = if inline { "inline" } else { "attachment" };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = utf8_percent_encode(&name, &ATTRIBUTE);
    HeaderValue::from_str(&format!("{shown}; filename*=UTF-8''{name}"))
        .unwrap_or(HeaderValue::from_static(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_name_whatever_it_is() {
        for (name, header) in [
            ("plan.pdf", "inline; filename*=UTF-8''plan.pdf"),
            ("Größe 2.pdf", "inline; filename*=UTF-8''Gr%C3%B6%C3%9Fe%202.pdf"),
            ("a\"b;c\\d'e%.md", "inline; filename*=UTF-8''a%22b%3Bc%5Cd%27e%25.md"),
            ("a\r\nSet-Cookie: b=c", "inline; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b%3Dc"),
            ("~!#$&+-.^_`|*()", "inline; filename*=UTF-8''~!#$&+-.^_`|%2A%28%29"),
        ] {
            assert_eq!(disposition(true, &Path::new("/notes").join(name)), header, "{name}");
        }
        assert_eq!(disposition(false, Path::new("a/b.docx")), "attachment; filename*=UTF-8''b.docx");
    }
}
