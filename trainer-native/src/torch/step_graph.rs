//! Steps that are the same operations each time, recorded once on a GPU and replayed.
//!
//! A small network's step is thousands of small kernels, and a GPU runs them faster than a processor sends them. A CUDA graph sends all of
//! them in one call. In flow a step's [`StepInputs`] and the function that computes the step; out flows its result. The first steps with
//! inputs of some shapes are computed as usual, the next one is recorded, and from there on the record is replayed on the new inputs. On
//! the CPU, and where libtorch refuses to record, every step is computed as usual.
//!
//! The function must do the same for all inputs of the same shapes, take everything that changes from its inputs, and read nothing
//! back. Random masks are fresh at every replay, and running statistics move.

use super::custom::{RecordedGraph, SideStream, copy};
use super::engine::TorchEngine;
use super::host_values::HostValues;
use anyhow::{Result, anyhow};
use std::cell::RefCell;
use std::rc::Rc;
use tch::Tensor;

/// Steps that are computed before one is recorded. In them cuDNN chooses its algorithms and libraries take their memory.
const WARM_UP: usize = 3;
/// Kinds of inputs that are recorded; each keeps the memory of a step.
const MOST_KINDS: usize = 8;

/// What a step is computed from.
pub struct StepInputs {
    /// On the device.
    pub tensors: Vec<Tensor>,
    /// The samples' times, for a denoiser's step.
    pub times: Vec<f32>,
}

impl StepInputs {
    /// The tensors, of which the caller knows the number.
    ///
    /// # Panics
    /// When it is another number.
    pub fn parts<const N: usize>(&self) -> [&Tensor; N] {
        assert_eq!(self.tensors.len(), N, "the number of a step's inputs");
        std::array::from_fn(|i| &self.tensors[i])
    }

    /// What decides which operations a step is. A denoiser leaves its second decoder out where all times are 1.
    fn kind(&self) -> (Vec<Vec<i64>>, usize, bool) {
        let sizes = self.tensors.iter().map(Tensor::size).collect();
        (sizes, self.times.len(), self.times.iter().any(|&t| t < 1.0))
    }

    fn copied(&self) -> Self {
        Self { tensors: self.tensors.iter().map(Tensor::copy).collect(), times: self.times.clone() }
    }
}

/// Steps with inputs of one kind.
struct StepVariant<T> {
    /// What the recorded operations read.
    inputs: StepInputs,
    host_values: Rc<RefCell<HostValues>>,
    warmed_up: usize,
    /// The result lies where the recorded operations write it.
    recorded: Option<(Rc<T>, RecordedGraph)>,
}

/// See the module; `T` is a step's result.
pub struct StepGraphs<T> {
    stream: Option<SideStream>,
    kinds: Vec<StepVariant<T>>,
}

impl<T> StepGraphs<T> {
    /// Records steps of the engine where it computes on a GPU and that is `wanted`.
    pub fn new(e: &TorchEngine, wanted: bool) -> Self {
        let stream = (wanted && e.device().is_cuda()).then(|| SideStream::new(e.device()));
        let stream = stream.transpose().unwrap_or_else(|reason| {
            warn(&reason);
            None
        });
        Self { stream, kinds: Vec::new() }
    }

    /// Whether steps are recorded, or shall be.
    pub fn records(&self) -> bool {
        self.stream.is_some()
    }

    /// A step's result. That of a replay is overwritten by the next. The caller reads something of it before the next step, so that the
    /// device has taken this step's times from the memory that the next writes its own to.
    ///
    /// # Errors
    /// Those of `compute`; a GPU that fails.
    pub fn step(&mut self, e: &TorchEngine, inputs: &StepInputs, compute: impl Fn(&StepInputs) -> Result<T>) -> Result<Rc<T>> {
        let Some(stream) = &self.stream else { return Ok(Rc::new(compute(inputs)?)) };
        let known = self.kinds.iter().position(|kind| kind.inputs.kind() == inputs.kind());
        if known.is_none() && self.kinds.len() == MOST_KINDS {
            return Ok(Rc::new(compute(inputs)?));
        }
        let place = known.unwrap_or_else(|| {
            let host_values = Rc::new(RefCell::new(HostValues::new(e.device(), inputs.times.len())));
            self.kinds.push(StepVariant { inputs: inputs.copied(), host_values, warmed_up: 0, recorded: None });
            self.kinds.len() - 1
        });
        let kind = &mut self.kinds[place];
        kind.take(inputs);
        if let Some((result, graph)) = &kind.recorded {
            graph.replay().map_err(|reason| anyhow!("replaying a step on the GPU: {reason}"))?;
            return Ok(Rc::clone(result));
        }
        let warms_up = kind.warmed_up < WARM_UP;
        let done = e.with_host_values(&kind.host_values, || {
            let compute = || compute(&kind.inputs);
            if warms_up {
                stream.run(compute).map(|result| (None, result))
            } else {
                stream.record(compute).map(|(g, result)| (Some(g), result))
            }
        });
        let difference = kind.host_values.borrow().difference().map(str::to_owned);
        let (graph, result) = match (done, difference) {
            (Ok((graph, result)), None) => (graph, Rc::new(result?)),
            (done, difference) => {
                let reason = done.err().unwrap_or_else(|| difference.unwrap_or_default());
                warn(&reason);
                (self.stream, self.kinds) = (None, Vec::new());
                return Ok(Rc::new(compute(inputs)?));
            }
        };
        kind.warmed_up += 1;
        if let Some(graph) = graph {
            graph.replay().map_err(|reason| anyhow!("replaying a step on the GPU: {reason}"))?;
            kind.recorded = Some((Rc::clone(&result), graph));
        }
        Ok(result)
    }
}

impl<T> StepVariant<T> {
    /// Puts a step's inputs where its operations read them.
    fn take(&mut self, inputs: &StepInputs) {
        let [ours, theirs] = [&self.inputs.tensors, &inputs.tensors].map(|tensors| tensors.iter().collect::<Vec<_>>());
        copy(&ours, &theirs);
        self.inputs.times.clone_from(&inputs.times);
        self.host_values.borrow_mut().set_times(&inputs.times);
    }
}

fn warn(reason: &str) {
    eprintln!("warning: steps are not recorded as a CUDA graph, which makes them slower: {reason}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use radiodiff_core::engine::Engine;
    use tch::{Device, Kind};

    #[test]
    fn on_the_cpu_every_step_is_computed_from_its_own_inputs() {
        let e = TorchEngine::new(Device::Cpu);
        let mut graphs = StepGraphs::new(&e, true);
        assert!(!graphs.records());
        for step in 0..6 {
            let inputs = StepInputs { tensors: vec![Tensor::full([2], step, (Kind::Float, Device::Cpu))], times: vec![0.5, step as f32] };
            let result = graphs.step(&e, &inputs, |inputs| {
                let [x] = inputs.parts();
                Ok(x + e.of_times(&inputs.times, &[2], |t| 10.0 * t).0)
            });
            let result = Vec::<f32>::try_from(&*result.expect("it computes")).expect("float32");
            assert_eq!(result, [5.0 + step as f32, 11.0 * step as f32]);
        }
    }

    #[test]
    fn inputs_of_other_operations_are_of_another_kind() {
        let of = |side: i64, times: &[f32]| StepInputs {
            tensors: vec![Tensor::zeros([side], (Kind::Float, Device::Cpu))],
            times: times.to_vec(),
        };
        assert_eq!(of(2, &[0.5, 1.0]).kind(), of(2, &[1.0, 0.1]).kind());
        for other in [of(3, &[0.5, 1.0]), of(2, &[1.0, 1.0]), of(2, &[0.5])] {
            assert_ne!(of(2, &[0.5, 1.0]).kind(), other.kind());
        }
    }
}
