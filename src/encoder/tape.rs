//! The tape: what a forward pass records for the backward pass.

use super::ops::{EncoderPrecision, Run, bf16_from_f32, f32_from_bf16, map};

/// Numbers that a thread converts at a time.
const AT_A_TIME: usize = 1 << 16;

/// The arguments and results that the backward pass does not recompute, in f32 or bf16 as requested, whatever precision
/// the products use. In bf16, about 180 kB for each token of all-mpnet-base-v2, and twice that in f32. Its memory is
/// reused from batch to batch.
pub(super) struct Tape {
    precision: EncoderPrecision,
    /// The sum of the embeddings or, with frozen layers, their output.
    pub(super) input: Kept,
    layers: Vec<LayerTape>,
}

/// The tape of one transformer block. All are `(tokens, …)`.
pub(super) struct LayerTape {
    pub(super) qkv: Kept,
    pub(super) attended: Kept,
    /// The input of the first layer norm.
    pub(super) attention_sum: Kept,
    /// The input of the activation.
    pub(super) wide: Kept,
    /// The input of the second layer norm.
    pub(super) output_sum: Kept,
}

/// Numbers on a tape.
pub(super) enum Kept {
    F32(Vec<f32>),
    Bf16(Vec<u16>),
}

impl Tape {
    pub(super) fn new(precision: EncoderPrecision) -> Tape {
        Tape { precision, input: Kept::new(EncoderPrecision::F32), layers: Vec::new() }
    }

    /// Bytes for each number.
    pub(super) fn number_bytes(&self) -> usize {
        match self.precision {
            EncoderPrecision::F32 => size_of::<f32>(),
            _ => size_of::<u16>(),
        }
    }

    pub(super) fn layer(&mut self, index: usize) -> &mut LayerTape {
        while self.layers.len() <= index {
            let kept = || Kept::new(self.precision);
            self.layers.push(LayerTape {
                qkv: kept(),
                attended: kept(),
                attention_sum: kept(),
                wide: kept(),
                output_sum: kept(),
            });
        }
        &mut self.layers[index]
    }

    pub(super) fn layers(&self) -> &[LayerTape] {
        &self.layers
    }
}

impl Kept {
    fn new(precision: EncoderPrecision) -> Kept {
        match precision {
            EncoderPrecision::F32 => Kept::F32(Vec::new()),
            _ => Kept::Bf16(Vec::new()),
        }
    }

    /// Replaces the recorded numbers.
    pub(super) fn store(&mut self, run: Run, numbers: &[f32]) {
        match self {
            Kept::F32(kept) => {
                kept.clear();
                kept.extend_from_slice(numbers);
            }
            Kept::Bf16(kept) => {
                kept.resize(numbers.len(), 0);
                let parts = numbers.chunks(AT_A_TIME).zip(kept.chunks_mut(AT_A_TIME)).collect();
                map(run.threads, parts, |(numbers, kept): (&[f32], &mut [u16])| bf16_from_f32(numbers, kept));
            }
        }
    }

    /// # Panics
    /// If the recorded numbers have another length.
    pub(super) fn load(&self, run: Run, into: &mut [f32]) {
        match self {
            Kept::F32(kept) => into.copy_from_slice(kept),
            Kept::Bf16(kept) => {
                assert_eq!(kept.len(), into.len(), "a tape of another batch");
                let parts = kept.chunks(AT_A_TIME).zip(into.chunks_mut(AT_A_TIME)).collect();
                map(run.threads, parts, |(kept, into): (&[u16], &mut [f32])| f32_from_bf16(kept, into));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::ops::Kernel;

    #[test]
    fn what_is_recorded_in_parts_comes_back_in_bf16() {
        let numbers: Vec<f32> = (0..2 * AT_A_TIME + 5).map(|i| (i as f32).sin()).collect();
        let (mut bits, mut golden) = (vec![0; numbers.len()], vec![0.0; numbers.len()]);
        bf16_from_f32(&numbers, &mut bits);
        f32_from_bf16(&bits, &mut golden);
        for threads in [1, 3] {
            let run = Run { kernel: Kernel::Portable, threads };
            let mut kept = Kept::new(EncoderPrecision::Bf16);
            for length in [numbers.len(), AT_A_TIME + 3, 7, numbers.len()] {
                kept.store(run, &numbers[..length]);
                let mut found = vec![f32::NAN; length];
                kept.load(run, &mut found);
                assert!(found == golden[..length], "{length} numbers, {threads} threads");
            }
        }
    }
}
