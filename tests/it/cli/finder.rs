//! The finder in a terminal of its own.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use retune::Verdict;
use retune::access::{Access, api};

use super::desk::Desk;
use super::harness::{documents, json, retune_with, stderr};
use crate::common;

fn indexed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    documents(folder.path());
    json(folder.path(), &["index", "."]);
    folder
}

/// The queries of the log, the latest first.
fn log(folder: &Path) -> Vec<api::Asked> {
    let access = Access::find(&folder.join(".retune"), common::options().with_lazy_model(true)).unwrap();
    access.recent(&api::LogRequest::default()).unwrap().queries
}

/// What was said of documents, in order.
fn said(asked: &api::Asked) -> Vec<(&str, Verdict)> {
    asked.picked.iter().map(|pick| (pick.document.as_str(), pick.verdict)).collect()
}

/// An editor that writes down how it was called, and runs this.
fn editor(folder: &Path, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("editor.sh");
    fs::write(&path, format!("#!/bin/sh\necho \"$@\" >> '{}'\n{script}\n", folder.join("calls").display()))
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_string()
}

#[test]
fn what_is_opened_and_what_is_not_this_are_in_the_log() {
    let folder = indexed();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    // Looks like emacs, so that it gets the line.
    fs::rename(editor(folder.path(), ""), bin.join("emacs")).unwrap();
    let emacs = bin.join("emacs").display().to_string();
    let mut desk = Desk::start(folder.path(), &["find"], &[("EDITOR", &emacs)]);
    desk.shows("Type what you look for.");
    assert!(desk.is_taken() && desk.is_raw());
    desk.paste("descaled kettle");
    desk.shows("> kettle");
    // The passage in its context.
    desk.shows("── kettle.md");
    desk.send("\r");
    desk.shows("kettle (opened)");
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    let file = folder.path().canonicalize().unwrap().join("kettle.md");
    assert_eq!(calls, format!("+3:1 {}\n", file.display()));
    desk.send("\x1b[B\x04");
    desk.shows("(not this)");
    desk.send("\x1b");
    assert_eq!(desk.ends(), 0);
    let log = log(folder.path());
    let asked: Vec<&str> = log.iter().map(|one| one.query.as_str()).collect();
    assert_eq!(asked, ["descaled kettle"], "nothing of what was typed on the way");
    let said = said(&log[0]);
    assert_eq!(said[0], ("kettle.md", Verdict::Opened));
    assert!(said.len() == 2 && said[1].1 == Verdict::NotRelevant && said[1].0 != "kettle.md", "{said:?}");
    assert!(log[0].session.as_deref().unwrap().starts_with("find:"));
}

#[test]
fn who_is_back_from_the_editor_at_once_has_picked_nothing() {
    let folder = indexed();
    let editor = editor(folder.path(), "sleep 0.7");
    let mut desk = Desk::start(folder.path(), &["find", "green", "lamp"], &[("EDITOR", &editor)]);
    desk.shows("── lamp.md");
    desk.send("\r");
    desk.shows("You came back at once: not counted.");
    desk.send("\x03");
    assert_eq!(desk.ends(), 0);
    let log = log(folder.path());
    assert_eq!(said(&log[0]), [("lamp.md", Verdict::Opened), ("lamp.md", Verdict::Withdrawn)]);
}

#[test]
fn a_query_that_rests_is_logged_and_the_terminal_is_given_back_to_sigterm() {
    let folder = indexed();
    let mut desk = Desk::start(folder.path(), &["find"], &[]);
    desk.shows("documents");
    desk.paste("swing bridge");
    desk.shows("> fog");
    desk.waits("it is logged", || log(folder.path()).iter().any(|asked| asked.query == "swing bridge"));
    // `setsid` has become the program.
    let program = desk.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &program]).status().unwrap().success());
    assert_eq!(desk.ends(), 0);
    assert_eq!(log(folder.path()).len(), 1);
}

#[test]
fn what_is_picked_is_printed_where_that_is_asked_for() {
    let folder = indexed();
    let printed = folder.path().join("printed");
    let output = Stdio::from(File::create(&printed).unwrap());
    let args = ["find", "--print", "frayed", "ropes"];
    let mut desk = Desk::start_with(folder.path(), &args, &[("EDITOR", "false")], Some(output));
    desk.shows("── rope.md");
    desk.send("\r");
    assert_eq!(desk.ends(), 0);
    let path = fs::read_to_string(&printed).unwrap();
    assert_eq!(Path::new(path.trim_end()), folder.path().canonicalize().unwrap().join("rope.md"));
    assert_eq!(said(&log(folder.path())[0]), [("rope.md", Verdict::Opened)]);
}

#[cfg(feature = "serve")]
#[test]
fn a_running_service_is_asked_and_may_end() {
    use retune::Engine;
    use retune::serve::{ServeOptions, Server};

    let folder = indexed();
    let engine = Engine::open(folder.path().join(".retune"), common::options()).unwrap();
    let server = Server::start(engine, &ServeOptions::default().with_port(0)).unwrap();
    let mut desk = Desk::start(folder.path(), &["find"], &[]);
    desk.shows("Type what you look for.");
    desk.paste("frayed ropes");
    desk.shows("> rope");
    desk.send("\x19");
    desk.shows("(right answer)");
    let is_noted =
        || log(folder.path()).first().is_some_and(|one| said(one) == [("rope.md", Verdict::Chosen)]);
    desk.waits("it is noted", is_noted);
    let served = log(folder.path());
    server.stop().unwrap();
    desk.send("\x15");
    desk.paste("green lamp");
    desk.shows("> lamp");
    desk.send("\x04");
    desk.shows("(not this)");
    desk.send("\x1b");
    assert_eq!(desk.ends(), 0);
    let log = log(folder.path());
    assert_eq!((&*log[0].query, said(&log[0])), ("green lamp", vec![("lamp.md", Verdict::NotRelevant)]));
    assert_eq!(log[0].session, served[0].session);
}

#[test]
fn without_a_terminal_it_refuses_in_a_line() {
    let folder = indexed();
    for (env, why) in
        [(&[("TERM", "xterm")][..], "standard input that is none"), (&[("TERM", "dumb")], "is none")]
    {
        let output = retune_with(folder.path(), &["find"], env);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1));
        assert!(said.lines().count() == 1 && said.contains(why) && said.contains("retune search"), "{said}");
    }
    let mut desk = Desk::start(folder.path(), &["find"], &[("TERM", "dumb")]);
    assert_eq!(desk.ends(), 1);
    desk.shows("found TERM=dumb");
}
