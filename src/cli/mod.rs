//! The command line: one file for each verb, shared arguments in `args`, shared printing in `print`.
//!
//! Results go to standard output, everything else to standard error; both only through `print`.

mod args;
mod bench;
mod compare;
mod completions;
mod demo;
mod editor;
#[cfg(feature = "opensearch")]
mod encode_worker;
mod eval;
mod extract;
mod feedback;
mod file_status;
mod files;
mod find;
mod forget;
mod get;
mod index;
mod judge;
mod learn;
mod man;
#[cfg(feature = "serve")]
mod mcp;
#[cfg(feature = "opensearch")]
mod migrate;
mod model;
mod print;
mod rollback;
mod rounds;
mod search;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
mod service;
mod simulate;
mod status;
mod stop;
mod trial;
mod watch;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use print::{LogLine, Output, complain};

/// A search engine that learns from what it confuses.
#[derive(Parser)]
#[command(name = "retune", version, about, max_term_width = 100)]
struct Cli {
    /// Print one JSON object instead of text. docs/cli.md describes its fields.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Find or fetch the encoder's model.
    Model(model::Args),
    /// Index folders of documents, or bring their index in step with them.
    Index(index::Args),
    /// Keep an index in step with its folders until Ctrl-C.
    Watch(watch::Args),
    /// Serve a page, an API and the other commands from one process that keeps the index in step and learns.
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    /// Have `retune serve` started at login.
    #[cfg(feature = "serve")]
    Service(service::Args),
    /// Offer an index to an agent as tools (MCP), over standard input and output. docs/agents.md says how to set it up.
    #[cfg(feature = "serve")]
    Mcp(mcp::Args),
    /// Copy an index to an OpenSearch cluster.
    #[cfg(feature = "opensearch")]
    Migrate(migrate::Args),
    /// Encode passages for rounds of learning of an index on an OpenSearch cluster, until Ctrl-C.
    #[cfg(feature = "opensearch")]
    EncodeWorker(encode_worker::Args),
    /// Search an index.
    Search(search::Args),
    /// Search an index as you type, with previews, in the terminal.
    Find(find::Args),
    /// Print the text of a document, or some lines or pages of it.
    Get(get::Args),
    /// List what an index holds, or what was skipped.
    Files(files::Args),
    /// Judge a document of an answer: chosen, relevant, not relevant, opened; or take that back.
    Judge(judge::Args),
    /// Run one round of learning from the judgements.
    Learn(learn::Args),
    /// List the rounds of learning with their figures.
    Rounds(rounds::Args),
    /// Return to the previous generation.
    Rollback(rollback::Args),
    /// Show how a generation on trial does, or end its trial.
    Trial(trial::Args),
    /// Export the feedback log in formats of others, or import what users have done elsewhere.
    Feedback(feedback::Args),
    /// Remove a query or a document from the feedback log for good.
    Forget(forget::Args),
    /// Show what an index is and holds, or what became of a file.
    Status(status::Args),
    /// Measure retrieval on a test collection or a folder, or score a run.
    Eval(eval::Args),
    /// Compare runs: means, significance, and the queries won and lost most.
    Compare(compare::Args),
    /// Let simulated users ask a collection's train queries, learn, and measure on its test queries.
    Simulate(simulate::Args),
    /// Measure how fast the encoder encodes, answers and learns on this machine.
    Bench(bench::Args),
    /// Show the whole loop on a small handbook: index, search, judge, learn, compare.
    Demo(demo::Args),
    /// Print a script that completes this command line in a shell.
    Completions(completions::Args),
    /// Read files that are not text, for `index`.
    #[command(hide = true)]
    Extract(extract::Args),
    /// Print the manual page, or write those of all commands.
    Man(man::Args),
}

/// Runs the program. Exit codes: 0 done, 1 failed, 2 wrong usage.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    if let Verb::Extract(args) = &cli.verb {
        return extract::run(args);
    }
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("RETUNE_LOG")
                .unwrap_or_else(|_| "retune=warn".into()),
        )
        .with_writer(LogLine::default)
        .with_ansi(false)
        .without_time()
        .init();
    let out = Output::new(cli.json);
    let done = match cli.verb {
        Verb::Model(args) => model::run(&args, &out),
        Verb::Index(args) => index::run(&args, &out),
        Verb::Watch(args) => watch::run(&args, &out),
        #[cfg(feature = "serve")]
        Verb::Serve(args) => serve::run(&args, &out),
        #[cfg(feature = "serve")]
        Verb::Service(args) => service::run(&args, &out),
        #[cfg(feature = "serve")]
        Verb::Mcp(args) => mcp::run(&args),
        #[cfg(feature = "opensearch")]
        Verb::Migrate(args) => migrate::run(&args, &out),
        #[cfg(feature = "opensearch")]
        Verb::EncodeWorker(args) => encode_worker::run(&args, &out),
        Verb::Search(args) => search::run(&args, &out),
        Verb::Find(args) => find::run(&args, &out),
        Verb::Get(args) => get::run(&args, &out),
        Verb::Files(args) => files::run(&args, &out),
        Verb::Judge(args) => judge::run(&args, &out),
        Verb::Learn(args) => learn::run(&args, &out),
        Verb::Rounds(args) => rounds::run(&args, &out),
        Verb::Rollback(args) => rollback::run(&args, &out),
        Verb::Trial(args) => trial::run(&args, &out),
        Verb::Feedback(args) => feedback::run(&args, &out),
        Verb::Forget(args) => forget::run(&args, &out),
        Verb::Status(args) => status::run(&args, &out),
        Verb::Eval(args) => eval::run(&args, &out),
        Verb::Compare(args) => compare::run(&args, &out),
        Verb::Simulate(args) => simulate::run(&args, &out),
        Verb::Bench(args) => bench::run(&args, &out),
        Verb::Demo(args) => demo::run(&args, &out),
        Verb::Extract(_) => unreachable!(),
        Verb::Completions(args) => completions::run::<Cli>(&args),
        Verb::Man(args) => man::run::<Cli>(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Prints help as clap does, and wrong usage in one line, like every error.
fn misused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    let text = error.to_string();
    let paragraphs: Vec<_> = text
        .trim_start_matches("error: ")
        .split("\n\n")
        .map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    complain(&paragraphs.join("; "));
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn only_verbs_that_encode_offer_what_the_encoder_computes_in() {
        let command = Cli::command();
        let offering: Vec<&str> = command
            .get_subcommands()
            .filter(|verb| {
                ["precision", "device"].iter().all(|id| verb.get_arguments().any(|arg| arg.get_id() == id))
            })
            .map(clap::Command::get_name)
            .collect();
        let mut encode = vec![
            "index", "watch", "serve", "mcp", "search", "find", "learn", "rollback", "trial", "status",
            "eval", "simulate", "bench", "demo",
        ];
        encode.retain(|verb| command.find_subcommand(verb).is_some());
        assert_eq!(offering, encode);
    }
}
