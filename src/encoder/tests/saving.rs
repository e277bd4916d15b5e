use std::fs;

use safetensors::SafeTensors;

use super::distance;
use crate::encoder::test_model::{reference, tiny_model};
use crate::encoder::{Encoder, TrainableEncoder};

const TEXTS: [&str; 3] = ["", "what is the boiling point of water", "rust borrow checker error E0502"];

#[test]
fn an_untrained_model_is_saved_as_it_was_in_both_layouts() {
    for source in [tiny_model(), reference().join("tiny-mpnet-saved-by-st6")] {
        let dir = tempfile::tempdir().unwrap();
        let saved = dir.path().join("model");
        TrainableEncoder::load(&source).unwrap().save(&saved).unwrap();
        let names = |folder: &std::path::Path| {
            let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&saved), names(&source));
        assert_eq!(names(dir.path()), ["model"]);
        let read = |folder: &std::path::Path| fs::read(folder.join("model.safetensors")).unwrap();
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
    let trainable = TrainableEncoder::load(&tiny_model()).unwrap();
    let before = trainable.embed(&TEXTS).unwrap().to_vec2::<f32>().unwrap().concat();
    for (_, variable) in trainable.variables() {
        variable.set(&(variable.as_tensor() * 1.05).unwrap()).unwrap();
    }
    let changed = trainable.embed(&TEXTS).unwrap().to_vec2::<f32>().unwrap().concat();
    assert!(distance(&before, &changed) > 1e-3, "every weight is seen to change");
    trainable.save(&saved).unwrap();
    let encoder = Encoder::load(&saved).unwrap();
    assert!(distance(&encoder.encode(&TEXTS).unwrap().concat(), &changed) < 1e-6);
    assert_ne!(encoder.weights(), Encoder::load(&tiny_model()).unwrap().weights());
    assert!(trainable.save(&saved).is_err(), "a folder that exists is not written over");
}

#[test]
fn the_trainable_encoder_gives_the_vectors_of_the_encoder() {
    let trainable = TrainableEncoder::load(&tiny_model()).unwrap();
    let encoder = Encoder::load(&tiny_model()).unwrap();
    assert_eq!(trainable.max_tokens(), encoder.max_tokens());
    let vectors = trainable.embed(&TEXTS).unwrap().to_vec2::<f32>().unwrap();
    assert!(distance(&vectors.concat(), &encoder.encode(&TEXTS).unwrap().concat()) < 1e-6);
}

#[test]
fn a_lower_limit_cuts_texts() {
    let trainable = TrainableEncoder::load(&tiny_model()).unwrap();
    let long = trainable.embed_up_to(&["a b c d e f"], 4).unwrap().to_vec2::<f32>().unwrap();
    let short = trainable.embed(&["a b"]).unwrap().to_vec2::<f32>().unwrap();
    assert!(distance(&long[0], &short[0]) < 1e-6);
    assert!(trainable.embed_up_to(&["a"], 2).is_err());
    assert!(trainable.embed_up_to(&["a"], 513).is_err());
    assert!(trainable.embed(&[]).is_err());
}
