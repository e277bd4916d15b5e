//! retune
fn main() {}
