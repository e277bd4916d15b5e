//! Who may ask: checked for every request over TCP before anything else is done.
//!
//! A page of another site can send requests to this machine, and by DNS rebinding it can even read the answers. So the
//! name that the browser believes to talk to has to be one of this machine's, requests of other origins are refused,
//! and what changes anything needs a token that only the page has.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::failure::refused;
use super::state::Shared;
use crate::ids::Digest;

/// Marks a request that has shown the token, or came through the socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trusted;

const TOKEN: &str = "x-retune";
/// Of a browser that has shown the token once.
const COOKIE: &str = "retune-token";

/// The socket is open to its owner alone.
#[cfg(unix)]
pub(super) async fn trust(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Trusted);
    next.run(request).await
}

pub(super) async fn check(State(state): State<Shared>, mut request: Request, next: Next) -> Response {
    let Some(host) = host(&request) else {
        return refused(StatusCode::BAD_REQUEST, "the request names no host, or two");
    };
    if !is_own(&host) {
        let reason = format!("{host:?} is no name of this service: use its address");
        return refused(StatusCode::MISDIRECTED_REQUEST, &reason);
    }
    if let Some(reason) = foreign(request.headers(), &host, request.uri()) {
        return refused(StatusCode::FORBIDDEN, &reason);
    }
    let shown = shown_token(request.headers(), &state.token);
    if state.token_for_all && !shown && !has_cookie(request.headers(), &state.token) {
        return signed_in(&state, request.uri()).unwrap_or_else(|| {
            let reason = "send the token in the header X-Retune, or open /?token=TOKEN once in the browser";
            refused(StatusCode::UNAUTHORIZED, reason)
        });
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && !shown {
        return refused(StatusCode::FORBIDDEN, "changes need the token in the header X-Retune");
    }
    if shown {
        request.extensions_mut().insert(Trusted);
    }
    next.run(request).await
}

/// The host that is meant, with its port: of the header, and of the URL where that has one. `None` where they differ.
fn host(request: &Request) -> Option<String> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let host = named.next()?.to_str().ok()?.to_ascii_lowercase();
    let same =
        request.uri().authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(&host));
    (named.next().is_none() && same).then_some(host)
}

/// Whether a host is written as an address, which no name server can turn elsewhere, or is this machine's own name.
fn is_own(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    name == "localhost" || address.parse::<IpAddr>().is_ok()
}

/// Why a request came from elsewhere.
fn foreign(headers: &HeaderMap, host: &str, uri: &Uri) -> Option<String> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
    if let Some(origin) = text("origin")
        && origin.strip_prefix("http://") != Some(host)
    {
        return Some(format!("requests of {origin} are not answered: CORS is closed"));
    }
    let site = text("sec-fetch-site")?;
    // Following a link to the page is fine.
    let link = uri.path() == "/" && text("sec-fetch-mode").as_deref() == Some("navigate");
    let own = matches!(site.as_str(), "same-origin" | "none");
    (!own && !link).then(|| format!("a {site} request: only the page itself is answered"))
}

fn shown_token(headers: &HeaderMap, token: &str) -> bool {
    let header = headers.get(TOKEN).map(|value| value.as_bytes());
    let bearer = || headers.get(header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ");
    header.or_else(bearer).is_some_and(|shown| is_same(shown, token))
}

fn has_cookie(headers: &HeaderMap, token: &str) -> bool {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut values =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|one| one.trim().split_once('='));
    values.any(|(name, value)| name == COOKIE && is_same(value.as_bytes(), token))
}

/// Digests are compared, so that the time says nothing of where they differ.
fn is_same(shown: &[u8], token: &str) -> bool {
    Digest::of(shown) == Digest::of(token.as_bytes())
}

/// A browser that opens `/?token=TOKEN` gets a cookie instead.
fn signed_in(state: &Shared, uri: &Uri) -> Option<Response> {
    let token = uri.query()?.strip_prefix("token=").filter(|_| uri.path() == "/")?;
    if !is_same(token.as_bytes(), &state.token) {
        return None;
    }
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
    Some(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_this_machine() {
        for own in ["127.0.0.1:7867", "localhost:7867", "localhost", "[::1]:80", "192.168.1.7:7867"] {
            assert!(is_own(own), "{own}");
        }
        for foreign in
            ["evil.example:7867", "127.0.0.1.evil.example", "localhost.evil.example:7867", "", "[::1", "::x"]
        {
            assert!(!is_own(foreign), "{foreign}");
        }
    }

    #[test]
    fn other_origins_and_sites_are_foreign() {
        let foreign = |pairs: &[(&'static str, &str)], path: &str| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            super::foreign(&headers, "127.0.0.1:7867", &path.parse().unwrap()).is_some()
        };
        assert!(!foreign(&[], "/api/v1/status"));
        assert!(!foreign(&[("origin", "http://127.0.0.1:7867")], "/api/v1/judge"));
        assert!(!foreign(&[("sec-fetch-site", "same-origin")], "/api/v1/status"));
        assert!(!foreign(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], "/"));
        assert!(foreign(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], "/api/v1/file"));
        assert!(foreign(&[("sec-fetch-site", "same-site")], "/api/v1/status"));
        for origin in ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:7867"] {
            assert!(foreign(&[("origin", origin)], "/api/v1/search"), "{origin}");
        }
    }
}
