//! How a batch is cut, so that the tape of no part takes more than its share of memory.

/// The texts cut into parts of at most so many tokens, or of one text; longest first.
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
