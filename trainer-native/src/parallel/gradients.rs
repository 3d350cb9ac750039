//! Averaging gradients, where a parameter may have one in some processes and none in others.

use super::group::ProcessGroup;
use crate::torch::Gradients;
use anyhow::Result;
use tch::Tensor;

impl ProcessGroup {
    /// Overwrites the gradients of a loss by their means over the processes, in one go with `numbers`, whose means it returns. A parameter
    /// that a process's part of the batch does not depend on has gradient 0 there. One that no process's part depends on has none.
    ///
    /// # Errors
    /// As [`Self::average`].
    pub fn average_gradients<const N: usize>(
        &self,
        gradients: &mut Gradients,
        parameters: &[(String, Tensor)],
        numbers: [f64; N],
    ) -> Result<[f64; N]> {
        if self.share().is_alone() {
            return Ok(numbers);
        }
        let had: Vec<f32> = gradients.complete(parameters).into_iter().map(|had| f32::from(u8::from(had))).collect();
        let had = Tensor::from_slice(&had);
        let tensors: Vec<Tensor> = gradients.tensors().iter().map(Tensor::shallow_clone).chain([had.shallow_clone()]).collect();
        let numbers = self.average(&tensors, numbers)?;
        let shares = Vec::<f32>::try_from(&had)?;
        gradients.retain(&shares.iter().map(|share| *share > 0.0).collect::<Vec<_>>());
        Ok(numbers)
    }
}
