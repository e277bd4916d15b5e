//! Where in its file a passage stands.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

use retune::Hit;

/// The number, from 1, of the line of the file where byte `at` of the hit's passage stands. For a passage that was
/// extracted, as from HTML, the line that it begins on. `None` if the file is no longer the one that was indexed.
pub(super) fn line_number(folder: &Path, hit: &Hit, at: usize) -> Option<usize> {
    let below = Path::new(&hit.document);
    if !below.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let path = folder.join(below);
    // Opening a pipe would wait for its other end.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut before = Vec::new();
    File::open(path).ok()?.take(hit.end).read_to_end(&mut before).ok()?;
    let start = usize::try_from(hit.start).ok()?;
    let stretch = before.get(start..)?;
    let up_to = match stretch == hit.passage.as_bytes() {
        true => start + at,
        false if is_extract(&hit.passage, &String::from_utf8_lossy(stretch)) => start,
        false => return None,
    };
    Some(1 + before[..up_to].iter().filter(|&&byte| byte == b'\n').count())
}

/// Whether the passage may have been extracted from this stretch of a file.
fn is_extract(passage: &str, stretch: &str) -> bool {
    let mut words = passage.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let (first, last) = (words.next(), words.next_back());
    first.is_some() && first.into_iter().chain(last).all(|word| stretch.contains(word))
}
