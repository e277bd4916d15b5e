//! What is not there.

use crate::error::Error;

pub(super) fn no_document(id: &str) -> Error {
    Error::NotFound {
        what: "document",
        id: format!("{id:?}"),
        remedy: "use a document id as the search returned it; it may have been removed since",
    }
}

pub(super) fn no_passage(document: &str) -> Error {
    Error::NotFound {
        what: "such passage of the document",
        id: format!("{document:?}"),
        remedy: "search again: the document has changed since",
    }
}
