//! `retune service`: what is written, and that nothing is started unasked.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::site::write_documents;
use crate::cli::harness::{json, retune_with, stderr, stdout};

#[test]
fn a_unit_is_shown_written_started_when_asked_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("my files");
    write_documents(&files);
    json(&files, &["index", "."]);
    // What would be started is written down instead.
    let (tools, told) = (folder.path().join("bin"), folder.path().join("told"));
    fs::create_dir(&tools).unwrap();
    fs::write(tools.join("systemctl"), format!("#!/bin/sh\necho \"$@\" >> {}\n", told.display())).unwrap();
    fs::set_permissions(tools.join("systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let config = folder.path().join("config");
    let env = [("XDG_CONFIG_HOME", config.to_str().unwrap()), ("PATH", &path)];
    let run = |args: &[&str]| {
        let output = retune_with(&files, &[&["service"], args].concat(), &env);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let units = || match fs::read_dir(config.join("systemd/user")) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>(),
        Err(_) => Vec::new(),
    };
    let shown = run(&["show"]);
    let index = files.join(".retune").canonicalize().unwrap();
    assert!(shown.contains("ExecStart=") && shown.contains(&format!("\"{}\"", index.display())), "{shown}");
    assert_eq!(units(), [] as [std::path::PathBuf; 0]);
    let said = run(&["install", "--port", "7999"]);
    let [unit] = units().try_into().unwrap();
    assert!(said.contains("not started: `systemctl --user daemon-reload`"), "{said}");
    assert!(fs::read_to_string(&unit).unwrap().contains("\"--port=7999\""));
    assert!(!told.exists());
    run(&["install", "--start"]);
    let name = unit.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("retune-my-files-") && name.ends_with(".service"), "{name}");
    let expected = format!("--user daemon-reload\n--user enable --now {name}\n");
    assert_eq!(fs::read_to_string(&told).unwrap(), expected);
    run(&["remove"]);
    assert_eq!(units(), [] as [std::path::PathBuf; 0]);
    assert!(fs::read_to_string(&told).unwrap().ends_with(&format!("--user disable --now {name}\n")));
    assert!(run(&["remove"]).contains("there is no"));
}
