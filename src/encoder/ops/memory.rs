//! Room for packed numbers.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use super::tile::{LINE, Line};

/// Lines from which on they are asked for in huge pages: a query reads every weight once, and would wait for the
/// addresses of small ones.
const LARGE: usize = 4096;

/// Lines that grow and keep what room they have.
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
    /// Makes room for at least `count` lines. Their values are unspecified, but never uninitialised.
    pub(super) fn fit(&mut self, count: usize) {
        if self.len() >= count {
            return;
        }
        self.0 = Room::Small(Vec::new()); // given back before more is taken
        if count >= LARGE
            && let Ok(map) = MmapMut::map_anon(count * size_of::<Line>())
        {
            #[cfg(target_os = "linux")]
            let _ = map.advise(memmap2::Advice::HugePage); // small pages serve too
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
            // SAFETY: any 64 bytes are a line, and `align_to` gives the aligned ones only: all of them, as pages are.
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
