use super::cosine;
use crate::encoder::test_model::{real_model, tiny_model};
use crate::encoder::{Calibration, Encoder, EncoderOptions, EncoderPrecision, Precisions};

/// Passages of the handbook in the demo.
fn passages() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/handbook/documents");
    let entries = |folder: &std::path::Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let parts = entries(&folder);
    let mut paths: Vec<_> = parts
        .iter()
        .flat_map(|path| if path.is_dir() { entries(path) } else { vec![path.clone()] })
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn int8_is_near_f32_on_texts_it_was_not_calibrated_with() {
    let Some(folder) = real_model() else { return };
    let passages = passages();
    let (sample, held_out) = (&passages[..24], &passages[24..40]);
    let golden = Encoder::load_with(&folder, EncoderOptions::of(EncoderPrecision::F32)).unwrap();
    let encoder = Encoder::load_with(&folder, EncoderOptions::of(EncoderPrecision::Int8)).unwrap();
    if !encoder.wants_calibration() {
        return; // this processor has no int8 and uses a better precision
    }
    assert_ne!(encoder.computes_in().documents, EncoderPrecision::Int8, "not before it is calibrated");
    encoder.use_calibration(&encoder.calibrate(sample).unwrap()).unwrap();
    assert_eq!(encoder.computes_in(), Precisions::of(EncoderPrecision::Int8));
    let (found, golden) = (encoder.encode(held_out).unwrap(), golden.encode(held_out).unwrap());
    let near: Vec<f64> = found.iter().zip(&golden).map(|(a, b)| cosine(a, b)).collect();
    let mean = near.iter().sum::<f64>() / near.len() as f64;
    assert!(mean >= 0.998 && near.iter().all(|cosine| *cosine >= 0.995), "{near:?}");
    assert!(mean < 0.999999, "as near as if it were not in int8");
}

#[test]
fn documents_and_queries_have_their_own_precision() {
    let precisions = Precisions { documents: EncoderPrecision::F32, queries: EncoderPrecision::Bf16 };
    let apart = Encoder::load_with(&tiny_model(), EncoderOptions { precisions, ..EncoderOptions::default() })
        .unwrap();
    let of = |precision| Encoder::load_with(&tiny_model(), EncoderOptions::of(precision)).unwrap();
    let (f32, bf16) = (of(EncoderPrecision::F32), of(EncoderPrecision::Bf16));
    assert_eq!(apart.encode(&["some words"]).unwrap(), f32.encode(&["some words"]).unwrap());
    assert_eq!(apart.encode_one("some words").unwrap(), bf16.encode_one("some words").unwrap());
}

#[test]
fn a_calibration_survives_its_file_and_damage_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("calibration.safetensors");
    let encoder = Encoder::load(&tiny_model()).unwrap();
    let calibration = encoder.calibrate(&["some words", "and others"]).unwrap();
    assert_ne!(calibration, encoder.calibrate(&["some words"]).unwrap());
    std::fs::write(&path, calibration.to_bytes().unwrap()).unwrap();
    assert_eq!(Calibration::read(&path).unwrap(), calibration);
    let whole = std::fs::read(&path).unwrap();
    for part in 0..8 {
        std::fs::write(&path, &whole[..whole.len() * part / 8]).unwrap();
        assert!(Calibration::read(&path).is_err(), "cut at {part}/8");
    }
    let mut bytes = whole.clone();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    assert!(Calibration::read(&path).is_err(), "NaN");
}
