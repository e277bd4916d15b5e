//! Opens a file where a passage stands: in the user's editor, or in the system's viewer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use retune::find::Look;
use retune::{Error, Place, Result};

/// What ends sooner has handed the file to a program that runs already: nobody reads so fast.
const HANDED_OVER: Duration = Duration::from_millis(500);

/// A program with its arguments.
#[derive(Debug, PartialEq)]
struct Call {
    program: String,
    arguments: Vec<OsString>,
}

/// Opens `path` at `place` and waits for the program to end; says how long that was looked at, as far as the program's
/// end tells. Of what lies in an archive, the archive is opened. A text opens in `VISUAL` or `EDITOR`; without them,
/// and all else, in the program that the system has for it.
pub(super) fn open(path: &Path, place: &Place) -> Result<Look> {
    let file = path.ancestors().find(|path| path.is_file()).ok_or_else(|| Error::NotFound {
        what: "file",
        id: path.display().to_string(),
        remedy: "it has moved since it was indexed: index its folder again",
    })?;
    let is_text = file == path && place.line.is_some();
    let editor = editor().filter(|_| is_text);
    let file =
        file.canonicalize().map_err(|source| Error::Io { doing: "resolve", path: file.into(), source })?;
    let call = match &editor {
        Some(editor) => in_editor(editor, &file, place),
        None => in_viewer(&file),
    };
    let failed = |source| Error::Io { doing: "open a file with", path: PathBuf::from(&call.program), source };
    let started = Instant::now();
    let status = Command::new(&call.program).args(&call.arguments).status().map_err(failed)?;
    match status.success() {
        true => Ok(call.look(started.elapsed())),
        false => Err(failed(std::io::Error::other(format!("it ended with {status}")))),
    }
}

/// Programs that show a file in the terminal.
const IN_TERMINAL: &[&str] = &[
    "vi", "vim", "nvim", "ex", "view", "mg", "jed", "joe", "ne", "most", "more", "less", "nano", "pico",
    "kak", "micro", "hx", "helix",
];
/// Programs that show it in a window and end at once, unless an argument says otherwise.
const IN_WINDOW: &[&str] = &[
    "code",
    "code-insiders",
    "codium",
    "vscodium",
    "cursor",
    "windsurf",
    "zed",
    "zeditor",
    "subl",
    "sublime_text",
    "gvim",
    "mvim",
    "mate",
    "gedit",
    "gnome-text-editor",
    "xed",
    "pluma",
    "kate",
    "kwrite",
    "idea",
    "pycharm",
    "clion",
    "rustrover",
    "goland",
    "webstorm",
    "notepad++",
    "xdg-open",
    "open",
    "explorer",
];
const WAITING: &[&str] = &["--wait", "-w", "-W", "--block", "-b", "-f", "--nofork", "--foreground"];

impl Call {
    /// How long a file was looked at in a program that has ended after `took`.
    fn look(&self, took: Duration) -> Look {
        let name = name_of(&self.program);
        let waits = self.arguments.iter().any(|one| WAITING.iter().any(|wait| one == wait));
        let is_told = match name.as_str() {
            name if IN_TERMINAL.contains(&name) => true,
            name if IN_WINDOW.contains(&name) => waits,
            _ => took >= HANDED_OVER,
        };
        if is_told { Look::Ended(took) } else { Look::Elsewhere }
    }
}

/// The name of a program in lower case, without its folder and extension.
fn name_of(program: &str) -> String {
    Path::new(program).file_stem().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn editor() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR"))
}

/// The call of an editor with a file and a line, as that editor takes them. One that is not known gets the file.
fn in_editor(editor: &str, file: &Path, place: &Place) -> Call {
    let mut words =
        shlex::split(editor).filter(|words| !words.is_empty()).unwrap_or_else(|| vec![editor.into()]);
    let program = words.remove(0);
    let mut arguments: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    let (line, column) = (place.line.unwrap_or(1), place.column.unwrap_or(1));
    let behind = || {
        let mut file = file.as_os_str().to_owned();
        file.push(format!(":{line}:{column}"));
        file
    };
    let plain = || file.as_os_str().to_owned();
    match name_of(&program).as_str() {
        "vi" | "vim" | "nvim" | "gvim" | "mvim" | "ex" | "view" | "mg" | "jed" | "joe" | "ne" | "most"
        | "more" => {
            arguments.extend([format!("+{line}").into(), plain()]);
        }
        "less" => arguments.extend([format!("+{line}g").into(), plain()]),
        "nano" | "pico" => arguments.extend([format!("+{line},{column}").into(), plain()]),
        "emacs" | "emacsclient" | "kak" | "micro" | "gedit" | "gnome-text-editor" | "xed" | "pluma" => {
            arguments.extend([format!("+{line}:{column}").into(), plain()]);
        }
        "code" | "code-insiders" | "codium" | "vscodium" | "cursor" | "windsurf" => {
            arguments.extend(["--goto".into(), behind()]);
        }
        "hx" | "helix" | "zed" | "zeditor" | "subl" | "sublime_text" => arguments.push(behind()),
        "kate" | "kwrite" => {
            arguments.extend(["--line".into(), line.to_string().into()]);
            arguments.extend(["--column".into(), column.to_string().into(), plain()]);
        }
        "idea" | "pycharm" | "clion" | "rustrover" | "goland" | "webstorm" | "mate" => {
            arguments.extend(["--line".into(), line.to_string().into(), plain()]);
        }
        "notepad++" => arguments.extend([format!("-n{line}").into(), format!("-c{column}").into(), plain()]),
        _ => arguments.push(plain()),
    }
    Call { program, arguments }
}

fn in_viewer(file: &Path) -> Call {
    let program = match () {
        () if cfg!(target_os = "macos") => "open",
        () if cfg!(windows) => "explorer",
        () => "xdg-open",
    };
    Call { program: program.into(), arguments: vec![file.into()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_editor_gets_the_line_as_it_takes_it() {
        let place: Place = serde_json::from_str(r#"{"line":12,"column":3}"#).unwrap();
        for (editor, expected) in [
            ("vim", "vim +12 /d/a b.md"),
            ("/usr/bin/nvim -R", "/usr/bin/nvim -R +12 /d/a b.md"),
            ("nano", "nano +12,3 /d/a b.md"),
            ("emacsclient -nw -a ''", "emacsclient -nw -a  +12:3 /d/a b.md"),
            ("code --wait", "code --wait --goto /d/a b.md:12:3"),
            ("'/opt/my tools/hx'", "/opt/my tools/hx /d/a b.md:12:3"),
            ("less", "less +12g /d/a b.md"),
            ("kate", "kate --line 12 --column 3 /d/a b.md"),
            ("unheard-of", "unheard-of /d/a b.md"),
            ("odd'quote", "odd'quote /d/a b.md"),
        ] {
            let Call { program, arguments } = in_editor(editor, Path::new("/d/a b.md"), &place);
            let arguments = arguments.iter().map(|one| one.to_string_lossy().into_owned());
            let call: Vec<String> = std::iter::once(program).chain(arguments).collect();
            assert_eq!(call.join(" "), expected);
        }
    }

    #[test]
    fn only_what_is_looked_at_until_it_ends_says_how_long() {
        let look = |editor: &str, took| {
            let call = in_editor(editor, Path::new("/d/a.md"), &Place::default());
            match call.look(Duration::from_millis(took)) {
                Look::Ended(after) => after == Duration::from_millis(took),
                Look::Elsewhere => false,
            }
        };
        for (editor, took, is_told) in [
            ("vim", 100, true),
            ("/usr/bin/nano", 9000, true),
            ("code", 900, false),
            ("code --wait", 900, true),
            ("gvim -f", 900, true),
            ("my-script", 30, false),
            ("my-script", 900, true),
        ] {
            assert_eq!(look(editor, took), is_told, "{editor}");
        }
        assert_eq!(in_viewer(Path::new("/d/a.pdf")).look(Duration::from_secs(2)), Look::Elsewhere);
    }
}
