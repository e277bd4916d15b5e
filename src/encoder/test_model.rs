//! Where tests find models.

use std::path::PathBuf;

/// A folder of golden values.
pub(crate) fn reference() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference")
}

/// A complete model of 2 layers with random weights, in the layout of all-mpnet-base-v2.
pub(crate) fn tiny_model() -> PathBuf {
    reference().join("tiny-mpnet")
}

pub(crate) use super::model::for_tests as real_model;
