//! From text to vector: MPNet, for search and for training alike.
//!
//! A model is a folder as sentence-transformers writes it: `config.json`, `tokenizer.json`, `model.safetensors`,
//! `sentence_bert_config.json` or `tokenizer_config.json` for the longest input, `1_Pooling/config.json`. Both the
//! layout of version 2 (all-mpnet-base-v2's) and that of version 6 are read.
//!
//! [`Encoder`] answers queries and encodes documents; `TrainableEncoder` gives the same numbers and their gradients.
//! Both run one implementation, `mpnet::Mpnet` on the operations of `ops`.

mod adapter;
mod backward;
mod batch;
mod calibration;
mod config;
mod encode;
mod frozen;
pub mod model;
mod mpnet;
mod ops;
mod parameters;
mod tape;
mod tokens;
mod trainable;
mod weights;

#[cfg(test)]
pub(crate) mod test_model;
#[cfg(test)]
mod tests;

pub(crate) use adapter::Adapter;
pub use calibration::Calibration;
pub use encode::{Encoder, EncoderOptions, Precisions};
pub use ops::{EncoderPrecision, Kernel, peak_gflops};
pub(crate) use trainable::TrainableEncoder;
pub(crate) use weights::WEIGHTS;
