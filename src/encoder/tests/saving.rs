use std::fs;
use std::path::Path;

use safetensors::SafeTensors;

use super::distance;
use crate::encoder::test_model::{reference, tiny_model};
use crate::encoder::{Device, Encoder, EncoderOptions, EncoderPrecision, Kernel, TrainableEncoder};

const TEXTS: [&str; 3] = ["", "what is the boiling point of water", "rust borrow checker error E0502"];

fn load(folder: &Path) -> TrainableEncoder {
    TrainableEncoder::load(Device::Cpu, folder, EncoderPrecision::F32, Kernel::best().unwrap()).unwrap()
}

fn embed(model: &mut TrainableEncoder, texts: &[&str], max_tokens: usize) -> Vec<f32> {
    let ids: Vec<Vec<u32>> = texts.iter().map(|text| model.token_ids(text, max_tokens).unwrap()).collect();
    model.embed(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>(), false).unwrap().to_vec()
}

/// Vectors of the search encoder, in f32.
fn encode(folder: &Path) -> Vec<f32> {
    let options = EncoderOptions::of(EncoderPrecision::F32);
    Encoder::load_with(folder, options).unwrap().encode(&TEXTS).unwrap().concat()
}

#[test]
fn an_untrained_model_is_saved_as_it_was_in_both_layouts() {
    for source in [tiny_model(), reference().join("tiny-mpnet-saved-by-st6")] {
        let dir = tempfile::tempdir().unwrap();
        let saved = dir.path().join("model");
        load(&source).save(&saved).unwrap();
        let names = |folder: &Path| {
            let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&saved), names(&source));
        assert_eq!(names(dir.path()), ["model"]);
        let read = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
        let (before, after) = (read(&source), read(&saved));
        let (before, after) =
            (SafeTensors::deserialize(&before).unwrap(), SafeTensors::deserialize(&after).unwrap());
        assert_eq!(before.len(), after.len());
        for (name, tensor) in before.iter() {
            assert_eq!(tensor, after.tensor(name).unwrap(), "{name}");
        }
    }
}

#[test]
fn a_changed_model_is_saved_as_it_is_now() {
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("model");
    let mut trainable = load(&tiny_model());
    let limit = trainable.max_tokens();
    let before = embed(&mut trainable, &TEXTS, limit);
    trainable.update(|parameters, _| parameters.iter_mut().flatten().for_each(|x| *x *= 1.05)).unwrap();
    let changed = embed(&mut trainable, &TEXTS, limit);
    assert!(distance(&before, &changed) > 1e-3, "every weight is seen to change");
    trainable.save(&saved).unwrap();
    assert!(distance(&encode(&saved), &changed) < 1e-6);
    assert_ne!(Encoder::load(&saved).unwrap().weights(), Encoder::load(&tiny_model()).unwrap().weights());
    assert!(trainable.save(&saved).is_err(), "a folder that exists is not written over");
}

#[test]
fn the_trainable_encoder_gives_the_vectors_of_the_encoder() {
    let mut trainable = load(&tiny_model());
    let limit = trainable.max_tokens();
    assert_eq!(limit, Encoder::load(&tiny_model()).unwrap().max_tokens());
    assert!(distance(&embed(&mut trainable, &TEXTS, limit), &encode(&tiny_model())) < 1e-6);
}

#[test]
fn a_lower_limit_cuts_texts() {
    let mut trainable = load(&tiny_model());
    let long = embed(&mut trainable, &["a b c d e f"], 4);
    let short = embed(&mut trainable, &["a b"], 384);
    assert!(distance(&long, &short) < 1e-6);
    assert!(trainable.token_ids("a", 2).is_err());
    assert!(trainable.token_ids("a", 513).is_err());
}
