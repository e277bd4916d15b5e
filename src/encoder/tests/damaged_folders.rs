use std::fs;
use std::path::Path;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::Error;
use crate::encoder::test_model::tiny_model;
use crate::encoder::{Device, Encoder, EncoderPrecision, Kernel, TrainableEncoder};

/// A copy of the tiny model.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("1_Pooling")).unwrap();
    for entry in
        fs::read_dir(tiny_model()).unwrap().chain(fs::read_dir(tiny_model().join("1_Pooling")).unwrap())
    {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, dir.path().join(path.strip_prefix(tiny_model()).unwrap())).unwrap();
        }
    }
    dir
}

/// The message of the refusal, which must be an [`Error::Model`] from both encoders.
fn refusal(folder: &Path) -> String {
    assert!(matches!(
        TrainableEncoder::load(Device::Cpu, folder, EncoderPrecision::F32, Kernel::best().unwrap())
            .map(|_| ()),
        Err(Error::Model { .. })
    ));
    match Encoder::load(folder) {
        Err(e @ Error::Model { .. }) => e.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

fn change(folder: &Path, file: &str, key: &str, value: Value) {
    let path = folder.join(file);
    let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    json[key] = value;
    fs::write(path, json.to_string()).unwrap();
}

#[test]
fn a_missing_file_is_named() {
    assert!(Encoder::load(copy().path()).is_ok());
    for file in ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"] {
        let dir = copy();
        fs::remove_file(dir.path().join(file)).unwrap();
        let message = refusal(dir.path());
        assert!(message.contains(file) && message.contains("missing"), "{message}");
    }
    assert!(refusal(Path::new("/nowhere/at/all")).contains("no such folder"));
}

#[test]
fn a_model_of_another_kind_is_refused_with_the_reason() {
    let cases = [
        ("config.json", "model_type", json!("bert"), "bert"),
        ("config.json", "hidden_act", json!("relu"), "relu"),
        ("config.json", "num_attention_heads", json!(5), "5 heads"),
        ("config.json", "num_attention_heads", json!(0), "0 heads"),
        ("config.json", "num_hidden_layers", json!(3), "encoder.layer.2"),
        ("config.json", "hidden_size", json!(64), "config.json says"),
        ("config.json", "vocab_size", json!(10), "vocabulary"),
        ("config.json", "layer_norm_eps", json!(0), "layer_norm_eps"),
        ("config.json", "max_position_embeddings", json!(2), "longest input"),
        ("config.json", "relative_attention_num_buckets", json!(16), "buckets"),
        ("config.json", "hidden_size", json!("wide"), "wide"),
        ("1_Pooling/config.json", "pooling_mode_cls_token", json!(true), "pooling"),
        ("1_Pooling/config.json", "pooling_mode", json!("cls"), "pooling"),
        ("sentence_bert_config.json", "max_seq_length", json!(1), "longest input"),
    ];
    for (file, key, value, reason) in cases {
        let dir = copy();
        change(dir.path(), file, key, value);
        let message = refusal(dir.path());
        assert!(message.contains(reason), "{key}: {message}");
    }
    let dir = copy();
    let modules = json!([{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]);
    fs::write(dir.path().join("modules.json"), modules.to_string()).unwrap();
    assert!(refusal(dir.path()).contains("Dense"));
    let modules = json!([{"path": "../1_Pooling", "type": "sentence_transformers.models.Pooling"}]);
    fs::write(dir.path().join("modules.json"), modules.to_string()).unwrap();
    assert!(refusal(dir.path()).contains("folder name"));
}

#[test]
fn a_cut_file_is_refused_wherever_it_was_cut() {
    for file in
        ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json", "modules.json"]
    {
        let whole = fs::read(tiny_model().join(file)).unwrap();
        for part in 0..8 {
            let dir = copy();
            fs::write(dir.path().join(file), &whole[..whole.len() * part / 8]).unwrap();
            assert!(refusal(dir.path()).contains(file), "{file} cut at {part}/8");
        }
    }
}

#[test]
fn a_damaged_header_never_panics() {
    let whole = fs::read(tiny_model().join("model.safetensors")).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let dir = copy();
    for _ in 0..200 {
        let mut bytes = whole.clone();
        for _ in 0..rng.random_range(1..4) {
            bytes[rng.random_range(0..header)] = rng.random();
        }
        fs::write(dir.path().join("model.safetensors"), &bytes).unwrap();
        if let Ok(encoder) = Encoder::load(dir.path()) {
            let _ = encoder.encode_one("still a model");
        }
    }
}

#[test]
fn a_damaged_tokenizer_never_panics() {
    let whole = fs::read(tiny_model().join("tokenizer.json")).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let dir = copy();
    for _ in 0..200 {
        let mut bytes = whole.clone();
        for _ in 0..rng.random_range(1..3) {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..3) {
                0 => bytes[at] = rng.random_range(b' '..b'~'),
                1 => drop(bytes.remove(at)),
                _ => drop(bytes.drain(at..(at + rng.random_range(0..200)).min(bytes.len()))),
            }
        }
        fs::write(dir.path().join("tokenizer.json"), &bytes).unwrap();
        if let Ok(encoder) = Encoder::load(dir.path()) {
            let _ = encoder.encode_one("still a Tokenizer, with <mask> and </s>");
            encoder.count_tokens("still a Tokenizer");
        }
    }
}

#[test]
fn weights_that_are_not_numbers_are_refused() {
    let dir = copy();
    let path = dir.path().join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    // The last tensors are the position table and the pooler. The pooler is not used.
    bytes[end - 5000..].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let message = refusal(dir.path());
    assert!(message.contains("relative_attention_bias") && message.contains("not finite"), "{message}");
}
