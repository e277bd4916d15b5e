//! What an index says of itself: its version and its language.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::failure::{REMEDY, damaged};
use super::language::Language;
use crate::error::{Error, Result};
use crate::storage;

/// The version of the schema, the text analysis and the checksums. Where one of them changes, indexes are made anew
/// from their stored texts ([`renewal`](super::renewal)). `analysis::tests` fail when the analysis has changed.
///
/// - 1: letters and digits in a row are a word; no checksums of `meta.json` and `.managed.json`.
/// - 2: compounds by their parts and joined, symbols of names, single characters of scripts without spaces, emoji.
/// - 3: dashes and fullwidth signs as their ASCII kin, the dotted capital I as I. ASCII texts have the same terms.
/// - 4: as 3, with chunks in other languages than the index's own, which earlier versions would not find.
const VERSION: u32 = 3;
/// Of an index with chunks in several languages.
const SEVERAL: u32 = 4;
/// The earliest version that can be made anew.
const EARLIEST: u32 = 1;
const FILE: &str = "retune-lexical.json";
const KIND: &str = "lexical";

/// What is fixed when an index is created.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) language: Language,
    #[serde(skip)]
    version: u32,
}

impl Marker {
    /// The marker of a new index.
    pub(super) fn of(language: Language) -> Marker {
        Marker { language, version: VERSION }
    }

    /// The same once a chunk has another language.
    pub(super) fn of_several_languages(self) -> Marker {
        Marker { version: SEVERAL, ..self }
    }

    /// The marker of the index in the folder `path`.
    pub(super) fn read(path: &Path) -> Result<Marker> {
        if !path.is_dir() {
            return Err(Error::NotFound {
                what: "lexical index",
                id: path.display().to_string(),
                remedy: "index the documents again; trained models and judgements are kept",
            });
        }
        let file = path.join(FILE);
        let read = |version| storage::read_envelope::<Marker>(&file, KIND, version);
        let (marker, version) = match read(SEVERAL) {
            Err(Error::Version { found, .. }) if (EARLIEST..SEVERAL).contains(&found) => (read(found), found),
            other => (other, SEVERAL),
        };
        let marker = marker.map_err(|error| error.with_remedy(REMEDY))?;
        let marker = marker.ok_or_else(|| damaged("open", path, format!("{FILE} is missing")))?;
        Ok(Marker { version, ..marker })
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        storage::write_envelope(&path.join(FILE), KIND, self.version, self)
    }

    pub(super) fn is_current(&self) -> bool {
        self.version >= VERSION
    }

    /// Whether `meta.json` and `.managed.json` have checksums.
    pub(super) fn has_checksums(&self) -> bool {
        self.version > 1
    }

    /// Refuses an index of an earlier version.
    pub(super) fn must_be_current(&self, path: &Path) -> Result<()> {
        if self.is_current() {
            return Ok(());
        }
        let message = format!(
            "an earlier version of retune made it, which had another analysis of words (version {}; this is version \
             {VERSION}): open the index for writing once, for example with `retune index`, which makes it anew from \
             the texts that it holds",
            self.version
        );
        Err(Error::Lexical { doing: "open", path: path.to_path_buf(), message })
    }
}
