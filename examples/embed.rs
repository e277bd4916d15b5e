//! retune in an application: open, add, search, judge, learn in the background, close.
//!
//! `cargo run --release --example embed` (the model must be there: `retune model fetch`).

use retune::{Document, Engine, LearnOptions, Options, Query, Verdict};

fn main() -> retune::Result<()> {
    let folder = std::env::temp_dir().join("retune-example");
    let engine = Engine::open(&folder, Options::default())?;

    engine.add(vec![
        Document::new("faq/1", "To set a new password, open Settings and choose Security.")
            .with_title("Passwords")
            .with_field("language", "en"),
        Document::new("faq/2", "Change the name that others see under Settings, Profile.")
            .with_title("User names"),
        Document::new("faq/3", "Invoices are sent on the first of the month.").with_title("Billing"),
    ])?;

    // Engines are cheap to clone and can be searched from any thread.
    let answer = engine.search(&Query::new("i can't log in any more").with_limit(3))?;
    for hit in &answer.hits {
        println!("{}. {} ({:.3}): {}", hit.rank, hit.document, hit.score, hit.passage);
    }

    // The user picked one: what stood above it was passed over.
    engine.judge(answer.query_id, "faq/1", Verdict::Chosen)?;

    // Learns on a thread of its own; searches go on. One judgement is too few, and the report says so.
    let task = engine.learn_in_background(LearnOptions::default())?;
    let report = task.wait()?;
    println!("{:?}: {}", report.gate.decision, report.gate.reason);

    engine.close()
}
