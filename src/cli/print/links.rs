//! Links to files on a terminal (OSC 8).

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use supports_hyperlinks::Stream;

/// What stands in a path of a URL as it is.
const PATH: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// When names of files are links.
#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
pub(crate) enum When {
    /// On a terminal that is known to show them.
    Auto,
    /// Wherever colours go.
    Always,
    Never,
}

/// Makes links to files of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    host: String,
}

impl Links {
    /// `None` where there are to be no links.
    pub(crate) fn shown(when: When) -> Option<Links> {
        let wanted = match when {
            When::Always => true,
            When::Never => false,
            When::Auto => supports_hyperlinks::on(Stream::Stdout),
        };
        wanted.then(|| Links { host: host() })
    }

    /// The URL of a file. `None` for a path that is not absolute.
    pub(crate) fn to(&self, path: &Path) -> Option<String> {
        let path = path.is_absolute().then_some(path)?;
        let bytes = path.as_os_str().as_encoded_bytes();
        // The first part of a path on Windows is a drive.
        let slashes: Vec<u8> = match cfg!(windows) {
            true => [b"/", bytes].concat().iter().map(|&b| if b == b'\\' { b'/' } else { b }).collect(),
            false => bytes.to_vec(),
        };
        Some(format!("file://{}{}", self.host, percent_encode(&slashes, &PATH)))
    }
}

/// The name of this machine, so that a terminal on another one knows that the files are not there.
fn host() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = String::new();
    let is_fit = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_fit { name } else { String::new() }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_letter_of_a_url_is_escaped() {
        let links = Links { host: "desk".into() };
        let url = |path: &str| links.to(Path::new(path));
        assert_eq!(url("/a b/c.md").unwrap(), "file://desk/a%20b/c.md");
        assert_eq!(url("/\x1b]8;;\u{9b}é%;#?").unwrap(), "file://desk/%1B%5D8%3B%3B%C2%9B%C3%A9%25%3B%23%3F");
        assert_eq!(url("a.md"), None);
        assert!(Links::shown(When::Never).is_none());
    }
}
