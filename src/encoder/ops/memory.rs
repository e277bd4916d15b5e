//! Memory for packed numbers.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use super::tile::{LINE, Line};

/// Buffers of at least this many lines use huge pages. A query reads every weight once, and small pages would cost it
/// TLB misses.
const LARGE: usize = 4096;

/// Cache lines that can grow and are reused.
#[derive(Default)]
pub(super) struct Lines(Room);

enum Room {
    Small(Vec<Line>),
    Large(MmapMut),
}

impl Default for Room {
    fn default() -> Self {
        Room::Small(Vec::new())
    }
}

impl Lines {
    /// Makes room for at least `count` lines. Their values are unspecified, but always initialised.
    pub(super) fn fit(&mut self, count: usize) {
        if self.len() >= count {
            return;
        }
        self.0 = Room::Small(Vec::new()); // freed before more is allocated
        if count >= LARGE
            && let Ok(map) = MmapMut::map_anon(count * size_of::<Line>())
        {
            #[cfg(target_os = "linux")]
            let _ = map.advise(memmap2::Advice::HugePage); // small pages work too
            self.0 = Room::Large(map);
            return;
        }
        self.0 = Room::Small(vec![Line([0; LINE]); count]);
    }
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        match &self.0 {
            Room::Small(lines) => lines,
            // SAFETY: any 64 bytes are a line, and `align_to` returns only aligned ones: all of them, since pages are
            // aligned.
            Room::Large(map) => unsafe { map.align_to().1 },
        }
    }
}

impl DerefMut for Lines {
    fn deref_mut(&mut self) -> &mut [Line] {
        match &mut self.0 {
            Room::Small(lines) => lines,
            // SAFETY: as above.
            Room::Large(map) => unsafe { map.align_to_mut().1 },
        }
    }
}
