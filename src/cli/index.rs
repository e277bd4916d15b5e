//! `retune index [DIR]…`: indexes folders, or brings their index in step with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use retune::access::{IndexTask, Indexed, Served};
use retune::folders::{IndexReport, Skipped};
use retune::measure::Progress;
use retune::{CorpusOptions, Engine, Error, Language, Options, Result, Status};
use serde::Serialize;

use super::args::{Place, Wait, bytes, fixed};
use super::extract;
use super::print::{Bars, Output, Text};
use super::stop::Stop;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Folders of documents. The index follows them from now on; a new one lies in the first. Default: all that the
    /// index follows which --dir or the current folder finds, else --dir itself.
    #[arg(value_name = "DIR", conflicts_with = "dir")]
    folders: Vec<PathBuf>,
    /// Follow this folder no more, and remove its documents.
    #[arg(long, value_name = "DIR", conflicts_with = "folders")]
    forget: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
    /// Language of the documents, for stemming; "none" for no stemming. It can't be changed later; a retune.toml gives
    /// a folder another. Default: english.
    #[arg(long)]
    language: Option<Language>,
    /// Longest passage in tokens, as far as the model reads. It can't be changed later; a retune.toml can give a folder
    /// another. Default: 256, or what the model reads.
    #[arg(long, value_name = "N", value_parser = length())]
    max_tokens: Option<usize>,
    /// Skip larger files: bytes, or a number with K, M or G. The next runs do the same. Default: 10M for
    /// text, 256M for other documents, 4G for archives.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_file_size: Option<u64>,
    /// Read what is left out otherwise: dependencies, build, generated, or single folders and files by name, separated
    /// by commas; "none" ends it. The next runs do the same. docs/cli.md lists them.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    include: Option<Vec<String>>,
    /// List every skipped file, not only those that the last run didn't skip.
    #[arg(long)]
    skipped: bool,
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

#[derive(Serialize)]
struct Forgotten {
    removed: usize,
}

pub(super) fn run(args: &Args, out: &Output) -> Result<()> {
    let (path, mut folders) = where_to(&args.place, &args.folders)?;
    let (mut bars, stop) = (Bars::default(), Stop::on_signals()?);
    let index = open(args, &path, &mut bars)?;
    bars.clear();
    if args.language.is_some() || args.max_tokens.is_some() {
        let status = index.status()?;
        fixed("--language", args.language, status.language, &path)?;
        fixed("--max-tokens", args.max_tokens, status.max_tokens, &path)?;
    }
    if let Some(folder) = &args.forget {
        let removed = index.forget_folder(folder)?;
        out.print(&Forgotten { removed }, |_| Text::of(format!("{removed} documents removed")))?;
        return index.close();
    }
    // The index was made, and nothing else yet.
    if folders.is_empty() && index.follows_nothing()? {
        folders.push(args.place.folder()?);
    }
    let done = index.index(args, &folders, &mut bars, &stop);
    bars.clear();
    let Indexed { documents, chunks, report, .. } = done?;
    let report = Report { index: path.display().to_string(), documents, chunks, report };
    out.print(&report, |report| text(report, args.skipped))?;
    index.close()
}

/// The index, opened, or the service that holds it.
enum Index {
    Own(Engine),
    Served(Served),
}

fn open(args: &Args, path: &Path, bars: &mut Bars) -> Result<Index> {
    if let Some(served) = args.place.served_at(path) {
        return Ok(Index::Served(served));
    }
    let is_new = !path.join("retune.json").is_file();
    if is_new {
        args.place.model.ensure()?;
    }
    let engine = Engine::open_with(path, options(args)?, &mut |progress| bars.show_opening(progress))?;
    if is_new {
        keep_out_of_git(path)?;
    }
    Ok(Index::Own(engine))
}

impl Index {
    fn status(&self) -> Result<Status> {
        match self {
            Index::Own(engine) => engine.status(),
            Index::Served(served) => served.whole_status(),
        }
    }

    fn follows_nothing(&self) -> Result<bool> {
        match self {
            Index::Own(engine) => Ok(engine.folders()?.is_empty()),
            Index::Served(served) => Ok(served.whole_status()?.folders.is_empty()),
        }
    }

    fn forget_folder(&self, folder: &Path) -> Result<usize> {
        match self {
            Index::Own(engine) => engine.forget_folder(folder),
            Index::Served(served) => served.forget_folder(folder),
        }
    }

    fn index(&self, args: &Args, folders: &[PathBuf], bars: &mut Bars, stop: &Stop) -> Result<Indexed> {
        let corpus = corpus(args);
        match self {
            Index::Served(served) => {
                let resolve = |path: &PathBuf| {
                    path.canonicalize().map_err(|source| Error::Io {
                        doing: "resolve",
                        path: path.clone(),
                        source,
                    })
                };
                let mut task = IndexTask::default();
                task.folders = folders.iter().map(resolve).collect::<Result<_>>()?;
                (task.max_file_bytes, task.include) = (corpus.max_file_bytes, corpus.include);
                served.index(&task, &mut |progress| {
                    bars.show_indexing(progress)?;
                    stop.go_on()
                })
            }
            Index::Own(engine) => {
                let report = engine.index_folders(folders, &mut |progress| {
                    bars.show_indexing(progress)?;
                    stop.go_on()
                })?;
                // This process is about to end: nothing would be merged in the background.
                engine.merge_segments(&mut |done, total| {
                    bars.show(Progress::Merging { done, total })?;
                    stop.go_on()
                })?;
                Indexed::of(engine, report)
            }
        }
    }

    fn close(self) -> Result<()> {
        match self {
            Index::Own(engine) => engine.close(),
            Index::Served(_) => Ok(()),
        }
    }
}

/// The index to use or to make, and the folders to read: those that are named, none for all that it follows.
pub(super) fn where_to(place: &Place, named: &[PathBuf]) -> Result<(PathBuf, Vec<PathBuf>)> {
    let (path, folders) = match named {
        [] => match place.existing() {
            Ok(index) => (index, Vec::new()),
            Err(_) => {
                let folder = place.folder()?;
                (place.path_for(&folder), vec![folder])
            }
        },
        [first, ..] => (place.path_for(first), named.to_vec()),
    };
    match folders.iter().find(|folder| !folder.is_dir()) {
        None => Ok((path, folders)),
        Some(missing) => Err(Error::NotFound {
            what: "folder",
            id: missing.display().to_string(),
            remedy: "name the folder whose documents are to be indexed",
        }),
    }
}

fn options(args: &Args) -> Result<Options> {
    // What has not changed needs no model.
    let mut options = args.wait.apply(Options::default()).with_lazy_model(true);
    if let Some(language) = args.language {
        options = options.with_language(language);
    }
    let options = options.with_corpus(corpus(args)).with_extractor(Arc::new(extract::children()?));
    Ok(args.place.model.apply(options))
}

fn corpus(args: &Args) -> CorpusOptions {
    let mut corpus = CorpusOptions::default();
    corpus.max_tokens = args.max_tokens;
    corpus.max_file_bytes = args.max_file_size;
    corpus.include = args.include.clone().map(|names| match names.as_slice() {
        [none] if none == "none" => Vec::new(),
        _ => names,
    });
    corpus
}

/// An index is made anew from the documents: no repository needs it.
pub(super) fn keep_out_of_git(index: &Path) -> Result<()> {
    let path = index.join(".gitignore");
    std::fs::write(&path, "*\n").map_err(|source| Error::Io { doing: "write", path, source })
}

fn text(report: &Report, all: bool) -> Text {
    let Report { index, documents, chunks, report } = report;
    let mut text = Text::of(format!(
        "{} files read, {} unchanged, {} removed, {} skipped, in {:.1} s; {} chunks encoded, {} kept, in {:.1} s",
        report.read,
        report.unchanged,
        report.removed,
        report.skipped.len(),
        report.words_seconds,
        report.chunks_encoded,
        report.chunks_kept,
        report.seconds - report.words_seconds,
    ));
    text.line(format!("{index} holds {documents} documents, {chunks} chunks"));
    report.warnings.iter().for_each(|warning| text.line(warning.as_str()));
    skipped(&mut text, &report.skipped, all);
    text
}

/// What was skipped: one by one, or what is new by its reason. What the last run said is only counted.
fn skipped(text: &mut Text, skipped: &[Skipped], all: bool) {
    const NAMED: usize = 3;
    if all {
        skipped.iter().for_each(|one| text.line(format!("skipped {one}")));
        return;
    }
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for one in skipped.iter().filter(|one| one.new) {
        groups.entry(one.reason.group()).or_default().push(&one.document);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, documents)| std::cmp::Reverse(documents.len()));
    for (reason, documents) in groups {
        let more = documents.len().saturating_sub(NAMED);
        let names = documents[..documents.len() - more].join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.line(format!("skipped {} ({reason}): {names}{more}", documents.len()));
    }
    let before = skipped.iter().filter(|one| !one.new).count();
    if before > 0 {
        text.line(format!("{before} skipped as before; --skipped lists them"));
    }
}
