//! Texts from outside on a terminal: what it would act on, how wide they are, where they may be broken, and where an
//! excerpt begins. The program's printing and the finder share it; applications have no use for it.

mod escape;
mod excerpt;
mod stands;
mod trim;
mod width;
mod words;

pub use escape::{acts, escaped, escaped_json};
pub use excerpt::Excerpted;
pub use stands::stands;
pub use trim::{end_of, start_of};
pub use width::width;
pub use words::{Word, words, words_of_line};
