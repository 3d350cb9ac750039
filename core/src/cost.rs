//! The parameters and the cost of a preset's networks, counted without computing or allocating anything.

use crate::diffusion::{BuildError, RadioDiff};
use crate::engine::CountingEngine;
use crate::model::Preset;
use crate::model::quantiles::{QuantileNet, QuantilesError};
use crate::parameters::{ParameterRecorder, VarBuilder};

/// The number of a preset's parameters, and the cost of drawing one map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelCost {
    /// Parameters of the first stage, as PyTorch counts them: without running statistics.
    pub first_stage: usize,
    /// Parameters of the denoiser, counted alike.
    pub denoiser: usize,
    /// Multiply-accumulates of the first stage's encoder.
    pub encoder: u64,
    /// Multiply-accumulates of its decoder.
    pub decoder: u64,
    /// Multiply-accumulates of the condition encoder and the projections of its stages.
    pub condition: u64,
    /// Multiply-accumulates of one evaluation of the U-Net with both decoders.
    pub unet: u64,
    /// Multiply-accumulates of the one-step sampler's only evaluation: at t = 1 one decoder suffices.
    pub one_step: u64,
    /// Elements of the largest tensor.
    pub largest_tensor: usize,
}

impl ModelCost {
    /// Runs the networks of a preset on the counting engine.
    ///
    /// # Errors
    /// A preset that cannot work.
    pub fn estimate(preset: &Preset) -> Result<Self, BuildError> {
        let (engine, recorder) = (CountingEngine::default(), ParameterRecorder::default());
        let model = RadioDiff::new(preset, &VarBuilder::new(&engine, &recorder))?;
        let asked = recorder.take();
        let parameters = |prefix: &str| {
            let own = asked.iter().filter(|(name, _)| name.starts_with(prefix) && !name.contains(".running_"));
            own.map(|(_, spec)| spec.shape.iter().product::<usize>()).sum()
        };
        let mut largest_tensor = 0;
        let mut spent = || {
            let cost = engine.take();
            largest_tensor = largest_tensor.max(cost.largest_tensor);
            cost.macs
        };
        spent();
        let (side, latent) = (preset.map_size, model.latent_shape(1).to_vec());
        model.first_stage.moments(&engine, &vec![1, 1, side, side]);
        let encoder = spent();
        let condition = vec![1, preset.condition.channels.len(), side, side];
        model.first_stage.decode(&engine, &latent, Some(&condition));
        let decoder = spent();
        let encoded = model.denoiser.encode_condition(&engine, &condition);
        let condition = spent();
        let [unet, one_step] = [0.5, 1.0].map(|t| {
            model.denoiser.predict(&engine, &latent, &[t], &encoded);
            spent()
        });
        Ok(Self {
            first_stage: parameters("first_stage_model."),
            denoiser: parameters("model."),
            encoder,
            decoder,
            condition,
            unet,
            one_step,
            largest_tensor,
        })
    }

    /// Multiply-accumulates of a map in one step: condition, the evaluation at t = 1 and decoding.
    pub fn map_in_one_step(&self) -> u64 {
        self.condition + self.one_step + self.decoder
    }
}

/// The parameters of a preset's network of quantiles, and the cost of the maps it draws in its only evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantilesCost {
    pub parameters: usize,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Elements of the largest tensor.
    pub largest_tensor: usize,
}

impl QuantilesCost {
    /// Runs the network of a preset on the counting engine.
    ///
    /// # Errors
    /// A preset that cannot work or has no such network.
    pub fn estimate(preset: &Preset) -> Result<Self, QuantilesError> {
        let (engine, recorder) = (CountingEngine::default(), ParameterRecorder::default());
        let model = QuantileNet::new(preset, &VarBuilder::new(&engine, &recorder))?;
        let parameters = recorder.take_shapes().values().map(|shape| shape.iter().product::<usize>()).sum();
        model.gray(&engine, &vec![1, preset.condition.channels.len(), preset.map_size, preset.map_size]);
        let cost = engine.take();
        Ok(Self { parameters, macs: cost.macs, largest_tensor: cost.largest_tensor })
    }
}
