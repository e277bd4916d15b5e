//! Data that is embedded in a text.

use std::ops::Range;

/// The base64 of files that are embedded in a text, such as pictures.
pub(in crate::corpus) fn embedded_data(text: &str) -> Vec<Range<usize>> {
    const MARK: &str = ";base64,";
    const LEAST_BYTES: usize = 64;
    let data = text.match_indices(MARK).map(|(at, mark)| {
        let start = at + mark.len();
        start..start + base64_length(&text[start..])
    });
    data.filter(|range| range.len() >= LEAST_BYTES).collect()
}

/// The length of the base64 that a text begins with.
pub(in crate::corpus) fn base64_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_data_is_found() {
        let data = "iVBORw0KGgo".repeat(10);
        let text = format!("![a](data:image/png;base64,{data}) and ;base64,short");
        let found = embedded_data(&text);
        assert_eq!((found.len(), &text[found[0].clone()]), (1, data.as_str()));
    }
}
