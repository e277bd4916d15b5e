//! From text to vector: MPNet in candle, for search and for training alike.
//!
//! A model is a folder as sentence-transformers writes it: `config.json`, `tokenizer.json`, `model.safetensors`,
//! `sentence_bert_config.json` or `tokenizer_config.json` for the longest input, `1_Pooling/config.json`. Both the
//! layout of version 2 (all-mpnet-base-v2's) and that of version 6 are read.
//!
//! [`Encoder`] answers queries and encodes documents; `TrainableEncoder` gives the same numbers with a graph behind
//! them. Both run one implementation, `mpnet::Mpnet` on the fused operations of `ops`.

mod batch;
mod config;
mod encode;
pub mod model;
mod mpnet;
mod ops;
mod tokens;
mod trainable;
mod weights;

#[cfg(test)]
pub(crate) mod test_model;
#[cfg(test)]
mod tests;

pub use encode::Encoder;
pub(crate) use trainable::TrainableEncoder;

use crate::error::Error;

/// For `map_err` on tensor operations.
fn failed_to(doing: &'static str) -> impl FnOnce(candle_core::Error) -> Error {
    move |e| Error::Encoder { doing, message: e.to_string() }
}
