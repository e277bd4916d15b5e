//! Several processes with one index: what they log and judge is there for all, whoever is killed when.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};

use crate::common::{self, judge_everything, open, options, quick_round};
use retune::{Engine, Error, Feedback, LearnPolicy, Query, QueryId, Reader, Verdict};

const FOLDER: &str = "RETUNE_SHARING_TEST_FOLDER";

/// A child: searches and judges until it is killed. Does nothing when it isn't called by a test below.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let engine = Reader::open(Path::new(&folder).join("index"), options()).unwrap();
    let mut out = std::io::stdout();
    for number in 0.. {
        let answer =
            engine.search(&Query::new(format!("question {number} of {}", std::process::id()))).unwrap();
        engine.judge(answer.query_id, "kettle", Verdict::Relevant).unwrap();
        writeln!(out, "\njudged {}", answer.query_id).unwrap();
        out.flush().unwrap();
    }
}

/// A child that runs, and what it says.
struct Running {
    child: Child,
    said: Receiver<QueryId>,
    judged: Vec<QueryId>,
}

impl Running {
    fn start(folder: &Path) -> Running {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["sharing::child", "--exact", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (say, said) = unbounded();
        std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            let ids = lines.filter_map(|line| line.strip_prefix("judged ")?.parse().ok());
            ids.for_each(|id| say.send(id).unwrap_or_default());
        });
        Running { child, said, judged: Vec::new() }
    }

    /// Whether it has judged a few times, or has ended.
    fn has_worked(&mut self) -> bool {
        self.judged.extend(self.said.try_iter());
        self.judged.len() >= 3 || !matches!(self.child.try_wait(), Ok(None))
    }

    /// The queries that it had judged.
    fn kill(mut self) -> Vec<QueryId> {
        assert!(self.child.try_wait().unwrap().is_none(), "a child ended by itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.judged.extend(self.said.iter());
        self.judged
    }
}

#[test]
fn killed_processes_lose_no_judgement_while_the_writer_merges_and_forgets() {
    const CHILDREN: usize = 3;
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("index");
    let writer = open(folder.path());
    writer.add(common::documents()).unwrap();
    writer.close().unwrap();
    let mut judged: Vec<QueryId> = Vec::new();
    for kill in 0..8 {
        let mut children: Vec<Running> = (0..CHILDREN).map(|_| Running::start(folder.path())).collect();
        let until = Instant::now() + Duration::from_millis(600 + 37 * kill);
        while Instant::now() < until || !children.iter_mut().all(Running::has_worked) {
            // Each opening merges what the children are writing.
            let writer = open(folder.path());
            let answer = writer.search(&Query::new("to be forgotten")).unwrap();
            writer.judge(answer.query_id, "lamp", Verdict::Chosen).unwrap();
            assert_eq!(writer.forget_query("to be forgotten").unwrap(), 2);
            writer.close().unwrap();
        }
        children.into_iter().for_each(|child| judged.extend(child.kill()));
        // A write that was cut short, whether or not a kill has hit one.
        let logs = std::fs::read_dir(index.join("feedback")).unwrap().map(|entry| entry.unwrap().path());
        let mut live = logs.filter(|path| path.display().to_string().contains("live-"));
        if let Some(path) = live.next() {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.extend_from_slice(&[0xf2, 0x9d, 0x72, 0x74, 200, 0, 0, 0, 1]);
            std::fs::write(&path, bytes).unwrap();
        }
    }
    assert!(judged.len() > 50, "the children judged {} times", judged.len());
    let feedback = Feedback::open(&index, &options()).unwrap();
    for id in &judged {
        let found = feedback.find_query(&id.to_string()).unwrap();
        assert!(found.query.starts_with("question "), "{found:?}");
    }
    feedback.close().unwrap();
    let reader = Reader::open(&index, options()).unwrap();
    let log = reader.status().unwrap().feedback.unwrap();
    assert!(log.judgements >= judged.len() as u64 && log.impressions >= log.judgements, "{log:?}");
    assert_eq!((log.damaged_bytes, log.unknown_records), (0, 0));
    reader.close().unwrap();
    let writer = open(folder.path());
    let after = writer.status().unwrap().feedback.unwrap();
    assert_eq!(
        (after.judgements, after.impressions, after.damage),
        (log.judgements, log.impressions, vec![])
    );
    assert!(after.segments < 10, "the writer has left {} segments", after.segments);
}

#[test]
fn a_handle_for_reading_logs_judges_and_forgets_beside_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let writer = open(folder.path());
    writer.add(common::documents()).unwrap();
    let reader = Reader::open(folder.path().join("index"), options()).unwrap();
    let asked = reader.search(&Query::new("green lamp")).unwrap().query_id;
    reader.judge(asked, "lamp", Verdict::Chosen).unwrap();
    writer.judge(asked, "rope", Verdict::NotRelevant).unwrap();
    writer.add(vec![retune::Document::new("later", "added since the reader was opened")]).unwrap();
    reader.judge(asked, "later", Verdict::Relevant).unwrap();
    assert_eq!(writer.status().unwrap().feedback.unwrap().judgements, 3);
    assert_eq!(reader.forget_query("GREEN lamp").unwrap(), 4);
    assert!(matches!(writer.judge(asked, "lamp", Verdict::Chosen), Err(Error::NotFound { .. })));
}

#[test]
fn a_session_is_logged_with_its_queries_and_one_that_is_no_id_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let writer = open(folder.path());
    writer.add(common::documents()).unwrap();
    let ask = |query: &Query| writer.search(query).unwrap().query_id;
    let within = ask(&Query::parse("green lamp -rope").with_session("visit 7"));
    let alone = ask(&Query::new("green lamp"));
    let feedback = Feedback::open(folder.path().join("index"), &options()).unwrap();
    let session = |id: QueryId| feedback.find_query(&id.to_string()).unwrap().session;
    // Once this is durable, so are the answers before it.
    writer.judge(within, "lamp", Verdict::Opened).unwrap();
    assert_eq!((session(within).as_deref(), session(alone)), (Some("visit 7"), None));
    let error = writer.search(&Query::new("lamp").with_session("x".repeat(65))).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("65 characters"), "{error}");

    assert_eq!(writer.status().unwrap().feedback.unwrap().judgements, 1);
    feedback.judge(within, "lamp", Verdict::Withdrawn).unwrap();
    assert_eq!(writer.status().unwrap().feedback.unwrap().judgements, 0);
}

#[test]
fn judgements_of_other_processes_count_for_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let policy = LearnPolicy::after_judgements(16).with_options(quick_round());
    let path = folder.path().join("index");
    let writer = Engine::open(&path, options().with_policy(policy)).unwrap();
    writer.add(common::documents()).unwrap();
    let other = Reader::open(&path, options()).unwrap();
    judge_everything(&other);
    let started = Instant::now();
    while writer.rounds().unwrap().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(120), "no round was run");
        std::thread::sleep(Duration::from_millis(20));
    }
    writer.close().unwrap();
}
