//! How long chunks may be: no longer than what the encoder reads.

use crate::error::{Error, Result};

use super::options::CorpusOptions;

/// The longest text and the longest title of a chunk, in tokens of the encoder without special ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) text: usize,
    pub(crate) title: usize,
}

impl Lengths {
    /// Where nothing else is asked for and the encoder reads as much.
    pub(crate) const DEFAULT: Lengths = Lengths { text: 256, title: 64 };

    /// The lengths for an encoder that reads `reads` tokens beside the special ones. What the options don't ask for
    /// takes its default, or what is left if that is less.
    ///
    /// # Errors
    /// [`Error::Invalid`] if they ask for more than the encoder reads.
    pub(crate) fn of(options: &CorpusOptions, reads: usize) -> Result<Lengths> {
        const LEAST: usize = CorpusOptions::LEAST_TOKENS;
        let refused = |what, found, most| {
            let expected =
                format!("at most {most}, since the encoder reads {reads} tokens of title and text");
            Err(Error::invalid(what, found, expected))
        };
        let (text, title) = (options.max_tokens, options.max_title_tokens);
        if let Some(text) = text.filter(|text| text + title.unwrap_or(LEAST) > reads) {
            let most = reads.saturating_sub(title.unwrap_or(LEAST));
            return refused("the longest passage in tokens", text, most);
        }
        if let Some(title) = title.filter(|title| title + LEAST > reads) {
            return refused("the longest title in tokens", title, reads.saturating_sub(LEAST));
        }
        let default = Lengths::DEFAULT;
        Ok(match (text, title) {
            (None, None) => default.within(reads),
            (Some(text), None) => Lengths { text, title: default.title.min(reads - text) },
            (None, Some(title)) => Lengths { text: default.text.min(reads - title), title },
            (Some(text), Some(title)) => Lengths { text, title },
        })
    }

    /// These lengths with a `text` of this length, for an encoder that reads `reads` tokens. Titles are shorter where
    /// that leaves less.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it reads less, or if no passage is so short.
    pub(crate) fn with_text(self, text: usize, reads: usize) -> Result<Lengths> {
        const LEAST: usize = CorpusOptions::LEAST_TOKENS;
        let most = reads.saturating_sub(LEAST);
        if !(LEAST..=most).contains(&text) {
            let expected =
                format!("{LEAST} to {most}, since the encoder reads {reads} tokens of title and text");
            return Err(Error::invalid("the longest passage in tokens", text, expected));
        }
        Ok(Lengths { text, title: self.title.min(reads - text) })
    }

    /// These lengths, or shorter ones for an encoder that reads only `reads` tokens.
    pub(crate) fn within(self, reads: usize) -> Lengths {
        if self.text + self.title <= reads {
            return self;
        }
        let title = self.title.min(reads / 4);
        Lengths { text: self.text.min(reads - title), title }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: Option<usize>, title: Option<usize>, reads: usize) -> Option<(usize, usize)> {
        let options = CorpusOptions { max_tokens: text, max_title_tokens: title, ..CorpusOptions::default() };
        Lengths::of(&options, reads).ok().map(|lengths| (lengths.text, lengths.title))
    }

    #[test]
    fn title_and_text_never_exceed_what_the_encoder_reads() {
        assert_eq!(of(None, None, 382), Some((256, 64)));
        assert_eq!(of(None, None, 126), Some((95, 31)));
        assert_eq!(of(None, None, 1), Some((1, 0)));
        assert_eq!(of(Some(320), None, 382), Some((320, 62)));
        assert_eq!(of(Some(374), None, 382), Some((374, 8)));
        assert_eq!(of(None, Some(200), 382), Some((182, 200)));
        assert_eq!(of(Some(300), Some(82), 382), Some((300, 82)));
    }

    #[test]
    fn a_folder_may_have_other_passages() {
        let with =
            |text, reads| Lengths::DEFAULT.with_text(text, reads).ok().map(|one| (one.text, one.title));
        assert_eq!(with(128, 382), Some((128, 64)));
        assert_eq!(with(374, 382), Some((374, 8)));
        assert_eq!((with(375, 382), with(7, 382), with(8, 10)), (None, None, None));
        let said = Lengths::DEFAULT.with_text(1024, 382).unwrap_err().to_string();
        assert!(said.contains("1024") && said.contains("8 to 374"), "{said}");
    }

    #[test]
    fn what_is_asked_for_is_never_shortened() {
        for (text, title, reads) in [
            (Some(375), None, 382),
            (Some(1024), None, 382),
            (Some(300), Some(83), 382),
            (None, Some(375), 382),
            (Some(256), None, 126),
            (Some(8), None, 10),
        ] {
            assert_eq!(of(text, title, reads), None, "{text:?} {title:?} {reads}");
        }
        let options = CorpusOptions::default().with_max_tokens(1024);
        let said = Lengths::of(&options, 382).unwrap_err().to_string();
        assert!(said.contains("1024") && said.contains("at most 374") && said.contains("382"), "{said}");
    }
}
