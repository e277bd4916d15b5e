//! Removing documents.

use super::{Engine, WriterGuard};
use crate::error::Result;
use crate::lexical::Filter;

impl Engine {
    /// Removes documents in one commit. Unknown ids are ignored. Returns how many documents there were.
    pub fn remove<S: AsRef<str>>(&self, documents: &[S]) -> Result<usize> {
        let mut writer = self.lock_writer("remove documents")?;
        let snapshot = self.inner.snapshot.load_full();
        let mut found = Vec::new();
        for id in documents.iter().map(AsRef::as_ref) {
            if snapshot.lexical.document_digest(id)?.is_some() {
                found.push(id.to_string());
            }
        }
        self.remove_found(&mut writer, &found)
    }

    /// Removes all documents that match, in one commit. Returns how many there were.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a filter that names a field which no document has: see [`Filter`].
    pub fn remove_matching(&self, filter: &Filter) -> Result<usize> {
        let mut writer = self.lock_writer("remove documents")?;
        let snapshot = self.inner.snapshot.load_full();
        let documents = snapshot.lexical.one_per_document(&snapshot.lexical.matching(filter)?)?;
        let found = snapshot.lexical.next_documents(&documents, None, usize::MAX)?;
        self.remove_found(&mut writer, &found)
    }

    fn remove_found(&self, writer: &mut WriterGuard<'_>, found: &[String]) -> Result<usize> {
        if !found.is_empty() {
            writer.get()?.remove(found)?;
            self.refresh_from(writer)?;
        }
        Ok(found.len())
    }
}
