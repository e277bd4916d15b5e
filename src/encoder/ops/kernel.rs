//! The instruction sets for matrix products.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use numkong::capabilities;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The environment variable that forces a kernel.
const FORCED: &str = "RETUNE_KERNEL";

/// The instructions that the encoder's matrix products use. [`Kernel::best`] chooses at run time; the environment
/// variable `RETUNE_KERNEL` forces one by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kernel {
    /// Plain loops that the compiler vectorises, on any processor. Products in f32.
    Portable,
    /// AVX2 with fused multiply-add. Products in f32 and int16.
    Avx2,
    /// AVX-512. Products in f32, and in int8 if the processor has VNNI.
    Avx512,
    /// AVX-512 with bf16 and VNNI. Products in f32, bf16 and int8.
    Avx512Bf16,
    /// Advanced Matrix Extensions, through numkong. Products in bf16 and int8; f32 as in [`Kernel::Avx512`].
    Amx,
}

/// The number format of the encoder's products. Sums are f32 (integers are summed exactly in i32 first), and so is
/// everything between two products.
///
/// If the processor has no instructions for a precision, the next better one is used: see [`Kernel::precision`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EncoderPrecision {
    /// 32-bit floating point: the reference.
    F32,
    /// bfloat16: 8 bits of precision; the default.
    #[default]
    Bf16,
    /// 13-bit integers for activations and 12-bit ones for weights. Each output of a weight has a scale, each token a
    /// scale and an offset. With AVX2 alone it is twice as fast as f32, and about as exact as bf16.
    Int16,
    /// 8-bit integers. Each output of a weight has a scale, each token a scale and an offset.
    Int8,
}

impl EncoderPrecision {
    /// The precision to train in when encoding uses this one: f32 for f32, else bf16 or what the processor has in its
    /// place (see [`Kernel::precision`]).
    pub fn of_training(self) -> EncoderPrecision {
        match self {
            EncoderPrecision::F32 => self,
            _ => EncoderPrecision::Bf16,
        }
    }
}

impl Kernel {
    /// Every kernel, from the slowest.
    pub const ALL: [Kernel; 5] =
        [Kernel::Portable, Kernel::Avx2, Kernel::Avx512, Kernel::Avx512Bf16, Kernel::Amx];

    /// The fastest kernel that this processor has, or the one that `RETUNE_KERNEL` names.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `RETUNE_KERNEL` names no kernel, or one that this processor lacks.
    pub fn best() -> Result<Kernel> {
        match std::env::var(FORCED) {
            Ok(name) if !name.is_empty() => Kernel::forced(&name),
            _ => Ok(Kernel::available().last().unwrap_or(Kernel::Portable)),
        }
    }

    /// The kernels that this processor supports, from the slowest.
    pub fn available() -> impl DoubleEndedIterator<Item = Kernel> {
        Kernel::ALL.into_iter().filter(|kernel| kernel.is_available())
    }

    /// This kernel, if the processor supports it.
    pub(in crate::encoder) fn checked(self) -> Result<Kernel> {
        Kernel::forced(&self.to_string())
    }

    fn forced(name: &str) -> Result<Kernel> {
        let known = Kernel::available().map(|kernel| kernel.to_string()).collect::<Vec<_>>().join(", ");
        name.parse::<Kernel>().ok().filter(|kernel| kernel.is_available()).ok_or_else(|| {
            Error::invalid("the kernel", name, format!("one that this processor has: {known}"))
        })
    }

    /// Whether this processor has the instructions.
    pub fn is_available(self) -> bool {
        static FOUND: OnceLock<[bool; 5]> = OnceLock::new();
        FOUND.get_or_init(|| Kernel::ALL.map(detect))[self as usize]
    }

    /// The precision that this kernel uses for products with weights when `precision` is requested.
    pub fn precision(self, precision: EncoderPrecision) -> EncoderPrecision {
        match precision {
            EncoderPrecision::F32 => precision,
            EncoderPrecision::Int8 if self >= Kernel::Avx512Bf16 => precision,
            EncoderPrecision::Int8 if self == Kernel::Avx512 && has_vnni() => precision,
            _ if self == Kernel::Avx2 => EncoderPrecision::Int16,
            _ => self.float(precision),
        }
    }

    /// The floating-point format that this kernel uses in attention when `precision` is requested. There, both factors
    /// are new for each text.
    pub fn float(self, precision: EncoderPrecision) -> EncoderPrecision {
        match precision {
            EncoderPrecision::F32 => precision,
            _ if self >= Kernel::Avx512Bf16 => EncoderPrecision::Bf16,
            _ => EncoderPrecision::F32,
        }
    }
}

/// Whether numkong found the extensions and the system lets this process use them.
fn has_amx() -> bool {
    capabilities::available() & capabilities::cap::SAPPHIREAMX != 0 && capabilities::configure_thread()
}

#[cfg(target_arch = "x86_64")]
fn has_vnni() -> bool {
    is_x86_feature_detected!("avx512vnni")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_vnni() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
fn detect(kernel: Kernel) -> bool {
    let avx512 = || {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
    };
    match kernel {
        Kernel::Portable => true,
        Kernel::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
        Kernel::Avx512 => avx512() && detect(Kernel::Avx2),
        Kernel::Avx512Bf16 => detect(Kernel::Avx512) && is_x86_feature_detected!("avx512bf16") && has_vnni(),
        Kernel::Amx => detect(Kernel::Avx512Bf16) && has_amx(),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect(kernel: Kernel) -> bool {
    kernel == Kernel::Portable
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kernel::Portable => "portable",
            Kernel::Avx2 => "avx2",
            Kernel::Avx512 => "avx512",
            Kernel::Avx512Bf16 => "avx512bf16",
            Kernel::Amx => "amx",
        })
    }
}

impl FromStr for Kernel {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Kernel, String> {
        Kernel::ALL
            .into_iter()
            .find(|kernel| kernel.to_string() == name)
            .ok_or_else(|| format!("unknown kernel {name}"))
    }
}

impl fmt::Display for EncoderPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EncoderPrecision::F32 => "f32",
            EncoderPrecision::Bf16 => "bf16",
            EncoderPrecision::Int16 => "int16",
            EncoderPrecision::Int8 => "int8",
        })
    }
}

impl FromStr for EncoderPrecision {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<EncoderPrecision, String> {
        [EncoderPrecision::F32, EncoderPrecision::Bf16, EncoderPrecision::Int16, EncoderPrecision::Int8]
            .into_iter()
            .find(|precision| precision.to_string() == name)
            .ok_or_else(|| format!("unknown precision {name}: expected f32, bf16, int16 or int8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_forced_by_name_or_refused_with_those_there_are() {
        assert_eq!(Kernel::forced("portable").unwrap(), Kernel::Portable);
        let error = Kernel::forced("sse9").unwrap_err().to_string();
        assert!(error.contains("sse9") && error.contains("portable"), "{error}");
        for kernel in Kernel::ALL {
            assert_eq!(kernel.to_string().parse(), Ok(kernel));
            assert_eq!(Kernel::forced(&kernel.to_string()).is_ok(), kernel.is_available());
        }
    }

    #[test]
    fn a_precision_without_instructions_is_the_next_better_one() {
        use EncoderPrecision::{Bf16, F32, Int8, Int16};
        let of = |kernel: Kernel| [F32, Bf16, Int16, Int8].map(|precision| kernel.precision(precision));
        assert_eq!(of(Kernel::Portable), [F32; 4]);
        assert_eq!(of(Kernel::Avx2), [F32, Int16, Int16, Int16]);
        assert_eq!(of(Kernel::Avx512)[..3], [F32; 3]);
        assert_eq!(of(Kernel::Avx512Bf16), [F32, Bf16, Bf16, Int8]);
        assert_eq!(Kernel::Avx2.float(Bf16), F32, "attention has no integers");
        assert_eq!(Kernel::Amx.float(Int8), Bf16);
    }
}
