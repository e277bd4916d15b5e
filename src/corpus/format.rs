//! File formats, detected by extension.

use serde::{Deserialize, Serialize};

pub(super) use crate::extract::{extension_of, file_name_of};

/// How a text is marked up. It decides how headings are found and where the text may be cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// Plain text. Underlined lines are headings.
    #[default]
    Text,
    /// Markdown (CommonMark with GitHub's extensions).
    Markdown,
    /// reStructuredText.
    Rst,
    /// HTML. Only its readable text is indexed. With the feature `formats`.
    #[cfg(feature = "formats")]
    Html,
    /// A Jupyter notebook: the sources and text outputs of its cells.
    Notebook,
    /// Source code. Functions and types are found by the file's name, in languages that retune knows.
    Code,
    /// LaTeX.
    Latex,
    /// Org, as Emacs writes it.
    Org,
    /// AsciiDoc.
    AsciiDoc,
    /// A manual page, with the macros of man or mdoc.
    Man,
    /// Subtitles: SubRip or WebVTT.
    Subtitles,
    /// A table of values that commas, tabs or other signs separate.
    Table,
    /// JSON, YAML, TOML or INI.
    Data,
}

impl Format {
    /// Whether the headings say little without the file's name.
    pub(super) fn is_named_by_file(self) -> bool {
        matches!(self, Format::Code | Format::Data | Format::Table)
    }
}

/// What a file's extension says about its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text in this format.
    Known(Format),
    /// A document format that retune can't read, by name.
    Unsupported(&'static str),
    /// Nothing. The content decides between plain text and binary.
    Unknown,
}

const CODE: &[&str] = &[
    "asm",
    "bash",
    "bat",
    "bib",
    "c",
    "cc",
    "cjs",
    "clj",
    "cljs",
    "cmake",
    "cmd",
    "conf",
    "cpp",
    "cr",
    "cs",
    "css",
    "cxx",
    "d",
    "dart",
    "diff",
    "dockerfile",
    "edn",
    "el",
    "elm",
    "erl",
    "ex",
    "exs",
    "f",
    "f90",
    "fish",
    "fs",
    "fsx",
    "gd",
    "glsl",
    "go",
    "gradle",
    "graphql",
    "groovy",
    "h",
    "hcl",
    "hh",
    "hpp",
    "hrl",
    "hs",
    "hxx",
    "java",
    "jl",
    "js",
    "jsx",
    "kt",
    "kts",
    "less",
    "lisp",
    "lua",
    "m",
    "make",
    "mjs",
    "mk",
    "ml",
    "mli",
    "mm",
    "nim",
    "nix",
    "odin",
    "pas",
    "patch",
    "php",
    "pl",
    "pm",
    "po",
    "properties",
    "proto",
    "ps1",
    "py",
    "pyi",
    "r",
    "rake",
    "rb",
    "rkt",
    "rs",
    "s",
    "sass",
    "scala",
    "scm",
    "scss",
    "sh",
    "sol",
    "sql",
    "sv",
    "svelte",
    "swift",
    "tcl",
    "tf",
    "ts",
    "tsx",
    "v",
    "vb",
    "vhd",
    "vhdl",
    "vim",
    "vue",
    "wgsl",
    "xml",
    "xsd",
    "xsl",
    "zig",
    "zsh",
];

const UNSUPPORTED: &[(&str, &str)] = &[
    ("mobi", "a Kindle book"),
    ("pages", "a Pages document"),
    ("ps", "PostScript"),
    ("svg", "an SVG image"),
];

impl Kind {
    /// The kind for a lower-case extension.
    pub(super) fn of_extension(extension: &str) -> Kind {
        match extension {
            "txt" | "text" | "log" => Kind::Known(Format::Text),
            "tex" | "latex" | "ltx" => Kind::Known(Format::Latex),
            "org" => Kind::Known(Format::Org),
            "adoc" | "asciidoc" | "asc" => Kind::Known(Format::AsciiDoc),
            "man" | "mdoc" | "roff" => Kind::Known(Format::Man),
            "srt" | "vtt" => Kind::Known(Format::Subtitles),
            "csv" | "tsv" | "tab" => Kind::Known(Format::Table),
            "cfg" | "geojson" | "ini" | "json" | "json5" | "jsonl" | "ndjson" | "toml" | "yaml" | "yml" => {
                Kind::Known(Format::Data)
            }
            "md" | "markdown" | "mdown" | "mkd" | "mdx" | "qmd" => Kind::Known(Format::Markdown),
            "rst" | "rest" => Kind::Known(Format::Rst),
            "ipynb" => Kind::Known(Format::Notebook),
            #[cfg(feature = "formats")]
            "html" | "htm" | "xhtml" | "xht" => Kind::Known(Format::Html),
            #[cfg(not(feature = "formats"))]
            "html" | "htm" | "xhtml" | "xht" => Kind::Unsupported("HTML"),
            _ if CODE.binary_search(&extension).is_ok() => Kind::Known(Format::Code),
            _ => UNSUPPORTED
                .iter()
                .find(|(known, _)| *known == extension)
                .map_or(Kind::Unknown, |(_, name)| Kind::Unsupported(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_disjoint() {
        assert!(CODE.is_sorted() && UNSUPPORTED.is_sorted());
        assert!(UNSUPPORTED.iter().all(|(extension, _)| CODE.binary_search(extension).is_err()));
    }

    #[test]
    fn extensions_are_those_of_the_name_alone() {
        assert_eq!(extension_of("a.b/README"), "");
        assert_eq!(extension_of("a.b/Guide.MD"), "md");
        assert_eq!(Kind::of_extension("rs"), Kind::Known(Format::Code));
        assert_eq!(Kind::of_extension("mobi"), Kind::Unsupported("a Kindle book"));
        assert_eq!(Kind::of_extension("xyz"), Kind::Unknown);
    }
}
