//! What is left out unless it is asked for: what programs have fetched or made, and nobody wrote to be read.

use std::path::Path;

/// Asked for as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Dependencies,
    Build,
    Generated,
}

impl Group {
    pub(super) fn name(self) -> &'static str {
        match self {
            Group::Dependencies => "dependencies",
            Group::Build => "build",
            Group::Generated => "generated",
        }
    }
}

/// Folders by name, in lower case.
const DEPENDENCIES: [&str; 9] = [
    "bower_components",
    "jspm_packages",
    "node_modules",
    "site-packages",
    "third-party",
    "third_party",
    "vendor",
    "vendored",
    "venv",
];
const BUILD: [&str; 3] = ["__pycache__", "_build", "target"];

/// Build folders only beside one of [`BUILD_FILES`]: people name folders of documents like that.
const PERHAPS_BUILD: [&str; 3] = ["build", "dist", "out"];
const BUILD_FILES: [&str; 14] = [
    "CMakeLists.txt",
    "Cargo.toml",
    "Makefile",
    "build.gradle",
    "build.gradle.kts",
    "conf.py",
    "go.mod",
    "makefile",
    "meson.build",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
];

const LOCK_FILES: [&str; 16] = [
    "bun.lock",
    "cargo.lock",
    "composer.lock",
    "flake.lock",
    "gemfile.lock",
    "go.sum",
    "mix.lock",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "pdm.lock",
    "pipfile.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
];

/// Whether something of this name is left out wherever it lies, or a group is called so.
pub(super) fn is_known(name: &str) -> bool {
    let groups = [Group::Dependencies, Group::Build, Group::Generated].map(Group::name);
    let lower = name.to_lowercase();
    let folders = DEPENDENCIES.iter().chain(&BUILD).chain(&PERHAPS_BUILD);
    let by_text = lower.rsplit_once('.').is_some_and(|(_, extension)| is_web_code(extension));
    groups.contains(&name)
        || folders.into_iter().any(|one| *one == lower)
        || by_text
        || file(name, &[]).is_some()
}

/// The group of a folder that is left out, by its name and by what lies in it and beside it.
pub(super) fn folder(path: &Path, included: &[String]) -> Option<Group> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let beside = |file: &str| path.with_file_name(file).is_file();
    let group = if DEPENDENCIES.contains(&name.as_str()) || path.join("pyvenv.cfg").is_file() {
        Group::Dependencies
    } else if BUILD.contains(&name.as_str())
        || path.join("CACHEDIR.TAG").is_file()
        || PERHAPS_BUILD.contains(&name.as_str()) && BUILD_FILES.iter().any(|file| beside(file))
    {
        Group::Build
    } else {
        return None;
    };
    left_out(group, &name, included)
}

/// Whether a path below a folder may be that of a document, by the names of the folders that it lies in.
pub(crate) fn may_hold_documents(path: &Path) -> bool {
    path.iter().all(|part| {
        let name = part.to_string_lossy();
        !name.starts_with('.') && !DEPENDENCIES.contains(&&*name) && !BUILD.contains(&&*name)
    })
}

/// The group of a file that is left out, by its name: minified code, source maps, lock files.
pub(super) fn file(name: &str, included: &[String]) -> Option<Group> {
    let name = name.to_lowercase();
    let is_minified = |(stem, extension): (&str, &str)| {
        is_web_code(extension) && [".min", "-min", ".bundle"].iter().any(|end| stem.ends_with(end))
            || extension == "map" && stem.rsplit_once('.').is_some_and(|(_, of)| is_web_code(of))
    };
    let generated = LOCK_FILES.contains(&name.as_str()) || name.rsplit_once('.').is_some_and(is_minified);
    generated.then_some(Group::Generated).and_then(|group| left_out(group, &name, included))
}

/// The group of a member of a container that is left out, by the folders in its path and by its name.
pub(super) fn member(path: &str, included: &[String]) -> Option<Group> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let of_folder = |folder: &str| {
        let folder = folder.to_lowercase();
        let group = match folder.as_str() {
            name if DEPENDENCIES.contains(&name) => Group::Dependencies,
            name if BUILD.contains(&name) => Group::Build,
            _ => return None,
        };
        left_out(group, &folder, included)
    };
    folders.split('/').find_map(of_folder).or_else(|| file(name, included))
}

/// The group of a file that is left out, by its text: minified code under another name.
pub(super) fn text(name: &str, text: &str, included: &[String]) -> Option<Group> {
    const LEAST_BYTES: usize = 4 << 10;
    const MOST_BYTES_PER_LINE: usize = 500;
    let name = name.to_lowercase();
    let is_code = name.rsplit_once('.').is_some_and(|(_, extension)| is_web_code(extension));
    let minified = is_code
        && text.len() >= LEAST_BYTES
        && text.len() / text.lines().count().max(1) > MOST_BYTES_PER_LINE;
    minified.then_some(Group::Generated).and_then(|group| left_out(group, &name, included))
}

fn left_out(group: Group, name: &str, included: &[String]) -> Option<Group> {
    let is_included = included.iter().any(|one| one.eq_ignore_ascii_case(name) || one == group.name());
    (!is_included).then_some(group)
}

fn is_web_code(extension: &str) -> bool {
    ["cjs", "css", "js", "mjs"].contains(&extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_left_out_are_known() {
        for name in ["build", "generated", "Vendor", "out", "cargo.lock", "x.min.js", "app.js"] {
            assert!(is_known(name), "{name}");
        }
        for name in ["dependancies", "Builds", "drafts", "a.md"] {
            assert!(!is_known(name), "{name}");
        }
    }

    #[test]
    fn members_of_archives_by_their_folders_and_names() {
        assert_eq!(member("a/node_modules/b/c.js", &[]), Some(Group::Dependencies));
        assert_eq!(member("a/Target/b.txt", &[]), Some(Group::Build));
        assert_eq!(member("a/Target/b.txt", &["build".into()]), None);
        assert_eq!(member("app.min.js", &[]), Some(Group::Generated));
        assert_eq!(member("build/a.txt", &[]), None, "nobody knows what lies beside it");
    }

    #[test]
    fn files_by_name_and_by_their_lines() {
        for name in
            ["app.min.js", "a-min.css", "x.BUNDLE.js", "app.js.map", "Cargo.lock", "package-lock.json"]
        {
            assert_eq!(file(name, &[]), Some(Group::Generated), "{name}");
            assert_eq!(file(name, &["generated".into()]), None, "{name}");
            assert_eq!(file(name, &[name.into()]), None, "{name}");
        }
        for name in ["app.js", "min.js", "site.map", "my.lock", "admin.txt", "x.min.txt"] {
            assert_eq!(file(name, &[]), None, "{name}");
        }
        let (long, short) = ("x=1;".repeat(2000), "x=1;\n".repeat(2000));
        assert_eq!(text("a.js", &long, &[]), Some(Group::Generated));
        assert_eq!(text("a.js", &short, &[]), None);
        assert_eq!(text("a.txt", &long, &[]), None);
        assert_eq!(text("a.js", &long, &["a.js".into()]), None);
    }
}
