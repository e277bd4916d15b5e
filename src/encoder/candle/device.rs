//! Opening a device.

use candle_core::DType;

use super::failed;
use crate::encoder::device::Device;
use crate::encoder::ops::EncoderPrecision;
use crate::error::{Error, Result};

/// Opens a device for candle. [`Device::Cpu`] opens the processor too.
///
/// # Errors
/// [`Error::Invalid`] if this build can't use the device. [`Error::Encoder`] if the device can't be opened.
pub(super) fn open(device: Device) -> Result<candle_core::Device> {
    let lacks = |feature: &str| {
        let expected = format!("cpu or candle-cpu, or a build with `--features {feature}`");
        Err(Error::invalid("the device", device, expected))
    };
    let failed = failed("open the device");
    match device {
        Device::Cpu | Device::CandleCpu => Ok(candle_core::Device::Cpu),
        Device::Cuda(ordinal) if cfg!(feature = "cuda") => {
            candle_core::Device::new_cuda(ordinal).map_err(failed)
        }
        Device::Cuda(_) => lacks("cuda"),
        Device::Metal if cfg!(feature = "metal") => candle_core::Device::new_metal(0).map_err(failed),
        Device::Metal => lacks("metal"),
    }
}

/// The precision that products use when `precision` is requested. candle has bf16 on GPUs only, and no int8.
pub(super) fn precision(device: &candle_core::Device, precision: EncoderPrecision) -> EncoderPrecision {
    match precision {
        EncoderPrecision::F32 => precision,
        _ if device.is_cpu() => EncoderPrecision::F32,
        _ => EncoderPrecision::Bf16,
    }
}

/// candle's data type for a precision.
pub(super) fn dtype(precision: EncoderPrecision) -> DType {
    match precision {
        EncoderPrecision::F32 => DType::F32,
        _ => DType::BF16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_build_without_cuda_says_which_feature_it_lacks() {
        let message = open(Device::Cuda(0)).unwrap_err().to_string();
        assert!(message.contains("cuda:0") && message.contains("--features cuda"), "{message}");
    }

    #[test]
    #[cfg(not(feature = "metal"))]
    fn a_build_without_metal_says_which_feature_it_lacks() {
        let message = open(Device::Metal).unwrap_err().to_string();
        assert!(message.contains("--features metal"), "{message}");
    }

    #[test]
    fn on_the_processor_candle_computes_in_f32() {
        for asked in [EncoderPrecision::F32, EncoderPrecision::Bf16, EncoderPrecision::Int8] {
            assert_eq!(precision(&candle_core::Device::Cpu, asked), EncoderPrecision::F32);
        }
    }
}
