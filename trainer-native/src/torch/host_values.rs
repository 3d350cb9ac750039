//! The values that a step takes from the host while it computes: constants such as position codes, and functions of the samples' times.
//!
//! A step that is recorded and replayed cannot take them from the host again. [`HostValues`] keeps a tensor for each, in the order in which
//! the step asks for them. Later steps are given the same tensors; before each, [`HostValues::set_times`] computes those that depend on
//! times anew and sends all of them to the device in one copy.

use super::custom::{copy, staging, values_mut};
use tch::{Device, Kind, Tensor};

/// Values of functions of times that one step may take, per sample; RadioDiff's loss takes nine.
const MOST_FUNCTIONS: usize = 64;

type OfTime = Box<dyn Fn(f32) -> f32>;

struct Entry {
    tensor: Tensor,
    /// What the tensor held when it was asked for first.
    values: Vec<f32>,
    /// Its place among the functions of times.
    of_time: Option<(usize, OfTime)>,
}

/// See the module.
pub struct HostValues {
    device: Device,
    samples: usize,
    entries: Vec<Entry>,
    next: usize,
    functions: usize,
    /// Values of all functions, (functions, samples), on the device and in page-locked memory.
    of_times: [Tensor; 2],
    difference: Option<String>,
}

impl HostValues {
    /// Of steps of so many samples.
    pub fn new(device: Device, samples: usize) -> Self {
        let shape = [MOST_FUNCTIONS as i64, samples.max(1) as i64];
        let of_times = [Tensor::zeros(shape, (Kind::Float, device)), staging(device, &shape, Kind::Float)];
        Self { device, samples, entries: Vec::new(), next: 0, functions: 0, of_times, difference: None }
    }

    /// Begins a step at these times: functions of them that earlier steps asked for are computed. The device must have taken the values
    /// of the step before, which it has when something was read from that step.
    pub fn set_times(&mut self, times: &[f32]) {
        self.next = 0;
        if self.functions == 0 || times.len() != self.samples {
            return;
        }
        let (functions, samples) = (self.functions, self.samples);
        let host = values_mut(&mut self.of_times[1]);
        for (place, f) in self.entries.iter().filter_map(|entry| entry.of_time.as_ref()) {
            for (value, &t) in host[place * samples..][..samples].iter_mut().zip(times) {
                *value = f(t);
            }
        }
        let [device, host] = self.of_times.each_ref().map(|values| values.narrow(0, 0, functions as i64));
        tch::no_grad(|| copy(&[&device], &[&host]));
    }

    /// The tensor of the next constant of the step.
    pub fn constant(&mut self, values: &[f32], shape: &[i64]) -> Tensor {
        if let Some(tensor) = self.known(shape, |entry| entry.of_time.is_none() && entry.values == values) {
            return tensor;
        }
        let tensor = Tensor::from_slice(values).reshape(shape).to_device(self.device);
        self.keep(tensor, values.to_vec(), None)
    }

    /// The tensor of the next function of the step's times, with its values.
    pub fn of_times(&mut self, values: Vec<f32>, shape: &[i64], f: impl Fn(f32) -> f32 + 'static) -> Tensor {
        if let Some(tensor) = self.known(shape, |entry| entry.of_time.is_some()) {
            return tensor;
        }
        let place = self.functions;
        if place == MOST_FUNCTIONS || values.len() != self.samples {
            self.difference = Some(format!("a step of {} samples takes {} values of times", self.samples, values.len()));
            return Tensor::from_slice(&values).reshape(shape).to_device(self.device);
        }
        self.functions += 1;
        let row = self.of_times[0].get(place as i64);
        row.shallow_clone().copy_(&Tensor::from_slice(&values));
        // libtorch counts the changes of a tensor and refuses a backward pass through one that was changed since. Views count together,
        // and the next function changes its own row only: what is handed out counts for itself.
        let row = row.reshape(shape);
        let mut handed_out = row.zeros_like();
        handed_out.set_data(&row);
        self.keep(handed_out, values, Some((place, Box::new(f))))
    }

    /// Why the steps so far are not the same operations, where they are not.
    pub fn difference(&self) -> Option<&str> {
        self.difference.as_deref()
    }

    fn known(&mut self, shape: &[i64], same: impl Fn(&Entry) -> bool) -> Option<Tensor> {
        let entry = self.entries.get(self.next)?;
        self.next += 1;
        if entry.tensor.size() != shape || !same(entry) {
            self.difference = Some(format!("the value number {} of a step is another than before", self.next));
        }
        Some(entry.tensor.shallow_clone())
    }

    fn keep(&mut self, tensor: Tensor, values: Vec<f32>, of_time: Option<(usize, OfTime)>) -> Tensor {
        self.entries.push(Entry { tensor: tensor.shallow_clone(), values, of_time });
        self.next += 1;
        tensor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(&tensor.view(-1)).expect("float32")
    }

    #[test]
    fn later_steps_are_given_the_first_steps_tensors_with_values_of_their_times() {
        let mut values = HostValues::new(Device::Cpu, 2);
        let mut step = |times: [f32; 2]| {
            values.set_times(&times);
            let square = values.of_times(times.map(|t| t * t).to_vec(), &[2, 1], |t| t * t);
            let code = values.constant(&[1.0, 2.0, 3.0], &[3]);
            (square, code, values.of_times(times.map(|t| -t).to_vec(), &[2], |t| -t))
        };
        let first = step([0.5, 1.0]);
        assert_eq!([&first.0, &first.1, &first.2].map(read), [vec![0.25, 1.0], vec![1.0, 2.0, 3.0], vec![-0.5, -1.0]]);
        let second = step([0.25, 0.5]);
        assert_eq!([&first.0, &first.1, &first.2].map(read), [vec![0.0625, 0.25], vec![1.0, 2.0, 3.0], vec![-0.25, -0.5]]);
        assert_eq!([&second.0, &second.2].map(Tensor::data_ptr), [&first.0, &first.2].map(Tensor::data_ptr), "the same memory");
        assert_eq!(values.difference(), None);
    }

    #[test]
    fn a_backward_pass_goes_through_several_functions_of_times() {
        let mut values = HostValues::new(Device::Cpu, 2);
        for times in [[0.5, 1.0], [0.25, 0.5]] {
            let x = Tensor::ones([2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
            values.set_times(&times);
            let product = (0..3).fold(x.shallow_clone(), |y, _| y * values.of_times(times.to_vec(), &[2], |t| t));
            product.sum(Kind::Float).backward();
            assert_eq!(read(&x.grad()), times.map(|t| t * t * t));
        }
    }

    #[test]
    fn a_step_that_asks_for_something_else_is_told() {
        let mut values = HostValues::new(Device::Cpu, 1);
        values.set_times(&[0.5]);
        let _ = values.constant(&[1.0], &[1]);
        values.set_times(&[0.5]);
        let _ = values.constant(&[2.0], &[1]);
        assert!(values.difference().is_some_and(|text| text.contains("number 1")), "{:?}", values.difference());
    }
}
