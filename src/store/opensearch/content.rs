//! What tells whether an index would be filled with the same as another one.

use sha2::{Digest as _, Sha256};

use super::manifest::Counts;
use super::mapping::{Layout, mapping};
use crate::ids::Digest;

/// The digest of the passages of an index, in the order of their ids, and of how it is made.
#[derive(Default)]
pub(crate) struct Content(Sha256);

impl Content {
    /// Adds a passage: its [`document`](super::document) without its vector, and that.
    pub(crate) fn add(&mut self, document: &str, vector: Option<&[f32]>) {
        let vector: Vec<u8> = vector.unwrap_or_default().iter().flat_map(|x| x.to_le_bytes()).collect();
        for bytes in [document.as_bytes(), &vector] {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        }
    }

    /// The digest, for an index that is made so.
    pub(crate) fn digest(self, layout: Layout, dimensions: usize, counts: &Counts) -> Digest {
        let made = mapping(layout, dimensions, counts).to_string();
        Digest(self.0.chain_update(made).finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_passage_vector_or_layout_is_another_content() {
        let of = |passages: &[(&str, Option<&[f32]>)], shards| {
            let mut content = Content::default();
            passages.iter().for_each(|(document, vector)| content.add(document, *vector));
            content.digest(Layout { shards, replicas: 1 }, 2, &Counts::default())
        };
        let first = of(&[("a", Some(&[0.1, 0.2])), ("b", None)], 1);
        assert_eq!(of(&[("a", Some(&[0.1, 0.2])), ("b", None)], 1), first);
        for other in [
            of(&[("a", Some(&[0.1, 0.3])), ("b", None)], 1),
            of(&[("a", None), ("b", None)], 1),
            of(&[("ab", Some(&[0.1, 0.2]))], 1),
            of(&[("b", None), ("a", Some(&[0.1, 0.2]))], 1),
            of(&[("a", Some(&[0.1, 0.2])), ("b", None)], 2),
        ] {
            assert_ne!(other, first);
        }
    }
}
