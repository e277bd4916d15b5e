//! AdamW on a device.

use candle_core::Var;
use candle_core::backprop::GradStore;
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use super::failed;
use crate::error::Result;

/// candle_nn's AdamW over two groups of variables: with and without weight decay. The moments stay on the device, as
/// the variables do. candle_nn does not expose them, so they can't be written to a checkpoint.
pub(crate) struct DeviceAdamW {
    groups: [AdamW; 2],
}

impl DeviceAdamW {
    /// Uses torch's default betas and epsilon.
    pub(super) fn new(decaying: Vec<Var>, others: Vec<Var>, weight_decay: f64) -> Result<DeviceAdamW> {
        let group = |variables, weight_decay| {
            AdamW::new(variables, ParamsAdamW { weight_decay, ..ParamsAdamW::default() })
                .map_err(failed("make room for the optimiser"))
        };
        Ok(DeviceAdamW { groups: [group(decaying, weight_decay)?, group(others, 0.0)?] })
    }

    /// One step with gradients that are clipped already.
    pub(super) fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> candle_core::Result<()> {
        self.groups.iter_mut().try_for_each(|group| {
            group.set_learning_rate(learning_rate);
            group.step(gradients)
        })
    }
}
