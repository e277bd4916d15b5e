//! Text to vectors: MPNet, for search and for training.
//!
//! A model is a sentence-transformers folder: `config.json`, `tokenizer.json`, `model.safetensors`,
//! `sentence_bert_config.json` or `tokenizer_config.json` for the longest input, and `1_Pooling/config.json`. Both the
//! layout of version 2 (all-mpnet-base-v2's) and that of version 6 are supported.
//!
//! [`Encoder`] encodes queries and documents. `TrainableEncoder` computes the same vectors and their gradients. On
//! [`Device::Cpu`] both use `mpnet::Mpnet`, over the operations of `ops`. On every other device they use `candle`,
//! which is also the reference that those operations are tested against.

mod backward;
mod batch;
mod calibration;
mod candle;
mod config;
mod device;
mod encode;
mod frozen;
pub mod model;
mod mpnet;
mod ops;
mod options;
mod packed;
mod packed_learner;
mod parallel;
mod parameters;
mod saving;
mod tape;
mod tokens;
mod trainable;
mod weights;

#[cfg(test)]
pub(crate) mod test_model;
#[cfg(test)]
mod tests;

pub use calibration::Calibration;
pub(crate) use candle::DeviceAdamW;
pub(crate) use config::longest_input;
pub use device::Device;
pub use encode::Encoder;
pub use ops::{EncoderPrecision, Kernel, peak_gflops};
pub(crate) use options::Backend;
pub use options::{EncoderOptions, Precisions};
pub(crate) use saving::copy_model;
pub(crate) use trainable::{InputGradient, TrainableEncoder};
pub(crate) use weights::WEIGHTS;
