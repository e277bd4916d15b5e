//! More connections than there is room for.

use std::io::Read;
use std::net::TcpStream;

use crossbeam_utils::thread::scope;

use super::site::{Program, ask, until, write_documents};
use crate::cli::harness::json;

/// More than the service takes at a time.
const MANY: usize = 560;

#[test]
fn too_many_connections_are_turned_away_and_the_owner_is_answered_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    write_documents(folder.path());
    json(folder.path(), &["index", "."]);
    let program = Program::serve(folder.path(), &[]);
    let mut connections: Vec<TcpStream> =
        (0..MANY).map(|_| TcpStream::connect(program.address()).unwrap()).collect();
    // The last ones are answered at once that there is no room.
    let mut answer = String::new();
    _ = connections.last_mut().unwrap().read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert_eq!(json(folder.path(), &["search", "kettle"])["hits"][0]["document"], "kettle.md");
    assert!(program.is_asked_over_the_socket());
    drop(connections);
    until("room", || {
        std::panic::catch_unwind(|| ask(program.address(), "GET", "/api/v1/status", &[], "").status == 200)
            .unwrap_or(false)
    });
}

#[test]
fn thirty_two_at_once_are_all_answered() {
    let folder = tempfile::tempdir().unwrap();
    write_documents(folder.path());
    json(folder.path(), &["index", "."]);
    let program = Program::serve(folder.path(), &[]);
    let address = program.address();
    let failed: usize = scope(|scope| {
        let client = |at: usize| {
            let path = format!("/api/v1/search?q=kettle%20{at}&log={}", at.is_multiple_of(2));
            (0..8).filter(|_| ask(address, "GET", &path, &[], "").status != 200).count()
        };
        let clients: Vec<_> = (0..32).map(|at| scope.spawn(move |_| client(at))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>()
    })
    .unwrap();
    assert_eq!(failed, 0);
    assert_eq!(json(folder.path(), &["status"])["feedback"]["impressions"], 128);
}
