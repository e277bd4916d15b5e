//! Splits a batch so that the tape of each part fits its memory limit.

/// Splits texts into parts of at most this many tokens, or of one text; longest first.
pub(super) fn parts(ids: &[impl AsRef<[u32]>], part_tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|&text| std::cmp::Reverse(ids[text].as_ref().len()));
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for text in order {
        let tokens = ids[text].as_ref().len();
        match parts.last_mut() {
            Some(part) if tokens <= room => part.push(text),
            _ => {
                parts.push(vec![text]);
                room = part_tokens;
            }
        }
        room = room.saturating_sub(tokens);
    }
    parts
}
