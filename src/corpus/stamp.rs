//! What the file system says of a file without reading it.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Length and times of a file. As long as they are the same, so is the content; but see [`Stamp::is_sure`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// The file's length.
    pub(crate) bytes: u64,
    /// When the content was changed, in nanoseconds since 1970.
    pub(crate) modified: i64,
    /// When anything of the file was changed, its name and its times too. 0 where the system doesn't say.
    changed: i64,
}

impl Stamp {
    /// The stamp of a file.
    pub(crate) fn of(path: &Path) -> io::Result<Stamp> {
        std::fs::metadata(path).map(|file| Stamp::from(&file))
    }

    /// Whether a file that is changed after `look` has another stamp. As in git's index, a change that was not well
    /// before it does not tell: another may follow within the grain of the file system's clock.
    pub(crate) fn is_sure(&self, look: SystemTime) -> bool {
        // The coarsest clock in use, FAT's, counts in steps of two seconds.
        const GRAIN: Duration = Duration::from_secs(2);
        let latest = self.modified.max(self.changed);
        look.checked_sub(GRAIN).is_some_and(|before| latest < nanoseconds(before))
    }

    /// Whether length and time of the content are the same. Another owner or mode is no change that anybody would call
    /// one, but a run looks, since times can be set.
    pub(crate) fn is_same_content(&self, other: &Stamp) -> bool {
        (self.bytes, self.modified) == (other.bytes, other.modified)
    }

    /// When the content was changed.
    pub(crate) fn modified(&self) -> SystemTime {
        let since = Duration::from_nanos(self.modified.unsigned_abs());
        if self.modified < 0 { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
    }

    /// When the content was changed, in milliseconds since 1970.
    pub(crate) fn modified_ms(&self) -> i64 {
        self.modified / 1_000_000
    }
}

impl From<&Metadata> for Stamp {
    fn from(file: &Metadata) -> Stamp {
        Stamp { bytes: file.len(), modified: file.modified().map_or(0, nanoseconds), changed: changed(file) }
    }
}

#[cfg(unix)]
fn changed(file: &Metadata) -> i64 {
    use std::os::unix::fs::MetadataExt as _;
    file.ctime().saturating_mul(1_000_000_000).saturating_add(file.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> i64 {
    0
}

fn nanoseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |before| -before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_length_or_time_is_another_stamp_and_a_late_one_is_not_sure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        assert!(Stamp::of(&path).is_err());
        std::fs::write(&path, "one").unwrap();
        let first = Stamp::of(&path).unwrap();
        assert_eq!((first.bytes, Stamp::of(&path).unwrap()), (3, first));
        let now = SystemTime::now();
        assert!(!first.is_sure(now));
        assert!(first.is_sure(now + Duration::from_secs(10)));
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let earlier = first.modified() - Duration::from_secs(60);
        file.set_modified(earlier).unwrap();
        let second = Stamp::of(&path).unwrap();
        assert_ne!(first, second);
        assert_eq!(first.modified - second.modified, 60_000_000_000);
    }
}
