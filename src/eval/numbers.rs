//! Numbers that name queries and documents.

/// `007` is 7 in the judgements.
pub(super) fn without_zeros(number: &str) -> &str {
    let all_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match number.trim_start_matches('0') {
        "" if all_digits => "0",
        short if all_digits => short,
        _ => number,
    }
}
