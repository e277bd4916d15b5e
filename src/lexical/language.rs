//! Languages with a stemmer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tantivy::tokenizer;

use crate::error::Error;

/// The language of an index, a folder or a document. Its stemmer strips word endings, so that "searching" finds
/// "searches".
///
/// That of an index is fixed when it is created, and holds for all documents that have none of their own. A query is
/// analysed in each language that documents have, and finds those of the language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the name of a language")]
pub enum Language {
    Arabic,
    Danish,
    Dutch,
    #[default]
    English,
    Finnish,
    French,
    German,
    Greek,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
    /// No stemmer: words are compared without case and accents. For mixed languages and code.
    None,
}

impl Language {
    /// Every language, in alphabetical order, `None` last.
    pub const ALL: [Language; 19] = [
        Language::Arabic,
        Language::Danish,
        Language::Dutch,
        Language::English,
        Language::Finnish,
        Language::French,
        Language::German,
        Language::Greek,
        Language::Hungarian,
        Language::Italian,
        Language::Norwegian,
        Language::Portuguese,
        Language::Romanian,
        Language::Russian,
        Language::Spanish,
        Language::Swedish,
        Language::Tamil,
        Language::Turkish,
        Language::None,
    ];

    /// The name in lower case, as [`FromStr`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Language::Arabic => "arabic",
            Language::Danish => "danish",
            Language::Dutch => "dutch",
            Language::English => "english",
            Language::Finnish => "finnish",
            Language::French => "french",
            Language::German => "german",
            Language::Greek => "greek",
            Language::Hungarian => "hungarian",
            Language::Italian => "italian",
            Language::Norwegian => "norwegian",
            Language::Portuguese => "portuguese",
            Language::Romanian => "romanian",
            Language::Russian => "russian",
            Language::Spanish => "spanish",
            Language::Swedish => "swedish",
            Language::Tamil => "tamil",
            Language::Turkish => "turkish",
            Language::None => "none",
        }
    }

    /// The language's stemmer; `None` for [`Language::None`].
    pub(super) fn stemmer(self) -> Option<tokenizer::Language> {
        use tokenizer::Language as Stem;
        Some(match self {
            Language::Arabic => Stem::Arabic,
            Language::Danish => Stem::Danish,
            Language::Dutch => Stem::Dutch,
            Language::English => Stem::English,
            Language::Finnish => Stem::Finnish,
            Language::French => Stem::French,
            Language::German => Stem::German,
            Language::Greek => Stem::Greek,
            Language::Hungarian => Stem::Hungarian,
            Language::Italian => Stem::Italian,
            Language::Norwegian => Stem::Norwegian,
            Language::Portuguese => Stem::Portuguese,
            Language::Romanian => Stem::Romanian,
            Language::Russian => Stem::Russian,
            Language::Spanish => Stem::Spanish,
            Language::Swedish => Stem::Swedish,
            Language::Tamil => Stem::Tamil,
            Language::Turkish => Stem::Turkish,
            Language::None => return None,
        })
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Language::ALL.into_iter().find(|language| language.name().eq_ignore_ascii_case(text)).ok_or_else(
            || {
                let names = Language::ALL.map(Language::name).join(", ");
                Error::invalid("the language", format!("{text:?}"), format!("one of {names}"))
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_are_the_serialised_form() {
        for language in Language::ALL {
            assert_eq!(language.to_string().parse::<Language>().unwrap(), language);
            assert_eq!(serde_json::to_string(&language).unwrap(), format!("{:?}", language.name()));
        }
        assert_eq!("English".parse::<Language>().unwrap(), Language::default());
        assert!("klingon".parse::<Language>().unwrap_err().to_string().contains("english"));
    }
}
