//! `retune index DIR`: indexes a folder, or updates its index.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use retune::{CorpusOptions, Engine, Error, IndexReport, Language, Options, Result};
use serde::Serialize;

use super::args::{Place, Wait, fixed};
use super::print::{Output, Text, spinner};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Folder of documents. Default: the one whose index --dir or the current folder finds, else --dir itself.
    #[arg(value_name = "DIR", conflicts_with = "dir")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
    /// Language of the documents, for stemming; "none" for no stemming. It can't be changed later. Default: english.
    #[arg(long)]
    language: Option<Language>,
    /// Longest passage in tokens. It can't be changed later. Default: 256.
    #[arg(long, value_name = "N", value_parser = length())]
    max_tokens: Option<usize>,
}

fn length() -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::<usize>::new().range(CorpusOptions::LEAST_TOKENS as u64..)
}

#[derive(Serialize)]
struct Report {
    index: String,
    documents: usize,
    chunks: usize,
    #[serde(flatten)]
    report: IndexReport,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let folder = args.folder.clone().map_or_else(|| args.place.folder(), Ok)?;
    if !folder.is_dir() {
        return Err(Error::NotFound {
            what: "folder",
            id: folder.display().to_string(),
            remedy: "name the folder whose documents are to be indexed",
        });
    }
    let path = args.place.path_for(&folder);
    let is_new = !path.join("retune.json").is_file();
    if is_new {
        args.place.model.ensure()?;
    }
    let mut options = args.wait.apply(Options::default());
    if let Some(language) = args.language {
        options = options.with_language(language);
    }
    if let Some(tokens) = args.max_tokens {
        options = options.with_corpus(CorpusOptions::default().with_max_tokens(tokens));
    }
    let engine = Engine::open(&path, args.place.model.apply(options))?;
    if is_new {
        keep_out_of_git(&path)?;
    }
    let status = engine.status()?;
    fixed("--language", args.language, status.language, &path)?;
    fixed("--max-tokens", args.max_tokens, status.max_tokens, &path)?;
    let bar = spinner();
    let report = engine.index_folder(&folder, &mut |progress| {
        bar.set_message(format!("{} files, {} chunks encoded", progress.files, progress.chunks));
        ControlFlow::Continue(())
    });
    // This process is about to end: nothing would be merged in the background.
    let report = report.and_then(|report| {
        engine.merge_segments(&mut |done, all| {
            bar.set_message(format!("{done} of {all} vectors merged"));
            ControlFlow::Continue(())
        })?;
        Ok(report)
    });
    bar.finish_and_clear();
    let report = report?;
    let status = engine.status()?;
    let report = Report {
        index: path.display().to_string(),
        documents: status.documents,
        chunks: status.chunks,
        report,
    };
    out.print(&report, text)?;
    engine.close()
}

/// An index is made anew from the documents: no repository needs it.
fn keep_out_of_git(index: &Path) -> Result<()> {
    let path = index.join(".gitignore");
    std::fs::write(&path, "*\n").map_err(|source| Error::Io { doing: "write", path, source })
}

fn text(report: &Report) -> Text {
    let Report { index, documents, chunks, report } = report;
    let mut text = Text::of(format!(
        "{} files read, {} unchanged, {} removed, {} skipped; {} chunks encoded, {} kept, in {:.1} s",
        report.read,
        report.unchanged,
        report.removed,
        report.skipped.len(),
        report.chunks_encoded,
        report.chunks_kept,
        report.seconds,
    ));
    text.line(format!("{index} holds {documents} documents, {chunks} chunks"));
    for skipped in &report.skipped {
        text.line(format!("skipped {}: {}", skipped.document, skipped.reason));
    }
    text
}
