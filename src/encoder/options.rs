//! How an encoder is asked to compute.

use serde::Serialize;

use super::calibration::Calibration;
use super::device::Device;
use super::ops::{EncoderPrecision, Kernel};

/// What products are computed in for documents and for queries. Two different ones take the memory of both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Precisions {
    /// For documents. Default bf16.
    pub documents: EncoderPrecision,
    /// For queries. Default bf16.
    pub queries: EncoderPrecision,
}

impl Precisions {
    /// One for both.
    pub fn of(precision: EncoderPrecision) -> Self {
        Precisions { documents: precision, queries: precision }
    }
}

/// How an encoder computes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EncoderOptions {
    /// What products are computed in. Default: bf16, where the processor or the device has it.
    pub precisions: Precisions,
    /// Where. Default: this processor, with retune's own kernels.
    pub device: Device,
    /// The instructions of [`Device::Cpu`]. Default: [`Kernel::best`].
    pub kernel: Option<Kernel>,
    /// What [`Encoder::calibrate`](super::Encoder::calibrate) has found, for int8. Default: nothing; int8 then begins
    /// with [`Encoder::use_calibration`](super::Encoder::use_calibration), and bf16 serves until then.
    pub calibration: Option<Calibration>,
}

impl EncoderOptions {
    /// Documents and queries in one precision.
    pub fn of(precision: EncoderPrecision) -> Self {
        EncoderOptions { precisions: Precisions::of(precision), ..EncoderOptions::default() }
    }

    /// Sets [`device`](EncoderOptions::device).
    pub fn with_device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Sets [`kernel`](EncoderOptions::kernel).
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = Some(kernel);
        self
    }

    /// Sets [`calibration`](EncoderOptions::calibration).
    pub fn with_calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = Some(calibration);
        self
    }
}

/// What all encoders of an index have in common: where they compute, and in what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) device: Device,
    pub(crate) precisions: Precisions,
}

impl Backend {
    /// That of an encoder of queries alone, which needs no second precision.
    pub(crate) fn for_queries(self) -> Backend {
        Backend { precisions: Precisions::of(self.precisions.queries), ..self }
    }

    /// What an encoder computes in: what was asked for, or the next better precision where the kernel or the device
    /// lacks it, or bf16 where int8 is not `calibrated`.
    pub(crate) fn computes_in(self, kernel: Kernel, calibrated: bool) -> Precisions {
        let precision = |asked| match (self.device, kernel.precision(asked)) {
            (Device::Cpu, EncoderPrecision::Int8) if !calibrated => kernel.precision(EncoderPrecision::Bf16),
            (Device::Cpu, precision) => precision,
            _ if asked == EncoderPrecision::F32 || self.device == Device::CandleCpu => EncoderPrecision::F32,
            _ => EncoderPrecision::Bf16,
        };
        let Precisions { documents, queries } = self.precisions;
        Precisions { documents: precision(documents), queries: precision(queries) }
    }

    /// Encoder options with these, and defaults for the rest.
    pub(crate) fn options(self) -> EncoderOptions {
        let Backend { device, precisions } = self;
        EncoderOptions { device, precisions, ..EncoderOptions::default() }
    }
}
