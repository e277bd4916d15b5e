//! What is refused, and with what every answer protects itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};

use retune::serve::{ServeOptions, Server};
use retune::{Engine, Error};
use serde_json::json;

use super::site::{PATIENCE, Site, engine_options, send};

#[test]
fn hosts_and_origins_of_others_are_refused() {
    let site = Site::start();
    let own = site.address().to_string();
    let status = |headers: &[(&str, &str)]| site.ask("GET", "/api/v1/status", headers, "").status;
    assert_eq!(status(&[]), 200);
    assert_eq!(status(&[("Host", &format!("localhost:{}", site.address().port()))]), 200);
    assert_eq!(status(&[("Host", "evil.example")]), 421, "DNS rebinding");
    assert_eq!(status(&[("Host", &own), ("Host", "evil.example")]), 400);
    assert_eq!(status(&[("Host", "")]), 421);
    assert_eq!(send(site.address(), "GET /api/v1/status HTTP/1.0\r\n\r\n").status, 400, "no host");
    let elsewhere =
        format!("GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
    assert_eq!(send(site.address(), &elsewhere).status, 400);
    assert_eq!(status(&[("Origin", &format!("http://{own}"))]), 200);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(status(&[("Origin", origin)]), 403, "{origin}");
    }
    assert_eq!(status(&[("Sec-Fetch-Site", "cross-site")]), 403);
    // The page as well: its token is in it.
    assert_eq!(site.ask("GET", "/", &[("Host", "evil.example")], "").status, 421);
    assert_eq!(site.ask("GET", "/", &[("Origin", "http://evil.example")], "").status, 403);
    let preflight = site.ask("OPTIONS", "/api/v1/judge", &[("Origin", "http://evil.example")], "");
    assert!(preflight.status == 403 && preflight.header("access-control-allow-origin").is_none());
}

#[test]
fn changes_need_the_token_and_json() {
    let site = Site::start();
    let (token, kind) = (site.server().token().to_string(), ("Content-Type", "application/json"));
    let forget = |headers: &[(&str, &str)]| {
        site.ask("POST", "/api/v1/forget", headers, r#"{"everything":true}"#).status
    };
    assert_eq!(forget(&[kind]), 403);
    assert_eq!(forget(&[kind, ("X-Retune", "0123456789abcdef0123456789abcdef")]), 403);
    assert_eq!(forget(&[("X-Retune", &token)]), 415, "a form could be sent from anywhere");
    assert_eq!(forget(&[("Content-Type", "text/plain"), ("X-Retune", &token)]), 415);
    assert_eq!(forget(&[kind, ("X-Retune", &token)]), 200);
    assert_eq!(forget(&[kind, ("Authorization", &format!("Bearer {token}"))]), 200);
    for body in ["{", "[]", r#"{"everything":true,"more":1}"#, r#"{"query":"a","document":"b"}"#, "{}"] {
        let reply = site.ask("POST", "/api/v1/forget", &[kind, ("X-Retune", &token)], body);
        assert_eq!(reply.status, 400, "{body}");
        assert!(!reply.error().contains('\n'));
    }
    assert_eq!(site.ask("DELETE", "/api/v1/forget", &[kind, ("X-Retune", &token)], "").status, 405);
    assert_eq!(site.get("forget").status, 405);
}

#[test]
fn no_path_leads_out_of_what_is_indexed() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "a secret").unwrap();
    let site = Site::with(&ServeOptions::default(), |files| {
        fs::write(files.join("picture.png"), b"\x89PNG\r\n").unwrap();
    });
    let file = |document: &str| site.get(&format!("file?document={document}"));
    assert_eq!(file("kettle.md").text(), fs::read_to_string(site.files().join("kettle.md")).unwrap());
    for document in [
        "../index/retune.json",
        "..%2Findex%2Fretune.json",
        "%2Fetc%2Fpasswd",
        "/etc/passwd",
        "kettle.md/../../index/retune.json",
        "./kettle.md",
        "picture.png", // there, but not indexed
        "kettle.md%00",
        "",
    ] {
        let reply = file(document);
        assert_eq!(reply.status, 404, "{document}: {}", reply.text());
    }
    for path in
        ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/index.html/.."]
    {
        assert_eq!(site.ask("GET", path, &[], "").status, 404, "{path}");
    }
    // A document that becomes a link to elsewhere is not followed.
    #[cfg(unix)]
    for (document, to) in
        [("kettle.md", secret.path().to_path_buf()), ("lamp.md", site.index().join("retune.json"))]
    {
        fs::remove_file(site.files().join(document)).unwrap();
        std::os::unix::fs::symlink(to, site.files().join(document)).unwrap();
        let reply = file(document);
        assert!(reply.status == 404, "{document}: {}", reply.text());
    }
}

#[test]
fn what_stands_in_documents_does_not_run() {
    let site = Site::with(&ServeOptions::default(), |files| {
        fs::write(files.join("evil.html"), "<p>A walrus</p><script>alert(1)</script>").unwrap();
        fs::write(files.join("evil.svg"), "<svg/>").unwrap();
    });
    let reply = site.get("file?document=evil.html");
    let policy = reply.header("content-security-policy").unwrap();
    assert_eq!(reply.status, 200);
    assert!(
        policy.contains("sandbox")
            && !policy.contains("allow-scripts")
            && policy.contains("default-src 'none'")
    );
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn every_answer_says_how_little_it_may_do() {
    let site = Site::start();
    for path in ["/", "/api/v1/status", "/api/v1/read?document=none.md", "/nothing"] {
        let reply = site.ask("GET", path, &[], "");
        let policy = reply.header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(reply.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(reply.header("access-control-allow-origin").is_none(), "{path}");
    }
}

#[test]
fn what_is_too_large_or_too_slow_is_refused_and_the_next_is_answered() {
    let site = Site::start();
    let long = "a".repeat(5000);
    assert_eq!(site.get(&format!("search?q={long}")).status, 400);
    assert_eq!(site.get("search?q=a&limit=101").status, 400);
    assert_eq!(site.get("search?q=a&limit=0").status, 400);
    assert_eq!(site.get("search?q=a&offset=999999999").status, 400);
    assert_eq!(site.get("search?q=a&unknown=1").status, 400);
    assert_eq!(site.get("read?document=lamp.md&max=100001").status, 400);
    let head = format!("GET /?{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    assert!(matches!(send(site.address(), &head).status, 414 | 431));
    let (token, kind) = (site.server().token().to_string(), ("Content-Type", "application/json"));
    let large = format!("{{\"query\":\"{}\"}}", "a".repeat(70_000));
    assert_eq!(site.ask("POST", "/api/v1/forget", &[kind, ("X-Retune", &token)], &large).status, 413);
    // Announced, never sent.
    let head = format!(
        "POST /api/v1/forget HTTP/1.1\r\nHost: {}\r\nX-Retune: {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 99999999999\r\nConnection: close\r\n\r\n",
        site.address()
    );
    assert_eq!(send(site.address(), &head).status, 413);
    // A head that never ends: the connection is closed.
    let mut slow = TcpStream::connect(site.address()).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    slow.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: ").unwrap();
    assert_eq!(site.get("status").status, 200, "others are answered meanwhile");
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{rest:?}");
}

#[test]
fn with_a_token_of_its_own_every_request_needs_it() {
    let token = "correct-horse-battery";
    let site = Site::with(&ServeOptions::default().with_token(token), |_| {});
    let status = |headers: &[(&str, &str)]| site.ask("GET", "/api/v1/status", headers, "").status;
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("X-Retune", "correct-horse-batterx")]), 401);
    assert_eq!(status(&[("X-Retune", token)]), 200);
    assert_eq!(site.ask("GET", "/", &[], "").status, 401, "the page has the token in it");
    assert_eq!(site.ask("GET", "/?token=wrong", &[], "").status, 401);
    let opened = site.ask("GET", &format!("/?token={token}"), &[], "");
    assert_eq!((opened.status, opened.header("location")), (303, Some("/")));
    let cookie = opened.header("set-cookie").unwrap().to_string();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(status(&[("Cookie", cookie)]), 200);
    // A cookie is sent by the browser, whoever asks: it changes nothing.
    let body = json!({"everything": true}).to_string();
    let headers = [("Cookie", cookie), ("Content-Type", "application/json")];
    assert_eq!(site.ask("POST", "/api/v1/forget", &headers, &body).status, 403);
}

#[test]
fn beyond_this_machine_is_listened_to_only_with_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), engine_options()).unwrap();
    let options = ServeOptions::default().with_port(0).with_listen(IpAddr::from([0, 0, 0, 0]));
    let refused = Server::start(engine.clone(), &options);
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    engine.close().unwrap();
}

#[cfg(unix)]
#[test]
fn log_socket_and_record_are_their_owners_alone() {
    use std::os::unix::fs::MetadataExt;
    let site = Site::start();
    site.get("search?q=kettle");
    site.get("log"); // which writes what is still in the queue
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&site.index().join("serve.sock")), 0o600);
    assert_eq!(mode(&site.index().join("serve.json")), 0o600);
    let files = fs::read_dir(site.index().join("feedback")).unwrap().map(|one| one.unwrap().path());
    let segments: Vec<_> = files.filter(|path| path.extension().is_some_and(|one| one == "log")).collect();
    assert!(!segments.is_empty());
    for segment in &segments {
        assert_eq!(mode(segment), 0o600, "{}", segment.display());
    }
}
