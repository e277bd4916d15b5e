//! The catalogue of files as a stream: what is needed of it while it is read, and only as far as somebody wants it.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::corpus::Stamp;

/// Something that the last run has seen, by its path below its folder.
pub(super) enum Item<'a> {
    /// A file that was looked at.
    File(&'a str, Stamp),
    /// What was skipped without being looked into.
    PassedOver(&'a str),
}

/// Takes an item with the name of its folder, and says whether to go on.
type Take<'t> = dyn FnMut(&str, Item<'_>) -> bool + 't;

/// Reads catalogues.
pub(super) struct Brief;

impl Brief {
    /// Gives each item of a catalogue until `take` wants no more. Returns whether it was read to its end.
    pub(super) fn read(json: impl Read, take: &mut Take<'_>) -> bool {
        let mut json = serde_json::Deserializer::from_reader(json);
        Within(Level::Catalogue, "", take).deserialize(&mut json).is_ok()
    }
}

/// What a part of the catalogue is.
#[derive(Clone, Copy)]
enum Level {
    /// `{"folders": …}`
    Catalogue,
    /// Folders by their names.
    Folders,
    /// `{"files": …, "passed_over": …}`
    Folder,
    /// Entries by their paths.
    Files,
    /// A list of what was skipped.
    PassedOver,
}

/// A part of the catalogue in the folder of this name.
struct Within<'a, 't>(Level, &'a str, &'a mut Take<'t>);

#[derive(Deserialize)]
struct Skipped {
    document: String,
}

impl<'de> DeserializeSeed<'de> for Within<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        match self.0 {
            Level::PassedOver => from.deserialize_seq(self),
            _ => from.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Within<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a catalogue of files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Within(level, folder, take) = self;
        while let Some(name) = map.next_key::<String>()? {
            match (level, name.as_str()) {
                (Level::Catalogue, "folders") => map.next_value_seed(Within(Level::Folders, folder, take))?,
                (Level::Folders, name) => map.next_value_seed(Within(Level::Folder, name, take))?,
                (Level::Folder, "files") => map.next_value_seed(Within(Level::Files, folder, take))?,
                (Level::Folder, "passed_over") => {
                    map.next_value_seed(Within(Level::PassedOver, folder, take))?;
                }
                (Level::Files, path) => {
                    let stamp = map.next_value::<Stamp>()?;
                    go_on(take(folder, Item::File(path, stamp)))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Within(_, folder, take) = self;
        while let Some(Skipped { document }) = list.next_element()? {
            go_on(take(folder, Item::PassedOver(&document)))?;
        }
        Ok(())
    }
}

fn go_on<E: Error>(wanted: bool) -> Result<(), E> {
    if wanted { Ok(()) } else { Err(E::custom("enough")) }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::corpus::{SkipReason, Skipped};
    use crate::engine::catalogue::{Catalogue, Entry};

    fn catalogue(files: usize) -> Vec<u8> {
        let mut catalogue = Catalogue::default();
        let folder = catalogue.folders.entry("notes".into()).or_default();
        for number in 0..files {
            let mut stamp = Stamp::default();
            stamp.bytes = number as u64;
            folder.files.insert(format!("{number:03}.md"), Entry::new(stamp, SystemTime::now()));
        }
        folder.passed_over.push(Skipped::of("vendor".into(), SkipReason::SymbolicLink));
        serde_json::to_vec(&catalogue).unwrap()
    }

    #[test]
    fn all_items_come_or_as_many_as_are_wanted() {
        let json = catalogue(100);
        let mut all = Vec::new();
        let whole = Brief::read(json.as_slice(), &mut |folder, item| {
            all.push(match item {
                Item::File(path, stamp) => format!("{folder} {path} {}", stamp.bytes),
                Item::PassedOver(path) => format!("{folder} {path}"),
            });
            true
        });
        assert!(whole);
        assert_eq!((all.len(), all[7].as_str(), all[100].as_str()), (101, "notes 007.md 7", "notes vendor"));
        let mut count = 0;
        let part = Brief::read(json.as_slice(), &mut |_, _| {
            count += 1;
            count < 10
        });
        assert!(!part && count == 10);
        assert!(!Brief::read(&json[..json.len() / 2], &mut |_, _| true), "cut short");
    }
}
