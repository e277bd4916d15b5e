//! What the commands of LaTeX mean to a reader of the text.

use icu_normalizer::ComposingNormalizerBorrowed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// A heading of this level.
    Section(u8),
    /// Title, author or date.
    Field,
    /// It and its arguments are settings, or lead elsewhere.
    Dropped,
    Character(&'static str),
    Item,
    /// A paragraph ends.
    Paragraph,
    Begin,
    End,
    /// The words are in its second argument.
    SecondArgument,
    /// The words are in its arguments, or there are none.
    Words,
}

const SECTIONS: [(&str, u8); 8] = [
    ("part", 1),
    ("chapter", 2),
    ("section", 3),
    ("subsection", 4),
    ("subsubsection", 5),
    ("paragraph", 6),
    ("subparagraph", 7),
    ("frametitle", 4),
];

const DROPPED: [&str; 61] = [
    "DeclareMathOperator",
    "RequirePackage",
    "addbibresource",
    "addcontentsline",
    "addtocounter",
    "addtolength",
    "autocite",
    "autoref",
    "bibliography",
    "bibliographystyle",
    "cite",
    "citealp",
    "citep",
    "citet",
    "color",
    "cref",
    "Cref",
    "def",
    "definecolor",
    "documentclass",
    "eqref",
    "fontsize",
    "geometry",
    "graphicspath",
    "hspace",
    "hypersetup",
    "include",
    "includegraphics",
    "index",
    "input",
    "label",
    "let",
    "lstset",
    "nocite",
    "newcommand",
    "newcounter",
    "newenvironment",
    "newlength",
    "newtheorem",
    "pagenumbering",
    "pageref",
    "pagestyle",
    "parencite",
    "phantomsection",
    "printbibliography",
    "providecommand",
    "ref",
    "renewcommand",
    "rowcolor",
    "rule",
    "setcounter",
    "setlength",
    "theoremstyle",
    "thispagestyle",
    "usefonttheme",
    "usepackage",
    "usetheme",
    "vspace",
    "cmidrule",
    "cline",
    "pdfbookmark",
];

const CHARACTERS: [(&str, &str); 22] = [
    ("AA", "Å"),
    ("AE", "Æ"),
    ("LaTeX", "LaTeX"),
    ("O", "Ø"),
    ("OE", "Œ"),
    ("S", "§"),
    ("TeX", "TeX"),
    ("aa", "å"),
    ("ae", "æ"),
    ("and", "\n\n"),
    ("copyright", "©"),
    ("dots", "…"),
    ("euro", "€"),
    ("l", "ł"),
    ("L", "Ł"),
    ("ldots", "…"),
    ("o", "ø"),
    ("oe", "œ"),
    ("ss", "ß"),
    ("textbackslash", "\\"),
    ("textasciitilde", "~"),
    ("textendash", "–"),
];

pub(super) fn named(name: &str) -> Command {
    let section =
        SECTIONS.iter().find(|(known, _)| *known == name).map(|&(_, level)| Command::Section(level));
    let character =
        || CHARACTERS.iter().find(|(known, _)| *known == name).map(|&(_, text)| Command::Character(text));
    section.or_else(character).unwrap_or_else(|| match name {
        "title" | "author" | "date" => Command::Field,
        "item" => Command::Item,
        "par" | "newpage" | "clearpage" | "bigskip" | "medskip" | "smallskip" => Command::Paragraph,
        "begin" => Command::Begin,
        "end" => Command::End,
        "href" | "textcolor" | "colorbox" | "hyperref" | "hyperlink" | "hypertarget" | "multirow" => {
            Command::SecondArgument
        }
        _ if DROPPED.contains(&name) => Command::Dropped,
        _ => Command::Words,
    })
}

/// A letter with an accent.
pub(in crate::corpus::formats) fn accented(accent: char, letter: char) -> String {
    let mark = match accent {
        '"' => '\u{308}',
        '\'' => '\u{301}',
        '`' => '\u{300}',
        '^' => '\u{302}',
        '=' => '\u{304}',
        _ => '\u{307}',
    };
    let composed = String::from_iter([letter, mark]);
    ComposingNormalizerBorrowed::new_nfc().normalize(&composed).into_owned()
}
