//! The finder over an index on a cluster.

use crate::desk::Desk;
use crate::support::{index, saying};

#[test]
fn what_is_found_and_said_in_the_terminal_is_on_the_cluster() {
    let Some(index) = index("finder") else { return };
    let folder = tempfile::tempdir().unwrap();
    index.migrate(&saying(&folder.path().join("index"), "anchor", 30), 1);
    let store = index.store();
    let mut desk = Desk::start(folder.path(), &["find", "--store", &store], &[]);
    desk.shows("30 documents");
    desk.paste("anchor number 17");
    desk.shows("> anchor-17");
    desk.shows("anchor number 17 of the harbour");
    // Enter opens no file.
    desk.send("\r");
    desk.shows("a cluster has its text, no file");
    desk.send("\x04");
    desk.shows("(not this)");
    desk.send("\x1b");
    assert_eq!(desk.ends(), 0);
    let (queries, events) = (index.records("ubi_queries"), index.records("ubi_events"));
    assert_eq!((queries.len(), &queries[0]["user_query"]), (1, &"anchor number 17".into()));
    assert_eq!((events.len(), &events[0]["action_name"]), (1, &"not_relevant".into()));
    assert_eq!(events[0]["event_attributes"]["object"]["object_id"], "anchor-17");
}

#[test]
fn no_path_is_printed_of_what_has_no_file() {
    let Some(index) = index("printed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = index.store();
    let mut desk = Desk::start(folder.path(), &["find", "--print", "--store", &store], &[]);
    desk.shows("could not use --print with an index on a cluster");
    assert_eq!(desk.child.wait().unwrap().code(), Some(1));
}
