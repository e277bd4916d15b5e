//! The macros of mdoc, which stand in lines with what they are about.

use super::roff::Words;

/// Macros whose words are the text.
const PLAIN: [&str; 32] = [
    "Ad", "An", "Ap", "Ar", "Cm", "Dv", "Dx", "Em", "Er", "Ev", "Fa", "Fd", "Fn", "Ft", "Ic", "In", "Lb",
    "Li", "Lk", "Ms", "Mt", "No", "Ns", "Pa", "Sx", "Sy", "Tn", "Ux", "Va", "Vt", "Nx", "Fx",
];
/// Macros that put signs around or before their words.
const SIGNED: [(&str, &str, &str); 12] = [
    ("Fl", "-", ""),
    ("Op", "[", "]"),
    ("Oo", "[", "]"),
    ("Dq", "\u{201c}", "\u{201d}"),
    ("Sq", "\u{2018}", "\u{2019}"),
    ("Ql", "\u{2018}", "\u{2019}"),
    ("Qq", "\"", "\""),
    ("Pq", "(", ")"),
    ("Bq", "[", "]"),
    ("Brq", "{", "}"),
    ("Aq", "<", ">"),
    ("Nm", "", ""),
];

pub(super) fn is_macro(name: &str) -> bool {
    name == "Xr" || PLAIN.contains(&name) || SIGNED.iter().any(|(known, _, _)| *known == name)
}

/// The text of a line of macros and words. `name` is what `Nm` stands for.
pub(super) fn said(line: &str, name: &mut String) -> String {
    let mut text = String::new();
    let mut closing: Vec<&str> = Vec::new();
    let mut joined = false;
    let mut words = Words::of(line).peekable();
    while let Some(word) = words.next() {
        let signed = SIGNED.iter().find(|(known, _, _)| *known == word);
        match word.as_str() {
            "Ns" | "Ap" => joined = true,
            "Oc" => {}
            "Xr" => {
                let page = words.next().unwrap_or_default();
                let is_section =
                    words.peek().is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
                let section = if is_section { words.next() } else { None };
                add(
                    &mut text,
                    &section.map_or(page.clone(), |section| format!("{page}({section})")),
                    &mut joined,
                );
            }
            "Nm" => {
                if name.is_empty() {
                    *name = words.peek().cloned().unwrap_or_default();
                }
                if words
                    .peek()
                    .is_none_or(|next| is_macro(next) || next.chars().all(|c| c.is_ascii_punctuation()))
                {
                    add(&mut text, name, &mut joined);
                }
            }
            _ if let Some((_, before, after)) = signed => {
                if !before.is_empty() {
                    add(&mut text, before, &mut joined);
                    joined = true;
                }
                closing.extend((!after.is_empty()).then_some(*after));
            }
            _ if PLAIN.contains(&word.as_str()) => {}
            _ => {
                joined |= word.chars().all(|c| ".,:;)]?!".contains(c));
                add(&mut text, &word, &mut joined);
            }
        }
    }
    text.extend(closing.into_iter().rev());
    text
}

fn add(text: &mut String, word: &str, joined: &mut bool) {
    if !std::mem::take(joined) && !text.is_empty() {
        text.push(' ');
    }
    text.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_go_around_words() {
        let mut name = "pump".to_owned();
        assert_eq!(said("Op Fl v Ar level", &mut name), "[-v level]");
        assert_eq!(said("Nm Fl a", &mut name), "pump -a");
        assert_eq!(said("Xr a 1 , Xr b 2 .", &mut name), "a(1), b(2).");
        assert_eq!(said("Fl o Ns Ar file", &mut name), "-o file".replace(' ', ""));
    }
}
