use super::*;
use crate::encoder::test_model::devices;
use crate::train::loss::{Layout, loss_and_gradient};

#[test]
fn losses_of_the_tiny_model_are_the_references() {
    check_losses(&tiny_model(), "tiny", 1e-5);
}

#[test]
fn gradients_of_the_tiny_model_are_the_references() {
    for device in devices() {
        check_gradients(device, &tiny_model(), "tiny", 1e-4, 1e-4);
    }
}

#[test]
fn five_steps_of_the_tiny_model_are_torchs() {
    for device in devices() {
        check_adamw(device, &tiny_model(), "tiny", 1e-5, 1e-2);
    }
}

#[test]
fn the_gradient_of_the_embeddings_is_the_references() {
    let file: BTreeMap<String, serde_json::Value> = read("tiny_mnrl_embeddings.json");
    let rows = |name: &str| -> Vec<Vec<f32>> { serde_json::from_value(file[name].clone()).unwrap() };
    let columns = ["anchor", "positive", "negative_1"];
    let all: Vec<f32> = columns.iter().flat_map(|column| rows(column).concat()).collect();
    let layout = Layout {
        anchors: (0..6).collect(),
        positives: (6..12).collect(),
        negatives: (12..18).zip(0..6).collect(),
        hidden: vec![false; 6 * 12],
        weights: vec![1.0; 6],
    };
    let (loss, found) = loss_and_gradient(&all, 32, &layout).unwrap();
    close(loss.into(), file["loss"].as_f64().unwrap(), 1e-5, "loss");
    let golden: Vec<f32> =
        columns.iter().flat_map(|column| rows(&format!("grad_{column}")).concat()).collect();
    for (found, golden) in found.iter().zip(&golden) {
        assert!((found - golden).abs() < 1e-5, "{found}, not {golden}");
    }
}
