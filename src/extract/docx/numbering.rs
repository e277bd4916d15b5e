//! What numbers stand before paragraphs: they are not in their text.

use std::collections::HashMap;

use roxmltree::{Document, Node};

use super::super::xml::{attribute, child, name};

/// Levels of one list.
const LEVELS: usize = 9;

/// The lists of a document, and how far each has been counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    lists: HashMap<String, List>,
    /// By the definition: lists that share one go on counting.
    counted: HashMap<String, [u32; LEVELS]>,
}

#[derive(Debug)]
struct List {
    definition: String,
    levels: Vec<Level>,
    /// Levels that begin anew, and with what, when the list is first used.
    restarts: Vec<(usize, u32)>,
}

#[derive(Debug, Clone, Default)]
struct Level {
    /// `decimal`, `lowerRoman`, `bullet`.
    format: String,
    /// `%1.%2`: the numbers of this level and those above.
    text: String,
    start: u32,
}

impl Numbering {
    pub(super) fn new(xml: &Document<'_>) -> Self {
        let value = |node: Node<'_, '_>, local: &str| {
            child(node, local).and_then(|node| attribute(node, "val")).unwrap_or_default().to_owned()
        };
        let level = |node: Node<'_, '_>| Level {
            format: value(node, "numFmt"),
            text: value(node, "lvlText"),
            start: value(node, "start").parse().unwrap_or(0),
        };
        let below =
            |kind: &'static str| xml.root_element().children().filter(move |node| name(*node) == kind);
        let definitions: HashMap<&str, Vec<Level>> = below("abstractNum")
            .filter_map(|node| {
                let levels = node.children().filter(|node| name(*node) == "lvl").take(LEVELS).map(level);
                Some((attribute(node, "abstractNumId")?, levels.collect()))
            })
            .collect();
        let lists = below("num").filter_map(|node| {
            let definition = value(node, "abstractNumId");
            let levels = definitions.get(definition.as_str())?.clone();
            let restarts = node.children().filter_map(|level| {
                let depth: usize = attribute(level, "ilvl")?.parse().ok()?;
                Some((depth, value(level, "startOverride").parse().ok()?))
            });
            let restarts = restarts.filter(|(depth, _)| *depth < LEVELS).collect();
            Some((attribute(node, "numId")?.to_owned(), List { definition, levels, restarts }))
        });
        Self { lists: lists.collect(), counted: HashMap::new() }
    }

    /// Counts a paragraph of list `number` and gives what stands before it; empty for a bullet.
    pub(super) fn label(&mut self, number: &str, depth: usize) -> String {
        let Some(list) = self.lists.get_mut(number) else { return String::new() };
        let restarts = std::mem::take(&mut list.restarts);
        let Some(level) = list.levels.get(depth) else { return String::new() };
        let counted = self.counted.entry(list.definition.clone()).or_default();
        for (depth, start) in restarts {
            counted[depth] = start.saturating_sub(1);
        }
        // What was not counted yet stands at its start.
        for (count, level) in counted.iter_mut().zip(&list.levels).take(depth) {
            *count = (*count).max(level.start);
        }
        counted[depth] = if counted[depth] == 0 { level.start } else { counted[depth].saturating_add(1) };
        counted[depth + 1..].fill(0);
        if matches!(level.format.as_str(), "bullet" | "none" | "") {
            return String::new();
        }
        let mut label = String::new();
        let mut rest = level.text.chars();
        while let Some(c) = rest.next() {
            match c {
                '%' => {
                    let at = rest.next().and_then(|digit| digit.to_digit(10)).unwrap_or(0) as usize;
                    if let (Some(at), Some(level)) = (at.checked_sub(1), list.levels.get(at.wrapping_sub(1)))
                    {
                        label += &numeral(counted[at], &level.format);
                    }
                }
                c => label.push(c),
            }
        }
        label.trim().to_owned()
    }
}

/// A number as its format writes it.
fn numeral(number: u32, format: &str) -> String {
    let letter = |first: u8| {
        let at = u8::try_from(number.saturating_sub(1) % 26).unwrap_or(0);
        char::from(first + at).to_string().repeat((number.saturating_sub(1) / 26 + 1).min(9) as usize)
    };
    match format {
        "lowerLetter" => letter(b'a'),
        "upperLetter" => letter(b'A'),
        "lowerRoman" => roman(number).to_lowercase(),
        "upperRoman" => roman(number),
        "decimalZero" => format!("{number:02}"),
        _ => number.to_string(),
    }
}

fn roman(mut number: u32) -> String {
    const SIGNS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if number > 3999 {
        return number.to_string();
    }
    let mut out = String::new();
    for (value, sign) in SIGNS {
        while number >= value {
            out.push_str(sign);
            number -= value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::xml;
    use super::*;

    #[test]
    fn levels_count_on_their_own_and_begin_anew_below_the_next_above() {
        let level = |at: u32, format: &str, text: &str| {
            format!("<lvl ilvl='{at}'><start val='1'/><numFmt val='{format}'/><lvlText val='{text}'/></lvl>")
        };
        let levels =
            level(0, "decimal", "%1.") + &level(1, "lowerLetter", "%1%2)") + &level(2, "bullet", "o");
        let xml = format!(
            "<numbering><abstractNum abstractNumId='7'>{levels}</abstractNum>\
             <num numId='3'><abstractNumId val='7'/><lvlOverride ilvl='0'><startOverride val='1'/></lvlOverride></num>\
             <num numId='1'><abstractNumId val='7'/></num><num numId='2'><abstractNumId val='7'/></num></numbering>"
        );
        let mut numbering = Numbering::new(&xml::parse(&xml).unwrap());
        let labels: Vec<String> = [
            ("1", 0),
            ("1", 1),
            ("1", 1),
            ("1", 2),
            ("2", 0),
            ("1", 1),
            ("9", 0),
            ("1", 8),
            ("3", 0),
            ("3", 0),
        ]
        .map(|(number, depth)| numbering.label(number, depth))
        .into();
        assert_eq!(labels, ["1.", "1a)", "1b)", "", "2.", "2a)", "", "", "1.", "2."]);
    }

    #[test]
    fn numbers_are_written_as_their_format_says() {
        let all = ["decimal", "upperRoman", "lowerRoman", "upperLetter", "decimalZero"]
            .map(|kind| numeral(4, kind));
        assert_eq!(all, ["4", "IV", "iv", "D", "04"]);
        assert_eq!(numeral(28, "lowerLetter"), "bb");
        assert_eq!(numeral(u32::MAX, "upperRoman"), "4294967295");
    }
}
