//! Options of an encoder.

use serde::{Deserialize, Serialize};

use super::calibration::Calibration;
use super::device::Device;
use super::ops::{EncoderPrecision, Kernel};

/// The precisions of products, for documents and for queries. Two different ones need memory for both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Precisions {
    /// For documents. Default bf16.
    pub documents: EncoderPrecision,
    /// For queries. Default bf16.
    pub queries: EncoderPrecision,
}

impl Precisions {
    /// The same precision for both.
    pub fn of(precision: EncoderPrecision) -> Self {
        Precisions { documents: precision, queries: precision }
    }
}

/// Options of an encoder.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EncoderOptions {
    /// Precisions of products. Default: bf16 if the processor or the device has it.
    pub precisions: Precisions,
    /// Device. Default: this processor, with retune's own kernels.
    pub device: Device,
    /// Kernel for [`Device::Cpu`]. Default: [`Kernel::best`].
    pub kernel: Option<Kernel>,
    /// The result of [`Encoder::calibrate`](super::Encoder::calibrate), for int8. Default: none. bf16 then serves until
    /// [`Encoder::use_calibration`](super::Encoder::use_calibration).
    pub calibration: Option<Calibration>,
}

impl EncoderOptions {
    /// The same precision for documents and queries.
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

/// The settings shared by all encoders of an index: device, kernel and precisions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Backend {
    pub(crate) device: Device,
    pub(crate) precisions: Precisions,
}

impl Backend {
    /// For an encoder of queries only, which needs no second precision.
    pub(crate) fn for_queries(self) -> Backend {
        Backend { precisions: Precisions::of(self.precisions.queries), ..self }
    }

    /// The precision that an encoder computes in: the requested one, or the next better one if the kernel or the device
    /// lacks it, or bf16 if int8 is not `calibrated`.
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

    /// Encoder options with these values and defaults for the rest.
    pub(crate) fn options(self) -> EncoderOptions {
        let Backend { device, precisions } = self;
        EncoderOptions { device, precisions, ..EncoderOptions::default() }
    }
}
