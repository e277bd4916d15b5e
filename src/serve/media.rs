//! Media types.

use std::path::Path;

use axum::http::HeaderValue;

pub(super) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
pub(super) const PDF: HeaderValue = HeaderValue::from_static("application/pdf");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// How the file of a document is sent.
pub(super) struct Media {
    pub(super) kind: HeaderValue,
    /// Whether a browser may show it.
    pub(super) inline: bool,
}

fn extension(path: &Path) -> String {
    path.extension().map(|one| one.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The type of a document's file: what a browser shows by itself, text as text, all else as bytes to keep.
pub(super) fn of_document(path: &Path) -> Media {
    let shown = |kind| Media { kind: HeaderValue::from_static(kind), inline: true };
    match extension(path).as_str() {
        "pdf" => Media { kind: PDF, inline: true },
        "html" | "htm" | "xhtml" => Media { kind: HTML, inline: true },
        "png" => shown("image/png"),
        "jpg" | "jpeg" => shown("image/jpeg"),
        "gif" => shown("image/gif"),
        "webp" => shown("image/webp"),
        "svg" => shown("image/svg+xml"),
        "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "odt" | "ods" | "odp" | "rtf" | "epub" | "zip"
        | "tar" | "gz" | "xz" | "zst" | "7z" | "msg" | "eml" | "mbox" => Media { kind: BYTES, inline: false },
        _ => Media { kind: TEXT, inline: true },
    }
}

/// The type of a part of the page.
pub(super) fn of_asset(path: &Path) -> HeaderValue {
    match extension(path).as_str() {
        "html" => HTML,
        "css" => HeaderValue::from_static("text/css; charset=utf-8"),
        "js" => HeaderValue::from_static("text/javascript; charset=utf-8"),
        "svg" => HeaderValue::from_static("image/svg+xml"),
        "png" => HeaderValue::from_static("image/png"),
        "json" | "webmanifest" => HeaderValue::from_static("application/json"),
        "woff2" => HeaderValue::from_static("font/woff2"),
        _ => TEXT,
    }
}
