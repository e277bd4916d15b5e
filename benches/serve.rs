//! A service under load, beside the engine that it serves.
//!
//!     RETUNE_MODEL=DIR cargo bench --bench serve -- DIR [SECONDS]
//!
//! Indexes the fixtures' handbook and judges its train queries. Then 32 clients search for SECONDS (default 60): for
//! five seconds all ask the service, each over a connection that it keeps, for the next five all ask the same engine
//! without it, and so on. Meanwhile the service indexes DIR and learns. Prints the requests that failed, the latencies
//! of both, and the memory every ten seconds. Without `RETUNE_MODEL` it uses the fixtures' tiny model.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use retune::serve::{ServeOptions, Server};
use retune::{Engine, LearnOptions, Options, Query, Verdict};
use serde_json::Value;

const CLIENTS: usize = 32;
/// How long all clients ask one and the same.
const TURN: Duration = Duration::from_secs(5);

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let more = words.next().map(PathBuf::from);
    let seconds = words.next().and_then(|word| word.parse().ok()).unwrap_or(60);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let model =
        std::env::var_os("RETUNE_MODEL").map_or_else(|| fixtures.join("reference/tiny-mpnet"), PathBuf::from);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = Engine::open(folder.path(), Options::default().with_model(model)).expect("an index");
    let handbook = fixtures.join("handbook");
    engine.index_folder(&handbook.join("documents"), &mut |_| ControlFlow::Continue(())).expect("documents");
    let queries = judged(&engine, &handbook);
    let server = Server::start(engine.clone(), &ServeOptions::default().with_port(0)).expect("a service");
    println!("{} queries; {} judged; {:.0} MB before", queries.len(), queries.len(), megabytes("VmRSS"));
    if let Some(more) = more {
        server.follow(vec![more]);
    }
    let round = engine.learn_in_background(LearnOptions::default()).expect("a round");
    let load = Load {
        address: server.address(),
        engine: &engine,
        queries: &queries,
        failed: AtomicUsize::new(0),
        served: Mutex::default(),
        bare: Mutex::default(),
        stop: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let load = &load;
            scope.spawn(move || load.run(client));
        }
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(seconds) {
            std::thread::sleep(Duration::from_secs(10.min(seconds)));
            let (coverage, learning) = (engine.coverage(), engine.round());
            println!(
                "{:3.0} s: {:.0} MB; {} of {} passages with vectors; learning: {}",
                began.elapsed().as_secs_f64(),
                megabytes("VmRSS"),
                coverage.encoded,
                coverage.chunks,
                learning.and_then(|round| round.progress).map_or("no".into(), |at| at.stage.to_string()),
            );
        }
        load.stop.store(true, Ordering::Release);
    });
    println!("| 32 clients | requests | failed | p50, ms | p95, ms | p99, ms |\n|---|---|---|---|---|---|");
    row("through the service", &load.served, load.failed.load(Ordering::Acquire));
    row("the engine alone", &load.bare, 0);
    println!("peak {:.0} MB", megabytes("VmHWM"));
    round.cancel();
    server.stop().expect("a clean end");
}

/// Clients that ask by turns through the service and without it.
struct Load<'a> {
    address: SocketAddr,
    engine: &'a Engine,
    queries: &'a [String],
    failed: AtomicUsize,
    served: Mutex<Vec<f64>>,
    bare: Mutex<Vec<f64>>,
    stop: AtomicBool,
}

impl Load<'_> {
    fn run(&self, client: usize) {
        let mut connection = BufReader::new(TcpStream::connect(self.address).expect("a connection"));
        let (mut served, mut bare, began) = (Vec::new(), Vec::new(), Instant::now());
        for query in self.queries.iter().cycle().skip(client * 7) {
            if self.stop.load(Ordering::Acquire) {
                break;
            }
            let started = Instant::now();
            if (began.elapsed().as_secs() / TURN.as_secs()).is_multiple_of(2) {
                let answered = ask(&mut connection, self.address, query).is_ok_and(|status| status == 200);
                served.push(started.elapsed().as_secs_f64() * 1e3);
                if !answered {
                    self.failed.fetch_add(1, Ordering::AcqRel);
                    connection = BufReader::new(TcpStream::connect(self.address).expect("a connection"));
                }
            } else {
                self.engine.search(&Query::parse(query)).expect("an answer");
                bare.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
        self.served.lock().expect("no panic").extend(served);
        self.bare.lock().expect("no panic").extend(bare);
    }
}

/// Searches over a connection that is kept. Returns the status.
fn ask(connection: &mut BufReader<TcpStream>, address: SocketAddr, query: &str) -> std::io::Result<u16> {
    let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let request = format!("GET /api/v1/search?q={query} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    connection.get_mut().write_all(request.as_bytes())?;
    let (mut line, mut length, mut status) = (String::new(), 0, 0);
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap_or(0);
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(status)
}

/// The train queries of the handbook, each judged as its judgements say.
fn judged(engine: &Engine, handbook: &Path) -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(handbook.join(name)).expect("the handbook");
    let qrels = read("qrels/train.tsv");
    let mut queries = Vec::new();
    for line in read("queries.jsonl").lines() {
        let query: Value = serde_json::from_str(line).expect("a query");
        let (id, text) = (query["_id"].as_str().expect("an id"), query["text"].as_str().expect("a text"));
        let Some(row) = qrels.lines().find(|row| row.split('\t').next() == Some(id)) else { continue };
        let document = row.split('\t').nth(1).expect("a document");
        let answer = engine.search(&Query::new(text)).expect("an answer");
        engine.judge(answer.query_id, document, Verdict::Chosen).expect("a judgement");
        queries.push(text.to_string());
    }
    queries
}

fn row(name: &str, times: &Mutex<Vec<f64>>, failed: usize) {
    let mut times = times.lock().expect("no panic").clone();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("| {name} | {} | {failed} | {:.1} | {:.1} | {:.1} |", times.len(), at(0.5), at(0.95), at(0.99));
}

/// A size of this process, on Linux.
fn megabytes(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
