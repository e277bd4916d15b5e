//! Reading a document.

use super::Own;
use super::feedback::READ;
use crate::access::api::{JudgeRequest, ReadAnswer, ReadRequest};
use crate::access::missing::no_document;
use crate::access::part::Part;
use crate::error::Result;

impl Own {
    /// As [`Access::read`](crate::access::Access::read).
    pub fn read(&self, request: &ReadRequest) -> Result<ReadAnswer> {
        let reader = self.reader()?;
        let document = reader.get(&request.document)?.ok_or_else(|| no_document(&request.document))?;
        let part = Part::of(&document, request)?;
        let path = reader.path_of(&document.id)?;
        // Of what lies in an archive, the archive.
        let path = path.as_deref().and_then(|path| path.ancestors().find(|path| path.is_file()));
        let path = path.map(|path| path.display().to_string());
        let answer = part.shown(path, self.file(&request.document)?.is_some());
        if let Some(query_id) = request.query_id {
            self.judge(&JudgeRequest { query_id, document: document.id, verdict: READ })?;
        }
        Ok(answer)
    }
}
