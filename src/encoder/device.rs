//! The device of an encoder.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

/// The device that an encoder runs on. It parses from and prints as `cpu`, `candle-cpu`, `cuda:N` and `metal`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Device {
    /// This processor, with retune's own kernels. The default.
    #[default]
    Cpu,
    /// This processor, through candle and in f32: the reference that the own kernels are tested against. Slow, unless
    /// the build has the feature `accelerate`.
    CandleCpu,
    /// An NVIDIA GPU, counted from 0. Needs a build with the feature `cuda`.
    Cuda(usize),
    /// Apple's GPU. Needs a build with the feature `metal`.
    Metal,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
            Device::CandleCpu => f.write_str("candle-cpu"),
            Device::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
            Device::Metal => f.write_str("metal"),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    /// `cuda` alone means `cuda:0`.
    fn from_str(name: &str) -> Result<Self, Error> {
        let ordinal = |number: &str| number.parse().ok().map(Device::Cuda);
        let device = match name {
            "cpu" => Some(Device::Cpu),
            "candle-cpu" => Some(Device::CandleCpu),
            "cuda" => Some(Device::Cuda(0)),
            "metal" => Some(Device::Metal),
            _ => name.strip_prefix("cuda:").and_then(ordinal),
        };
        device.ok_or_else(|| Error::invalid("the device", name, "cpu, candle-cpu, cuda:N or metal"))
    }
}

impl Serialize for Device {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Device, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_as_they_are_printed() {
        for device in [Device::Cpu, Device::CandleCpu, Device::Cuda(0), Device::Cuda(11), Device::Metal] {
            assert_eq!(device.to_string().parse::<Device>().unwrap(), device);
            assert_eq!(serde_json::to_value(device).unwrap(), device.to_string());
        }
        assert_eq!("cuda".parse::<Device>().unwrap(), Device::Cuda(0));
        for name in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "metal:0", "CPU"] {
            assert!(matches!(name.parse::<Device>(), Err(Error::Invalid { .. })), "{name}");
        }
    }
}
