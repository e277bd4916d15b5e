//! The formats of text: each reader finds the readable text, its headings, and what is no passage.
//!
//! `html`, `latex`, `man` and `source` have a folder, the others a file. `builder` and `front_matter` are shared.

use crate::extract::extension_of;

use super::contents;
use super::format::Format;
use super::outline::Extracted;
#[cfg(not(feature = "formats"))]
use super::outline::Outline;

mod asciidoc;
mod builder;
mod front_matter;
#[cfg(feature = "formats")]
mod html;
mod json;
mod latex;
mod man;
mod markdown;
mod notebook;
mod org;
mod settings;
#[cfg(feature = "formats")]
mod source;
mod subtitles;
#[cfg(feature = "formats")]
mod table;
mod underline;

pub(super) use man::is_one as is_man_page;

/// Finds the structure of a text. `name` is the file's, whose extension says more than the format does.
pub(super) fn extract<'t>(name: &str, text: &'t str, format: Format) -> Result<Extracted<'t>, String> {
    const BYTE_ORDER_MARK: &str = "\u{feff}";
    let (text, skipped) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (rest, BYTE_ORDER_MARK.len()),
        None => (text, 0),
    };
    let mut extracted = match format {
        Format::Markdown => markdown::extract(text),
        #[cfg(feature = "formats")]
        Format::Html => html::extract(text),
        Format::Notebook => notebook::extract(text)?,
        Format::Rst | Format::Text => underline::extract(text, format),
        #[cfg(feature = "formats")]
        Format::Code => source::extract(text, &extension_of(name)),
        #[cfg(not(feature = "formats"))]
        Format::Code | Format::Table => Extracted::whole(text, Outline::default()),
        Format::Latex => latex::extract(text),
        Format::Org => org::extract(text),
        Format::AsciiDoc => asciidoc::extract(text),
        Format::Man => man::extract(text),
        Format::Subtitles => subtitles::extract(text),
        #[cfg(feature = "formats")]
        Format::Table => table::extract(text, ["tsv", "tab"].contains(&extension_of(name).as_str())),
        Format::Data => data(name, text),
    };
    extracted.positions.shift_by(skipped);
    extracted.leave_out(contents::embedded_data(&extracted.text));
    Ok(extracted)
}

/// What JSON is not is read as text with keys.
fn data<'t>(name: &str, text: &'t str) -> Extracted<'t> {
    match extension_of(name).as_str() {
        "toml" | "ini" | "cfg" => settings::sections(text),
        "yaml" | "yml" => settings::yaml(text),
        _ => json::extract(text).unwrap_or_else(|| settings::yaml(text)),
    }
}
