//! Frozen layers below the trainable ones.
//!
//! The output of the highest frozen layer for a text never changes. It is computed once and kept in a temporary file,
//! which is mapped into memory. It takes 3 kB for each token of all-mpnet-base-v2 (4 bytes a number).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;

use memmap2::Mmap;

use super::mpnet::{Mpnet, Record, Tables, Workspace};
use super::ops::{Run, fit};
use crate::error::{Error, Result};

/// The lowest layers of a model, and a cache of their outputs.
pub(super) struct Frozen {
    /// The number of frozen layers.
    pub(super) layers: usize,
    /// The folder of the temporary file, for messages. The file itself has no name.
    folder: PathBuf,
    file: File,
    map: Option<Mmap>,
    length: usize,
    /// The place of a text's output in the file, by its token ids.
    places: HashMap<Box<[u32]>, Range<usize>>,
}

impl Frozen {
    pub(super) fn new(layers: usize) -> Result<Frozen> {
        let folder = std::env::temp_dir();
        let file =
            tempfile::tempfile_in(&folder).map_err(Error::io("create a temporary file in", &folder))?;
        Ok(Frozen { layers, folder, file, map: None, length: 0, places: HashMap::new() })
    }

    /// Sets `space.batch` to the texts and `space.x` to the layers' outputs for them. New texts are run through the
    /// layers first, in one batch.
    ///
    /// # Errors
    /// [`Error::Io`] if the file can't grow.
    pub(super) fn outputs(
        &mut self,
        run: Run,
        model: &Mpnet,
        tables: Tables<'_>,
        texts: &[&[u32]],
        space: &mut Workspace,
    ) -> Result<()> {
        let mut seen = HashSet::new();
        let mut new = texts.to_vec();
        new.retain(|text| !self.places.contains_key(*text) && seen.insert(*text));
        if !new.is_empty() {
            space.batch.set(new.iter().copied());
            model.input(run, tables, space, &mut Record::Nothing);
            model.pass(run, 0..self.layers, space, &mut Record::Nothing);
            self.keep(&new, &space.x[..space.batch.tokens() * model.hidden])?;
        }
        space.batch.set(texts.iter().copied());
        model.prepare(space);
        let mut into = fit(&mut space.x, space.batch.tokens() * model.hidden);
        for &text in texts {
            let kept = self.kept(text);
            let (first, rest) = into.split_at_mut(kept.len());
            first.iter_mut().zip(kept).for_each(|(x, bytes)| *x = f32::from_ne_bytes(*bytes));
            into = rest;
        }
        Ok(())
    }

    /// Appends the outputs of new texts, concatenated.
    fn keep(&mut self, texts: &[&[u32]], outputs: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = outputs.iter().flat_map(|x| x.to_ne_bytes()).collect();
        self.file.write_all(&bytes).map_err(Error::io("write a temporary file in", &self.folder))?;
        // SAFETY: the file has no name, so nobody else can open it, and it only grows.
        let map =
            unsafe { Mmap::map(&self.file) }.map_err(Error::io("map a temporary file in", &self.folder))?;
        self.map = Some(map);
        let width = 4 * outputs.len() / texts.iter().map(|text| text.len()).sum::<usize>();
        for text in texts {
            let end = self.length + text.len() * width;
            self.places.insert((*text).into(), self.length..end);
            self.length = end;
        }
        Ok(())
    }

    /// The numbers that [`keep`](Self::keep) stored for a text, as bytes of f32.
    fn kept(&self, text: &[u32]) -> &[[u8; 4]] {
        let map = self.map.as_deref().unwrap_or_default();
        map[self.places[text].clone()].as_chunks().0
    }
}
