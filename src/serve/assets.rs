//! The page: files in this program, served from memory.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, File, include_dir};

use super::failure::refused;
use super::media::{HTML, of_asset};
use super::state::Shared;
use crate::ids::Digest;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/serve/assets");
/// Stands in the page for the token.
const TOKEN: &str = "{{token}}";
/// Stands in the page for where the index is: `machine` or `cluster`.
const PLACE: &str = "{{place}}";

/// The page, or one of its files. Names are looked up among those of the program: no path leads anywhere else.
pub(super) async fn page(State(state): State<Shared>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "the page can only be read");
    }
    let name = match request.uri().path().trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let found = FILES.get_file(name).filter(|_| !name.starts_with("api/"));
    let Some(file) = found else { return refused(StatusCode::NOT_FOUND, "there is nothing here") };
    if name == "index.html" {
        let place = if state.held.is_some() { "machine" } else { "cluster" };
        let page =
            String::from_utf8_lossy(file.contents()).replace(TOKEN, &state.token).replace(PLACE, place);
        return ([(header::CONTENT_TYPE, HTML)], page).into_response();
    }
    sent(file, request.headers())
}

fn sent(file: &'static File<'_>, asked: &HeaderMap) -> Response {
    let tag = format!("\"{:.32}\"", Digest::of(file.contents()).to_string());
    let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
    let known = asked.get(header::IF_NONE_MATCH) == Some(&tag);
    let headers = [
        (header::CONTENT_TYPE, of_asset(file.path())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::ETAG, tag),
    ];
    match known {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, file.contents()).into_response(),
    }
}
