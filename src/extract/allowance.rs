//! How much a file may give in all.

use super::extractor::Content;
use super::text::Unreadable;

/// Documents of a file, those that can't be read among them.
const MOST_DOCUMENTS: usize = 100_000;
/// Bytes of text of a file, unless it is larger itself: what is not compressed never gives more than it has.
const MOST_TEXT_BYTES: u64 = 256 << 20;

/// What a file may still give. Once it has given too much, it gives nothing more.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    documents: usize,
    text_bytes: u64,
    /// What it was at first.
    all_text_bytes: u64,
    exceeded: Option<Unreadable>,
}

impl Allowance {
    /// That of a file of so many bytes.
    pub(crate) fn of(file_bytes: u64) -> Allowance {
        Allowance::new(MOST_DOCUMENTS, file_bytes.max(MOST_TEXT_BYTES))
    }

    pub(super) fn new(documents: usize, text_bytes: u64) -> Allowance {
        Allowance { documents, text_bytes, all_text_bytes: text_bytes, exceeded: None }
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
                self.exceeded = Some(Unreadable::TooLarge(format!("more than {MOST_DOCUMENTS} documents")));
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
        assert_eq!(Allowance::of(1 << 30).text_bytes, 1 << 30);
        assert_eq!(Allowance::of(1).text_bytes, MOST_TEXT_BYTES);
    }
}
