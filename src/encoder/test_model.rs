//! Finds models for tests.

use std::path::PathBuf;

use super::device::Device;

/// A folder of golden values.
pub(crate) fn reference() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference")
}

/// A complete model of 2 layers with random weights, in the layout of all-mpnet-base-v2.
pub(crate) fn tiny_model() -> PathBuf {
    reference().join("tiny-mpnet")
}

/// The devices to test on: those of every machine, and the GPU that the build is for.
pub(crate) fn devices() -> Vec<Device> {
    let mut devices = vec![Device::Cpu, Device::CandleCpu];
    if cfg!(feature = "cuda") {
        devices.push(Device::Cuda(0));
    }
    if cfg!(feature = "metal") {
        devices.push(Device::Metal);
    }
    devices
}

pub(crate) use super::model::for_tests as real_model;
