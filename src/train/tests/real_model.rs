use super::*;
use crate::encoder::test_model::real_model;

#[test]
fn losses_of_the_real_model_are_the_references() {
    if let Some(folder) = real_model() {
        check_losses(&folder, "real", 1e-4);
    }
}

#[test]
fn gradients_of_the_real_model_are_the_references() {
    if let Some(folder) = real_model() {
        check_gradients(Device::Cpu, &folder, "real", 1e-4, 1e-4);
    }
}

/// After the second step the loss is below a thousandth, where rounding is visible. The tiny model is compared with
/// torch exactly.
#[test]
fn five_steps_of_the_real_model_are_torchs() {
    if let Some(folder) = real_model() {
        check_adamw(Device::Cpu, &folder, "real", 1e-2, 0.2);
    }
}
