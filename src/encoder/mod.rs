//! From text to vector: MPNet, for search and for training alike.
//!
//! A model is a folder as sentence-transformers writes it: `config.json`, `tokenizer.json`, `model.safetensors`,
//! `sentence_bert_config.json` or `tokenizer_config.json` for the longest input, `1_Pooling/config.json`. Both the
//! layout of version 2 (all-mpnet-base-v2's) and that of version 6 are read.
//!
//! [`Encoder`] answers queries and encodes documents; `TrainableEncoder` gives the same numbers and their gradients.
//! On [`Device::Cpu`] both run one implementation, `mpnet::Mpnet` on the operations of `ops`; on every other device,
//! the one in `candle`, which is also what those operations are tested against.

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
pub use device::Device;
pub use encode::Encoder;
pub use ops::{EncoderPrecision, Kernel, peak_gflops};
pub(crate) use options::Backend;
pub use options::{EncoderOptions, Precisions};
pub(crate) use trainable::{InputGradient, TrainableEncoder};
pub(crate) use weights::WEIGHTS;
