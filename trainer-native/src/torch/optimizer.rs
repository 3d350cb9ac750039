//! What moves the parameters: AdamW (Loshchilov and Hutter, 2019), gradients and their clipping, and the average of the weights that is
//! saved in their place. All that they remember are named tensors, so that a checkpoint can hold it.

use super::custom::{FusedStep, Shared, fused_adamw, lerp, norms, parallel, scale, values, values_mut};
use super::kernels::{self, AdamUpdate};
use super::schedule::AverageSchedule;
use radiodiff_core::model::Compat;
use tch::{Device, Kind, Tensor};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Values that a thread takes at a time.
const PART: usize = 1 << 15;

struct Moments {
    name: String,
    parameter: Tensor,
    first: Tensor,
    second: Tensor,
    decayed: bool,
}

/// AdamW over a list of parameters.
pub struct AdamW {
    moments: Vec<Moments>,
    weight_decay: f64,
    /// Steps taken, int64 on the host.
    step: Tensor,
}

/// A count that is saved with the tensors.
fn counter() -> Tensor {
    Tensor::zeros([] as [i64; 0], (Kind::Int64, tch::Device::Cpu))
}

fn count_up(counter: &mut Tensor) -> i32 {
    let count = counter.int64_value(&[]) + 1;
    let _ = counter.fill_(count);
    count as i32
}

impl AdamW {
    /// Norms' scales and all biases are not decayed; [`Compat::Upstream`] decays them too.
    pub fn new(parameters: &[(String, Tensor)], weight_decay: f64, compat: Compat) -> Self {
        let moments = parameters.iter().map(|(name, parameter)| Moments {
            name: name.clone(),
            parameter: parameter.shallow_clone(),
            first: parameter.zeros_like().detach(),
            second: parameter.zeros_like().detach(),
            decayed: parameter.dim() > 1 || compat == Compat::Upstream,
        });
        Self { moments: moments.collect(), weight_decay, step: counter() }
    }

    /// The count of steps and both moments of each parameter; restoring them in place goes on where they were saved.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let of =
            |m: &Moments| [("first", &m.first), ("second", &m.second)].map(|(kind, t)| (format!("{kind}.{}", m.name), t.shallow_clone()));
        self.moments.iter().flat_map(of).chain([("step".to_owned(), self.step.shallow_clone())]).collect()
    }

    /// Steps taken.
    pub fn steps(&self) -> i64 {
        self.step.int64_value(&[])
    }

    /// One step along the parameters' gradients; a parameter without one stays.
    pub fn step(&mut self, learning_rate: f64, gradients: &Gradients) {
        let step = count_up(&mut self.step);
        if self.moments.iter().all(|m| m.parameter.device().is_cuda()) {
            return self.fused_step(step, learning_rate, gradients);
        }
        let correction1 = 1.0 - BETA1.powi(step);
        let correction2 = (1.0 - BETA2.powi(step)).sqrt();
        let update = AdamUpdate {
            first_share: (1.0 - BETA1) as f32,
            second_kept: BETA2 as f32,
            second_scale: (1.0 - BETA2) as f32,
            deviation_scale: (1.0 / correction2) as f32,
            epsilon: EPSILON as f32,
            length: (-learning_rate / correction1) as f32,
            kept: 1.0,
        };
        let _guard = tch::no_grad_guard();
        for (m, gradient) in self.moments.iter_mut().zip(&gradients.tensors).filter(|(_, gradient)| gradient.defined()) {
            let kept = if m.decayed { 1.0 - learning_rate * self.weight_decay } else { 1.0 };
            m.step(gradient, &AdamUpdate { kept: kept as f32, ..update });
        }
    }

    /// The same by libtorch's kernels over lists. Their second moment has the factor 1 - beta2 that ours leaves out, and a gradient s
    /// times as long, with s^2 (1 - beta2) = 1, makes both the same. The first moment is s times as long meanwhile, and epsilon too.
    fn fused_step(&self, step: i32, learning_rate: f64, gradients: &Gradients) {
        let longer = (1.0 - BETA2).sqrt().recip();
        let moved: Vec<(&Moments, &Tensor)> =
            self.moments.iter().zip(&gradients.tensors).filter(|(_, gradient)| gradient.defined()).collect();
        let Some((any, _)) = moved.first() else { return };
        let first: Vec<&Tensor> = moved.iter().map(|(m, _)| &m.first).collect();
        let number = |value: f64| Tensor::full([] as [i64; 0], value, (Kind::Float, any.parameter.device()));
        scale(&first, longer);
        for decayed in [true, false] {
            let moved: Vec<&(&Moments, &Tensor)> = moved.iter().filter(|(m, _)| m.decayed == decayed).collect();
            if moved.is_empty() {
                continue;
            }
            let list = |of: fn(&Moments) -> &Tensor| moved.iter().map(|(m, _)| of(m)).collect::<Vec<_>>();
            let gradients_of_list: Vec<&Tensor> = moved.iter().map(|(_, gradient)| *gradient).collect();
            let settings = FusedStep {
                step: number(f64::from(step)),
                gradient_divisor: number(1.0 / (longer * gradients.factor)),
                rate: learning_rate,
                betas: [BETA1, BETA2],
                weight_decay: if decayed { self.weight_decay } else { 0.0 },
                epsilon: EPSILON * longer,
            };
            fused_adamw([&list(|m| &m.parameter), &gradients_of_list, &list(|m| &m.first), &list(|m| &m.second)], &settings);
        }
        scale(&first, 1.0 / longer);
    }
}

impl Moments {
    /// On the CPU one pass over the values, elsewhere by libtorch's operations.
    fn step(&mut self, gradient: &Tensor, update: &AdamUpdate) {
        let is_plain = |t: &Tensor| (t.device(), t.kind(), t.is_contiguous()) == (Device::Cpu, Kind::Float, true);
        if [&self.parameter, &self.first, &self.second, gradient].into_iter().all(is_plain) {
            let gradient = values(gradient);
            let tensors = [&mut self.parameter, &mut self.first, &mut self.second].map(|tensor| Shared::new(values_mut(tensor)));
            return parallel(gradient.len().div_ceil(PART), |parts| {
                let range = parts.start * PART..(parts.end * PART).min(gradient.len());
                // SAFETY: the parts of the threads are disjoint.
                let [parameter, first, second] = tensors.each_ref().map(|tensor| unsafe { tensor.part(range.clone()) });
                kernels::adam(update, &gradient[range], parameter, first, second);
            });
        }
        let scale = |factor: f32| f64::from(factor);
        let _ = self.parameter.g_mul_scalar_(scale(update.kept));
        let _ = self.first.lerp_(gradient, scale(update.first_share));
        let _ = self.second.g_mul_scalar_(scale(update.second_kept)).addcmul_(gradient, gradient);
        let deviation = (&self.second * scale(update.second_scale)).sqrt() * scale(update.deviation_scale) + scale(update.epsilon);
        let _ = self.parameter.addcdiv_(&(&self.first * scale(update.length)), &deviation);
    }
}

/// The gradients of a step, one a parameter in the parameters' order; undefined where the loss does not depend on the parameter.
///
/// They are not kept in the parameters, where those of one step would show in the next: whether a parameter that this loss does not
/// use ever had a gradient would decide if it decays.
pub struct Gradients {
    tensors: Vec<Tensor>,
    /// What clipping has left to the optimiser to multiply them by; on the CPU it has none.
    factor: f64,
}

impl Gradients {
    /// Of a loss of one element.
    pub fn of(loss: &Tensor, parameters: &[(String, Tensor)]) -> Self {
        let parameters: Vec<&Tensor> = parameters.iter().map(|(_, parameter)| parameter).collect();
        let gradients = Tensor::run_backward(&[loss], &parameters, false, false).into_iter();
        // Laid out as the parameters are, which the optimiser reads them with. A GPU's operations over lists want the strides of dimensions
        // of one element equal too.
        let laid_out = |(gradient, parameter): (Tensor, &Tensor)| match gradient.defined() {
            true if gradient.device().is_cuda() && gradient.stride() != parameter.stride() => {
                gradient.contiguous().reshape([-1]).reshape(parameter.size())
            }
            true => gradient.contiguous(),
            false => gradient,
        };
        let tensors = gradients.zip(parameters).map(laid_out).collect();
        Self { tensors, factor: 1.0 }
    }

    /// The same tensors once more.
    pub fn shallow_clone(&self) -> Self {
        Self { tensors: self.tensors.iter().map(Tensor::shallow_clone).collect(), factor: self.factor }
    }

    /// Copies of them.
    pub fn copied(&self) -> Self {
        let copied = |gradient: &Tensor| if gradient.defined() { gradient.copy() } else { Tensor::new() };
        Self { tensors: self.tensors.iter().map(copied).collect(), factor: self.factor }
    }

    /// One a parameter, as they are before clipping.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Gives every parameter a gradient, zeros where it has none; for each whether it had one.
    pub fn complete(&mut self, parameters: &[(String, Tensor)]) -> Vec<bool> {
        let complete = |(gradient, (_, parameter)): (&mut Tensor, &(String, Tensor))| {
            let had = gradient.defined();
            if !had {
                *gradient = parameter.zeros_like();
            }
            had
        };
        self.tensors.iter_mut().zip(parameters).map(complete).collect()
    }

    /// Takes the gradients away from the parameters that `keep` says false of.
    pub fn retain(&mut self, keep: &[bool]) {
        for (gradient, _) in self.tensors.iter_mut().zip(keep).filter(|(_, keep)| !**keep) {
            *gradient = Tensor::new();
        }
    }

    /// Adds those of another batch.
    pub fn add(&mut self, other: Self) {
        for (sum, more) in self.tensors.iter_mut().zip(other.tensors).filter(|(_, more)| more.defined()) {
            if sum.defined() { drop(sum.g_add_(&more)) } else { *sum = more }
        }
    }

    /// Scales all of them down so that their joint norm is at most `limit`; returns the norm before.
    pub fn clip(&mut self, limit: f64) -> f64 {
        let norm = self.norm().double_value(&[]);
        self.limit(norm, limit);
        norm
    }

    /// Their joint norm, one element.
    pub fn norm(&self) -> Tensor {
        let _guard = tch::no_grad_guard();
        let defined: Vec<&Tensor> = self.tensors.iter().filter(|gradient| gradient.defined()).collect();
        let Some(any) = defined.first() else { return Tensor::zeros([] as [i64; 0], (Kind::Float, Device::Cpu)) };
        let each = if any.device().is_cuda() { norms(&defined) } else { defined.into_iter().map(Tensor::norm).collect() };
        Tensor::stack(&each, 0).norm()
    }

    /// As [`Self::clip`], where their joint norm is known.
    pub fn limit(&mut self, norm: f64, limit: f64) {
        if norm <= limit || norm.is_nan() {
            return;
        }
        let _guard = tch::no_grad_guard();
        for gradient in self.tensors.iter_mut().filter(|gradient| gradient.defined()) {
            if gradient.device().is_cuda() {
                self.factor = limit / norm;
            } else {
                let _ = gradient.g_mul_scalar_(limit / norm);
            }
        }
    }
}

/// Exponential moving average of parameters.
pub struct Average {
    schedule: AverageSchedule,
    pairs: Vec<AveragePair>,
    /// Optimiser's steps seen, int64 on the host.
    steps: Tensor,
}

struct AveragePair {
    name: String,
    parameter: Tensor,
    average: Tensor,
}

impl Average {
    pub fn new(parameters: &[(String, Tensor)], schedule: AverageSchedule) -> Self {
        let pair =
            |(name, p): &(String, Tensor)| AveragePair { name: name.clone(), parameter: p.shallow_clone(), average: p.detach().copy() };
        Self { schedule, pairs: parameters.iter().map(pair).collect(), steps: counter() }
    }

    /// The count of steps and each average; restoring them in place goes on where they were saved.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let averages = self.pairs.iter().map(|pair| (format!("average.{}", pair.name), pair.average.shallow_clone()));
        averages.chain([("steps".to_owned(), self.steps.shallow_clone())]).collect()
    }

    /// Takes the parameters in after a step of the optimiser.
    pub fn update(&mut self) {
        let Some(decay) = self.schedule.decay_at(count_up(&mut self.steps) as usize) else { return };
        if self.pairs.iter().all(|pair| pair.average.device().is_cuda()) {
            let (averages, parameters): (Vec<&Tensor>, Vec<&Tensor>) =
                self.pairs.iter().map(|pair| (&pair.average, &pair.parameter)).unzip();
            return lerp(&averages, &parameters, 1.0 - decay);
        }
        let _guard = tch::no_grad_guard();
        for pair in &mut self.pairs {
            let _ = pair.average.lerp_(&pair.parameter, 1.0 - decay);
        }
    }

    /// Exchanges parameters and averages without copying either: the networks compute with the averages until the next call. No
    /// step of the optimiser may come between.
    pub fn swap(&mut self) {
        let _guard = tch::no_grad_guard();
        for pair in &mut self.pairs {
            let parameter = pair.parameter.detach();
            pair.parameter.set_data(&pair.average);
            pair.average = parameter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device::Cpu;

    fn numbers(seed: i64, shape: &[i64]) -> Tensor {
        tch::manual_seed(seed);
        Tensor::randn(shape, (Kind::Float, Cpu))
    }

    fn parameters() -> Vec<(String, Tensor)> {
        let shapes: [&[i64]; 3] = [&[4, 3, 3, 3], &[4], &[5, 4]];
        shapes.iter().enumerate().map(|(i, shape)| (format!("p{i}"), numbers(i as i64, shape))).collect()
    }

    /// libtorch has the kernels over lists for the CPU too.
    #[test]
    fn the_step_over_lists_is_the_plain_one() {
        let [plain, fused] = [parameters(), parameters()];
        let [mut of_plain, of_fused] = [&plain, &fused].map(|parameters| AdamW::new(parameters, 0.1, Compat::Corrected));
        for step in 1..=5 {
            let gradient = |i: usize| if i == 2 && step == 3 { Tensor::new() } else { numbers(100 * step + i as i64, &plain[i].1.size()) };
            let mut gradients = Gradients { tensors: (0..plain.len()).map(gradient).collect(), factor: 1.0 };
            // The lists' step multiplies by the factor of clipping itself.
            let norm = gradients.norm().double_value(&[]);
            let clipped = Gradients { factor: 0.5 / norm, ..gradients.copied() };
            assert_eq!(gradients.clip(0.5), norm);
            of_plain.step(0.01, &gradients);
            of_fused.fused_step(step as i32, 0.01, &clipped);
        }
        let tensors = |parameters: &[(String, Tensor)], optimizer: &AdamW| {
            let state = optimizer.state().into_iter().filter(|(name, _)| name != "step");
            parameters.iter().map(|(_, p)| p.shallow_clone()).chain(state.map(|(_, tensor)| tensor)).collect::<Vec<_>>()
        };
        for (a, b) in tensors(&plain, &of_plain).iter().zip(tensors(&fused, &of_fused)) {
            let (difference, size) = ((a - &b).abs().max().double_value(&[]), a.abs().max().double_value(&[]));
            assert!(difference <= 2e-6 * size, "{difference:e} of {size:e}");
        }
    }

    #[test]
    fn norms_and_averages_over_lists_are_the_plain_ones() {
        let parameters = parameters();
        let tensors: Vec<&Tensor> = parameters.iter().map(|(_, tensor)| tensor).collect();
        for (found, tensor) in norms(&tensors).iter().zip(&tensors) {
            assert!((found / tensor.norm() - 1.0).abs().double_value(&[]) < 1e-6);
        }
        let averages: Vec<Tensor> = tensors.iter().map(|tensor| tensor.zeros_like()).collect();
        lerp(&averages.iter().collect::<Vec<_>>(), &tensors, 0.25);
        for (average, tensor) in averages.iter().zip(&tensors) {
            assert!((average - *tensor * 0.25).abs().max().double_value(&[]) < 1e-7);
        }
    }
}
