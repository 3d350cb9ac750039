//! What moves the parameters: AdamW (Loshchilov and Hutter, 2019), a learning-rate schedule, gradient clipping, and the average
//! of the weights that is saved in their place.

use radiodiff_core::model::Compat;
use tch::Tensor;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

struct Moments {
    parameter: Tensor,
    first: Tensor,
    second: Tensor,
    decayed: bool,
}

/// AdamW over a list of parameters.
pub struct AdamW {
    moments: Vec<Moments>,
    weight_decay: f64,
    step: i32,
}

impl AdamW {
    /// Norms' scales and all biases are not decayed; [`Compat::Upstream`] decays them too.
    pub fn new(parameters: &[(String, Tensor)], weight_decay: f64, compat: Compat) -> Self {
        let moments = parameters.iter().map(|(_, parameter)| Moments {
            parameter: parameter.shallow_clone(),
            first: parameter.zeros_like().detach(),
            second: parameter.zeros_like().detach(),
            decayed: parameter.dim() > 1 || compat == Compat::Upstream,
        });
        Self { moments: moments.collect(), weight_decay, step: 0 }
    }

    pub fn zero_gradients(&mut self) {
        for moments in &mut self.moments {
            moments.parameter.zero_grad();
        }
    }

    /// One step along the gradients of the last backward pass; a parameter without one stays.
    pub fn step(&mut self, learning_rate: f64) {
        self.step += 1;
        let correction1 = 1.0 - BETA1.powi(self.step);
        let correction2 = (1.0 - BETA2.powi(self.step)).sqrt();
        let _guard = tch::no_grad_guard();
        for m in &mut self.moments {
            let gradient = m.parameter.grad();
            if !gradient.defined() {
                continue;
            }
            if m.decayed {
                let _ = m.parameter.g_mul_scalar_(1.0 - learning_rate * self.weight_decay);
            }
            let _ = m.first.lerp_(&gradient, 1.0 - BETA1);
            let _ = m.second.g_mul_scalar_(BETA2).addcmul_(&gradient, &gradient);
            // addcmul_ has weight 1, so the second moment here is 1 / (1 - beta2) times Adam's.
            let deviation = (&m.second * (1.0 - BETA2)).sqrt() / correction2 + EPSILON;
            let _ = m.parameter.addcdiv_(&(&m.first * (-learning_rate / correction1)), &deviation);
        }
    }
}

/// Scales all gradients down so that their joint norm is at most `limit`; returns the norm before.
pub fn clip_gradients(parameters: &[(String, Tensor)], limit: f64) -> f64 {
    let _guard = tch::no_grad_guard();
    let gradients: Vec<Tensor> = parameters.iter().map(|(_, p)| p.grad()).filter(Tensor::defined).collect();
    if gradients.is_empty() {
        return 0.0;
    }
    let norms: Vec<Tensor> = gradients.iter().map(Tensor::norm).collect();
    let norm = Tensor::stack(&norms, 0).norm().double_value(&[]);
    if norm > limit {
        for mut gradient in gradients {
            let _ = gradient.g_mul_scalar_(limit / norm);
        }
    }
    norm
}

/// Learning rate by step: polynomial decay, as RadioDiff's.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// At the beginning.
    pub base: f64,
    /// Below this it does not fall. The public code takes the maximum of this and of the share of `base` that is left, not of
    /// the rate, so that its rate falls to about nothing.
    pub least: f64,
    pub power: f64,
    pub steps: usize,
    /// Upstream has the floor described above and no warm-up.
    pub compat: Compat,
}

impl Schedule {
    pub fn rate(&self, step: usize) -> f64 {
        const WARMUP: usize = 50;
        let left = (1.0 - step as f64 / self.steps.max(1) as f64).max(0.0).powf(self.power);
        match self.compat {
            Compat::Corrected => (self.base * left).max(self.least) * ((step + 1) as f64 / WARMUP as f64).min(1.0),
            Compat::Upstream => self.base * left.max(self.least),
        }
    }
}

/// Exponential moving average of parameters.
pub struct Average {
    /// A parameter and its average.
    pairs: Vec<(Tensor, Tensor)>,
    updates: i32,
}

impl Average {
    /// Longest memory: 1 / (1 - decay) updates.
    const DECAY: f64 = 0.995;

    pub fn new(parameters: &[(String, Tensor)]) -> Self {
        let pairs = parameters.iter().map(|(_, p)| (p.shallow_clone(), p.detach().copy()));
        Self { pairs: pairs.collect(), updates: 0 }
    }

    pub fn update(&mut self) {
        self.updates += 1;
        let decay = Self::DECAY.min(f64::from(1 + self.updates) / f64::from(10 + self.updates));
        let _guard = tch::no_grad_guard();
        for (parameter, average) in &mut self.pairs {
            let _ = average.lerp_(parameter, 1.0 - decay);
        }
    }

    /// Writes the averages into the parameters.
    pub fn apply(&mut self) {
        let _guard = tch::no_grad_guard();
        for (parameter, average) in &mut self.pairs {
            parameter.copy_(average);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_a_rate_and_upstream_a_share() {
        let corrected = Schedule { base: 1e-3, least: 1e-5, power: 0.95, steps: 1000, compat: Compat::Corrected };
        let upstream = Schedule { compat: Compat::Upstream, ..corrected };
        assert_eq!((corrected.rate(0), upstream.rate(0)), (2e-5, 1e-3), "one warms up");
        assert_eq!((corrected.rate(1000), upstream.rate(1000)), (1e-5, 1e-8));
        let halfway = 1e-3 * 0.5f64.powf(0.95);
        assert!([corrected, upstream].iter().all(|schedule| (schedule.rate(500) - halfway).abs() < 1e-12));
    }
}
