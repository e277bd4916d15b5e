//! A support desk: tickets come, change and go; people filter, page and count them; their clicks teach the encoder.
//!
//! `cargo run --example desk` uses a tiny model with random weights, which is quick and knows nothing. With
//! `RETUNE_MODEL=DIR` it uses a real one.

#[path = "desk/tickets.rs"]
mod tickets;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use retune::documents::{Date, Listing};
use retune::learn::TrainOptions;
use retune::{
    Document, Engine, Filter, LearnOptions, LearnProgress, Options, Query, Reader, Result, Verdict,
};
use tickets::{TICKETS, Ticket};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        // The second process: see `another_process`.
        (Some("counter"), Some(folder)) => counter(Path::new(&folder)),
        _ => {
            let folder = std::env::temp_dir().join(format!("retune-desk-{}", std::process::id()));
            let done = desk(&folder);
            let _ = std::fs::remove_dir_all(&folder);
            done
        }
    }
}

fn options() -> Options {
    match std::env::var_os("RETUNE_MODEL") {
        Some(_) => Options::default(),
        None => Options::default()
            .with_model(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reference/tiny-mpnet")),
    }
}

fn desk(folder: &Path) -> Result<()> {
    let engine = Engine::open(folder, options())?;
    tickets_come_and_go(&engine)?;
    lists_and_counts(&engine)?;
    pages(&engine)?;
    another_process(&engine)?;
    eight_threads(&engine)?;
    learn(&engine)?;
    engine.close()
}

fn document(ticket: &Ticket) -> Result<Document> {
    Ok(Document::new(ticket.id, ticket.text)
        .with_title(ticket.title)
        .with_field("product", ticket.product)
        .with_field("opened", ticket.opened.parse::<Date>()?)
        .with_field("tags", ticket.tags)
        .with_field("replies", 0))
}

/// Adding an id again replaces the ticket. What has not changed costs next to nothing.
fn tickets_come_and_go(engine: &Engine) -> Result<()> {
    let all = || TICKETS.iter().map(document).collect::<Result<Vec<_>>>();
    let added = engine.add(all()?)?;
    println!("added {} tickets, encoded {} passages", added.documents, added.chunks_encoded);

    let mut tickets = all()?;
    tickets[0] = document(&TICKETS[0])?.with_field("assigned", "maria");
    let changed = engine.add(tickets)?;
    println!(
        "changed {}, encoded {}, left {} alone",
        changed.documents, changed.chunks_encoded, changed.unchanged
    );

    let removed = engine.remove(&["T-024"])?;
    let old = engine.remove_matching(&"opened<2023-01-01 not tags=legal".parse()?)?;
    println!("removed {removed} ticket by its id and {old} that were old");
    Ok(())
}

fn lists_and_counts(engine: &Engine) -> Result<()> {
    let urgent = Filter::equals("tags", "urgent").and(Filter::range("opened", "2024-01-01"..));
    println!("{} urgent tickets since 2024", engine.count(&urgent)?);

    let mut listing = Listing::default().with_filter(Filter::equals("product", "printer")).with_limit(3);
    loop {
        let page = engine.list(&listing)?;
        let titles: Vec<String> =
            page.documents.iter().map(|ticket| format!("{} {}", ticket.id, ticket.title)).collect();
        println!("printers: {}", titles.join(" · "));
        let Some(next) = page.next else { break };
        listing = listing.with_after(next);
    }

    let first = engine.get("T-001")?.expect("it was added");
    println!("T-001 is assigned to {}", first.fields["assigned"]);

    // A word that is not the name of any field is a mistake, not an empty list.
    if let Err(error) = engine.count(&"prodct=printer".parse()?) {
        println!("{error}");
    }
    Ok(())
}

/// All pages of a query are one impression, with one id to judge them by.
fn pages(engine: &Engine) -> Result<()> {
    let mut query = Query::new("the printer prints nothing")
        .with_filter("tags=urgent or tags=hardware".parse()?)
        .with_limit(3)
        .with_fields(["product", "opened"])
        .with_facets(["product", "tags"]);
    let mut page = engine.search(&query)?;
    println!("{} tickets found for {:?}", page.total.unwrap_or_default(), query.text);
    for (field, counts) in &page.facets {
        let counts: Vec<String> =
            counts.iter().map(|count| format!("{} {}", count.value, count.documents)).collect();
        println!("  {field}: {}", counts.join(", "));
    }
    while !page.hits.is_empty() {
        for hit in &page.hits {
            println!(
                "{:3}. {} {} ({}, {})",
                hit.rank, hit.document, hit.title, hit.fields["product"], hit.fields["opened"]
            );
        }
        query = query.next_page(&page);
        page = engine.search(&query)?;
    }
    Ok(())
}

/// Another process, such as a second worker of a web server, searches and clicks beside this one.
fn another_process(engine: &Engine) -> Result<()> {
    let program = std::env::current_exe().expect("a process knows its program");
    let ended =
        Command::new(program).arg("counter").arg(engine.path()).status().expect("it can be started again");
    println!("the other process ended with {ended}");
    Ok(())
}

fn counter(folder: &Path) -> Result<()> {
    let reader = Reader::open(folder, options())?;
    for ticket in &TICKETS[..4] {
        click(&reader, ticket.asked[0], ticket.id)?;
    }
    println!("the counter has clicked four times");
    reader.close()
}

/// One user: asks, looks at the hits, picks one.
fn click(reader: &Reader, asked: &str, ticket: &str) -> Result<()> {
    let answer = reader.search(&Query::new(asked))?;
    reader.judge(answer.query_id, ticket, Verdict::Chosen)
}

/// Any number of threads may search, click and write at once: an engine is cheap to clone.
fn eight_threads(engine: &Engine) -> Result<()> {
    let users: Vec<_> = (0..8)
        .map(|user| {
            let engine = engine.clone();
            thread::spawn(move || -> Result<()> {
                for ticket in TICKETS[..20].iter().skip(user).step_by(8) {
                    click(&engine, ticket.asked[0], ticket.id)?;
                    click(&engine, ticket.asked[1], ticket.id)?;
                }
                engine.add(vec![
                    Document::new(format!("note-{user}"), "Called back.").with_field("tags", "note"),
                ])?;
                Ok(())
            })
        })
        .collect();
    for user in users {
        user.join().expect("no user panics")?;
    }
    let status = engine.status()?;
    let log = status.feedback.expect("this engine writes a log");
    println!("{} documents, {} queries, {} clicks", status.documents, log.impressions, log.judgements);
    Ok(())
}

/// Learns in the background, while others go on searching.
fn learn(engine: &Engine) -> Result<()> {
    // So few clicks prove nothing: publish what is not worse.
    let train = TrainOptions::default().with_batch_size(4);
    let options = LearnOptions::default().with_train(train).with_significance(None);
    let mut round = engine.learn_in_background(options)?;
    let mut searches = 0;
    let report = loop {
        if let Some(report) = round.wait_timeout(Duration::from_millis(20)) {
            break report?;
        }
        if let Some(progress) = round.progress() {
            bar(progress);
        }
        engine.search(&Query::new("paper jam").without_logging())?;
        searches += 1;
    };
    println!("learnt while {searches} searches were answered: {}", report.gate.reason);
    Ok(())
}

fn bar(progress: LearnProgress) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let done = (30.0 * progress.fraction) as usize;
        let stage = progress.stage.to_string();
        let _ = write!(terminal, "\r[{:<30}] {stage:<10}", "#".repeat(done));
    }
}
