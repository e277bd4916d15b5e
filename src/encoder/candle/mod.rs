//! MPNet over candle_nn, for every device that candle has: the way to GPUs, and on the processor the reference that
//! the own kernels and their gradients are tested against.
//!
//! Texts are padded to the longest of their batch, and padding is masked. Parameters are f32. On a GPU products may be
//! computed in bf16; they add up in f32, as all that lies between them is f32.
//!
//! candle's fused layer norm and softmax have no backward pass, and its optimiser passes over a variable without a
//! gradient in silence. So every model is built for one of two [`Forms`]: fused ones to encode, composed ones to learn.

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

/// An error of candle while `doing` something.
fn failed(doing: &'static str) -> impl Fn(candle_core::Error) -> Error {
    move |error| Error::Encoder { doing, message: error.to_string() }
}
