//! MPNet over candle_nn, for every device that candle supports. It provides GPU support. On the processor, it is the
//! reference that the own kernels and their gradients are tested against.
//!
//! Texts are padded to the longest of their batch, and padding is masked. Parameters are f32. On a GPU, products may
//! use bf16 factors. Their sums are f32, as is everything between two products.
//!
//! candle's fused layer norm and softmax have no backward pass, and its optimiser silently skips a variable without a
//! gradient. So every model is built in one of two [`Forms`]: fused to encode, composed to learn.

mod adamw;
mod attention;
mod batch;
mod build;
mod dense;
mod device;
mod embedder;
mod forms;
mod learner;
mod model;
#[cfg(test)]
mod tests;

pub(crate) use adamw::DeviceAdamW;
pub(super) use embedder::Embedder;
pub(super) use learner::Learner;

use crate::error::Error;

/// Maps an error of candle that happened while `doing` something.
fn failed(doing: &'static str) -> impl Fn(candle_core::Error) -> Error {
    move |error| Error::Encoder { doing, message: error.to_string() }
}
