//! Numeric ids of queries and documents.

/// Removes leading zeros from a number: `007` is 7 in the judgements. Other ids stay as they are.
pub(super) fn without_zeros(number: &str) -> &str {
    let all_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match number.trim_start_matches('0') {
        "" if all_digits => "0",
        short if all_digits => short,
        _ => number,
    }
}
