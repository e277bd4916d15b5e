//! The int8 calibration of a corpus: `calibration.safetensors` in a generation's folder.

use std::path::Path;

use crate::encoder::{Calibration, Encoder};
use crate::error::{Error, Result};
use crate::storage::write_atomic;

const FILE: &str = "calibration.safetensors";

/// Texts in a calibration sample.
pub(super) const SAMPLE: usize = 64;

/// Starts int8 with the stored calibration, if there is one. A damaged file costs accuracy, never the index.
pub(super) fn resume(encoder: &Encoder, folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    if !encoder.wants_calibration() || !path.exists() {
        return Ok(());
    }
    match Calibration::read(&path) {
        Ok(calibration) => encoder.use_calibration(&calibration),
        Err(error) => {
            tracing::warn!(%error, "the int8 calibration is unusable; using bf16 until the next one");
            Ok(())
        }
    }
}

/// Whether an earlier sample was stored.
pub(super) fn exists(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Copies the calibration of another generation with the same encoder.
pub(super) fn hand_on(from: &Path, to: &Path) -> Result<()> {
    match std::fs::read(from.join(FILE)) {
        Ok(bytes) => write_atomic(&to.join(FILE), &bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("read", &from.join(FILE))(e)),
    }
}

/// Calibrates int8 on these texts, if int8 was requested and has no calibration yet.
pub(super) fn begin(encoder: &Encoder, folder: &Path, texts: &[String]) -> Result<()> {
    if texts.is_empty() || !encoder.wants_calibration() {
        return Ok(());
    }
    let sample: Vec<&String> = texts.iter().step_by(texts.len().div_ceil(SAMPLE)).collect();
    let calibration = encoder.calibrate(&sample)?;
    write_atomic(&folder.join(FILE), &calibration.to_bytes()?)?;
    encoder.use_calibration(&calibration)
}
