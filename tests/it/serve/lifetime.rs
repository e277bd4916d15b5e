//! How a service begins and ends.

use std::fs;
use std::path::Path;

use super::site::{Program, Site, ask, until, write_documents};
use crate::cli::harness::{json, refused};

fn indexed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_documents(folder.path());
    json(folder.path(), &["index", "."]);
    folder
}

fn traces(folder: &Path) -> [bool; 2] {
    ["serve.sock", "serve.json"].map(|name| folder.join(".retune").join(name).exists())
}

#[test]
fn it_ends_cleanly_when_it_is_asked_to() {
    let folder = indexed();
    for signal in ["TERM", "INT"] {
        let mut program = Program::serve(folder.path(), &[]);
        assert_eq!(traces(folder.path()), [true, true]);
        // Logged, and not written by a sync of its own.
        json(folder.path(), &["search", "kettle"]);
        program.signal(signal);
        assert_eq!(program.ended(), Some(0), "{signal}");
        assert_eq!(traces(folder.path()), [false, false]);
    }
    let status = json(folder.path(), &["status"]);
    assert_eq!((&status["feedback"]["impressions"], &status["feedback"]["dropped"]), (&2.into(), &0.into()));
}

#[test]
fn a_second_one_says_where_the_first_is() {
    let folder = indexed();
    let program = Program::serve(folder.path(), &[]);
    let said = refused(folder.path(), &["serve", "--port", "0"]);
    assert!(said.contains(&program.url) && said.contains(&program.pid().to_string()), "{said}");
}

#[test]
fn what_a_killed_one_has_left_is_taken_over() {
    let folder = indexed();
    let mut program = Program::serve(folder.path(), &[]);
    program.signal("KILL");
    program.ended();
    assert_eq!(traces(folder.path()), [true, true]);
    let found = json(folder.path(), &["search", "kettle"]);
    assert_eq!(found["hits"][0]["document"], "kettle.md", "verbs work without it");
    let again = Program::serve(folder.path(), &[]);
    assert_eq!(ask(again.address(), "GET", "/api/v1/status", &[], "").status, 200);
}

#[test]
fn it_ends_by_itself_when_nobody_needs_it() {
    let folder = indexed();
    let mut program = Program::serve(folder.path(), &["--idle-exit", "1s"]);
    assert_eq!(program.ended(), Some(0));
    assert_eq!(traces(folder.path()), [false, false]);
}

#[test]
fn a_port_that_is_asked_for_and_taken_is_refused_and_the_index_is_free_again() {
    let folder = indexed();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = refused(folder.path(), &["serve", "--port", &port]);
    assert!(said.contains("listen on") && said.contains(&port), "{said}");
    json(folder.path(), &["index"]);
    let said = refused(folder.path(), &["serve", "--listen", "0.0.0.0"]);
    assert!(said.contains("token"), "{said}");
}

#[test]
fn an_index_with_a_long_path_has_its_socket_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a-folder-with-a-name-that-is-long/".repeat(4));
    write_documents(&deep);
    json(&deep, &["index", "."]);
    let mut program = Program::serve(&deep, &[]);
    assert_eq!(traces(&deep), [false, true]);
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(deep.join(".retune/serve.json")).unwrap()).unwrap();
    let socket = Path::new(record["socket"].as_str().unwrap()).to_path_buf();
    assert!(socket.exists());
    json(&deep, &["index"]);
    program.signal("TERM");
    assert_eq!(program.ended(), Some(0));
    until("the socket's end", || !socket.exists());
}

#[test]
fn it_ends_with_an_error_when_its_index_is_taken_away() {
    for take in [
        |index: &Path| fs::remove_dir_all(index).unwrap(),
        |index: &Path| fs::rename(index, index.with_extension("moved")).unwrap(),
    ] {
        let folder = indexed();
        let index = folder.path().join(".retune");
        let mut program = Program::serve(folder.path(), &[]);
        json(folder.path(), &["search", "kettle"]);
        take(&index);
        assert_eq!(program.ended(), Some(1));
        assert!(!index.join("retune.json").exists());
    }
}

#[test]
fn what_became_of_the_index_is_said() {
    let site = Site::start();
    let moved = site.index().with_extension("moved");
    fs::rename(site.index(), &moved).unwrap();
    // Another one in its place is not its own.
    fs::create_dir(site.index()).unwrap();
    let said = site.server().wait().unwrap_err().to_string();
    assert!(said.contains(&site.index().display().to_string()) && said.contains("moved"), "{said}");
}
