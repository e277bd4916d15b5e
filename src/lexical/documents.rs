//! Lists the documents from columns alone, without reading stored texts.

use std::collections::BTreeMap;

use tantivy::SegmentReader;

use super::schema::{DOCUMENT, DOCUMENT_DIGEST};
use super::snapshot::LexicalSnapshot;
use crate::error::Result;
use crate::ids::Digest;

impl LexicalSnapshot {
    /// Every document with its digest. If the chunks of a document disagree, the highest chunk id wins: it was added
    /// last.
    pub(crate) fn documents(&self) -> Result<BTreeMap<String, Digest>> {
        let newest =
            self.guarded("list the documents", || {
                let mut newest: BTreeMap<String, (u64, Digest)> = BTreeMap::new();
                for (ord, segment) in self.segments().iter().enumerate() {
                    self.documents_of(ord, segment, &mut |document, chunk, digest| match newest
                        .get_mut(document)
                    {
                        Some(held) if held.0 >= chunk => {}
                        Some(held) => *held = (chunk, digest),
                        None => drop(newest.insert(document.to_owned(), (chunk, digest))),
                    })?;
                }
                Ok(newest)
            })?;
        Ok(newest.into_iter().map(|(document, (_, digest))| (document, digest)).collect())
    }

    fn documents_of(
        &self,
        ord: usize,
        segment: &SegmentReader,
        visit: &mut dyn FnMut(&str, u64, Digest),
    ) -> tantivy::Result<()> {
        let (Some(documents), Some(digests)) =
            (segment.fast_fields().str(DOCUMENT)?, segment.fast_fields().bytes(DOCUMENT_DIGEST)?)
        else {
            return Ok(());
        };
        // Looking up one entry decompresses a block of the dictionary. Streaming all entries costs little more.
        let mut all_digests = Vec::with_capacity(digests.num_terms());
        let mut stream = digests.dictionary().stream()?;
        while stream.advance() {
            all_digests
                .push(Digest(stream.key().try_into().map_err(|_| corrupt("a digest is not 32 bytes"))?));
        }
        // By the document's number in the dictionary: its highest chunk, and the number of that chunk's digest.
        let mut newest: Vec<Option<(u64, u64)>> = vec![None; documents.num_terms()];
        for doc in segment.doc_ids_alive() {
            let document = documents.term_ords(doc).next();
            let (Some(document), Some(digest), Some(chunk)) =
                (document, digests.term_ords(doc).next(), self.chunk_column(ord).first(doc))
            else {
                return Err(corrupt("a chunk without a document").into());
            };
            let held =
                newest.get_mut(document as usize).ok_or_else(|| corrupt("a document without a name"))?;
            *held = (*held).max(Some((chunk, digest)));
        }
        let mut stream = documents.dictionary().stream()?;
        for held in newest {
            if !stream.advance() {
                return Err(corrupt("a document without a name").into());
            }
            if let Some((chunk, digest)) = held {
                let name =
                    std::str::from_utf8(stream.key()).map_err(|_| corrupt("a name that is not UTF-8"))?;
                let digest = all_digests.get(digest as usize).ok_or_else(|| corrupt("a missing digest"))?;
                visit(name, chunk, *digest);
            }
        }
        Ok(())
    }
}

fn corrupt(comment: &str) -> tantivy::error::DataCorruption {
    tantivy::error::DataCorruption::comment_only(comment)
}
