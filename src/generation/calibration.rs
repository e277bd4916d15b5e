//! What int8 has seen of a corpus: `calibration.safetensors` in a generation's folder.

use std::path::Path;

use crate::encoder::{Calibration, Encoder};
use crate::error::{Error, Result};
use crate::storage::write_atomic;

const FILE: &str = "calibration.safetensors";

/// Texts that a calibration looks at.
pub(super) const SAMPLE: usize = 64;

/// Lets int8 begin with the sample of an earlier time, if there was one. A damaged file costs accuracy, not the index.
pub(super) fn resume(encoder: &Encoder, folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    if !encoder.wants_calibration() || !path.exists() {
        return Ok(());
    }
    match Calibration::read(&path) {
        Ok(calibration) => encoder.use_calibration(&calibration),
        Err(error) => {
            tracing::warn!(%error, "int8 waits for another sample of the texts");
            Ok(())
        }
    }
}

/// Whether there is a sample of an earlier time.
pub(super) fn exists(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Gives a generation what another one of the same encoder has seen.
pub(super) fn hand_on(from: &Path, to: &Path) -> Result<()> {
    match std::fs::read(from.join(FILE)) {
        Ok(bytes) => write_atomic(&to.join(FILE), &bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("read", &from.join(FILE))(e)),
    }
}

/// Lets int8 begin with a sample of these texts, if it was asked for and has not begun.
pub(super) fn begin(encoder: &Encoder, folder: &Path, texts: &[String]) -> Result<()> {
    if texts.is_empty() || !encoder.wants_calibration() {
        return Ok(());
    }
    let sample: Vec<&String> = texts.iter().step_by(texts.len().div_ceil(SAMPLE)).collect();
    let calibration = encoder.calibrate(&sample)?;
    write_atomic(&folder.join(FILE), &calibration.to_bytes()?)?;
    encoder.use_calibration(&calibration)
}
