//! How much a file may give in all.

use super::extractor::Content;
use super::text::Unreadable;

/// Documents of a file, those that can't be read among them; one for so many of its bytes if that is more.
const MOST_DOCUMENTS: u64 = 100_000;
const LEAST_DOCUMENT_BYTES: u64 = 1 << 10;
/// Bytes of text of a file, unless it is larger itself: what is not compressed never gives more than it has.
const MOST_TEXT_BYTES: u64 = 256 << 20;

/// What a file may still give. Once it has given too much, it gives nothing more.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    documents: u64,
    text_bytes: u64,
    /// What they were at first.
    all_documents: u64,
    all_text_bytes: u64,
    exceeded: Option<Unreadable>,
}

impl Allowance {
    /// That of a file of so many bytes.
    pub(crate) fn of(file_bytes: u64) -> Allowance {
        let documents = MOST_DOCUMENTS.max(file_bytes / LEAST_DOCUMENT_BYTES);
        Allowance::new(documents, file_bytes.max(MOST_TEXT_BYTES))
    }

    pub(super) fn new(documents: u64, text_bytes: u64) -> Allowance {
        Allowance {
            documents,
            text_bytes,
            all_documents: documents,
            all_text_bytes: text_bytes,
            exceeded: None,
        }
    }

    /// Takes off what was found.
    ///
    /// # Errors
    /// [`Unreadable::TooLarge`] if that is more than is left, now and whenever it is asked again.
    pub(crate) fn take(&mut self, content: &Content) -> Result<(), Unreadable> {
        self.check()?;
        let bytes = match content {
            Content::Extracted(extracted) => extracted.text.len(),
            Content::Text(bytes) => bytes.len(),
            Content::Unreadable(_) => 0,
        };
        match (self.documents.checked_sub(1), self.text_bytes.checked_sub(bytes as u64)) {
            (Some(documents), Some(text_bytes)) => {
                (self.documents, self.text_bytes) = (documents, text_bytes);
            }
            (None, _) => {
                let bound = format!("more than {} documents", self.all_documents);
                self.exceeded = Some(Unreadable::TooLarge(bound));
            }
            (_, None) => {
                let bound = format!("texts of more than {} MiB together", self.all_text_bytes >> 20);
                self.exceeded = Some(Unreadable::TooLarge(bound));
            }
        }
        self.check()
    }

    /// # Errors
    /// As [`take`](Allowance::take).
    pub(super) fn check(&self) -> Result<(), Unreadable> {
        self.exceeded.clone().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_text_run_out_for_good() {
        let text = |text: &str| Content::Text(text.into());
        let mut allowance = Allowance::new(3, 10);
        assert!(allowance.take(&text("12345")).is_ok() && allowance.take(&text("12345")).is_ok());
        assert!(allowance.take(&Content::Unreadable(Unreadable::Binary)).is_ok());
        let many = allowance.take(&text(""));
        assert!(matches!(&many, Err(Unreadable::TooLarge(why)) if why.contains("documents")), "{many:?}");
        let mut allowance = Allowance::new(3, 10);
        let much = allowance.take(&text("12345678901"));
        assert!(matches!(&much, Err(Unreadable::TooLarge(why)) if why.contains("text")), "{much:?}");
        assert_eq!(allowance.take(&text("")), much);
        // A file that is larger than the bound may give as much as it has.
        let (large, small) = (Allowance::of(2 << 30), Allowance::of(1));
        assert_eq!((large.documents, large.text_bytes), (2 << 20, 2 << 30));
        assert_eq!((small.documents, small.text_bytes), (MOST_DOCUMENTS, MOST_TEXT_BYTES));
    }
}
