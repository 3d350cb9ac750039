//! Turns operations into commands: kernels, their pipelines, and the list of commands that is submitted when a result is read.
//!
//! A dispatch takes a kernel, its parameters, the tensors that it reads and the tensor that it writes. One uniform buffer, written
//! once for each submission, holds a slot of parameters for every dispatch. WebGPU itself orders the dispatches of a pass.

use super::adapter::AdapterReport;
use super::faults::Faults;
use super::precision::Precision;
use super::profile::{Profiler, Work};
use super::tensor::{Filler, GpuMemory, GpuPool, GpuTensor};
use radiodiff_core::engine::EngineError;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Most tensors that a kernel reads. WebGPU guarantees eight storage buffers, the output included.
const MOST_INPUTS: usize = 6;

/// Bytes of one dispatch's parameters: WebGPU aligns dynamic offsets to 256.
const SLOT: usize = 256;

/// Most dispatches of one submission: enough to make its cost small, few enough that the GPU starts early.
pub(super) const MOST_PENDING: usize = 128;

/// Most bind groups kept for the next run. A network needs about a thousand.
const MOST_BIND_GROUPS: usize = 8192;

/// Threads of a workgroup of the kernels that number their threads.
const THREADS: usize = 64;

/// The number of workgroups along a dimension that WebGPU guarantees.
pub(super) const MOST_GROUPS: usize = 65535;

/// A WGSL entry point. Binding 0 holds the parameters, binding 1 the output, and the inputs follow.
pub(super) struct Kernel {
    /// The files that make up its source after `Precision::source`, in this order. They are joined when it is compiled: a program has
    /// each of them once.
    pub source: &'static [&'static str],
    /// Unique among all sources.
    pub entry: &'static str,
    pub inputs: usize,
}

/// The grid of workgroups for `threads` threads, which `thread_index` in common.wgsl numbers: one row of workgroups where one row is
/// enough, otherwise rows of the greatest length.
pub(super) fn grid(threads: usize) -> [usize; 3] {
    groups(threads.div_ceil(THREADS))
}

/// The grid for `count` workgroups.
pub(super) fn groups(count: usize) -> [usize; 3] {
    if count <= MOST_GROUPS { [count, 1, 1] } else { [MOST_GROUPS, count.div_ceil(MOST_GROUPS), 1] }
}

pub(super) struct Recorder {
    pub device: wgpu::Device,
    queue: wgpu::Queue,
    pub faults: Faults,
    pool: Rc<GpuPool>,
    /// Size of the largest tensor that the device allows, in bytes.
    largest: u64,
    /// Size of the largest tensor so far, in bytes.
    peak: Cell<u64>,
    stand_in: wgpu::Buffer,
    parameters: wgpu::Buffer,
    /// Indexed by the number of inputs minus 1.
    layouts: Vec<(wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    pipelines: RefCell<HashMap<&'static str, wgpu::ComputePipeline>>,
    /// Keyed by the numbers of the bound buffers, the output first.
    bind_groups: RefCell<HashMap<[u64; 1 + MOST_INPUTS], wgpu::BindGroup>>,
    pending: RefCell<Pending>,
    pub profiler: Option<Profiler>,
    /// Reduces long rows without barriers, which suits adapters that compute on the CPU.
    pub without_barriers: Cell<bool>,
    pub precision: Precision,
}

/// Commands that are not submitted yet. The pass comes first so that it is dropped, and thereby ended, before its encoder.
struct Commands {
    pass: Option<wgpu::ComputePass<'static>>,
    encoder: wgpu::CommandEncoder,
}

#[derive(Default)]
struct Pending {
    commands: Option<Commands>,
    /// One slot for each dispatch.
    parameters: Vec<u8>,
}

impl Recorder {
    /// With `profile`, the device has timestamp queries and every kernel's run is timed.
    pub(super) fn new(device: wgpu::Device, queue: wgpu::Queue, profile: bool, report: &AdapterReport) -> Self {
        let faults = Faults::watch(&device);
        let buffer = |size, usage| device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
        let limits = device.limits();
        Self {
            faults,
            pool: Rc::new(GpuPool::new(&device)),
            largest: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            peak: Cell::new(0),
            stand_in: buffer(SLOT as u64, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC),
            parameters: buffer((SLOT * MOST_PENDING) as u64, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST),
            layouts: (1..=MOST_INPUTS).map(|inputs| layout(&device, inputs)).collect(),
            pipelines: RefCell::default(),
            bind_groups: RefCell::default(),
            pending: RefCell::default(),
            profiler: profile.then(|| Profiler::new(&device, &queue)),
            without_barriers: Cell::new(report.software),
            precision: report.precision,
            device,
            queue,
        }
    }

    /// Size of the largest tensor so far, in bytes.
    pub(super) fn peak(&self) -> u64 {
        self.peak.get()
    }

    /// A tensor with unspecified values, which a kernel fills.
    pub(super) fn empty(&self, shape: &[usize]) -> GpuTensor {
        self.allocate(shape, Filler::Kernel)
    }

    fn allocate(&self, shape: &[usize], filler: Filler) -> GpuTensor {
        let bytes = shape.iter().product::<usize>() as u64 * 4;
        self.peak.set(self.peak.get().max(bytes));
        if bytes > self.largest {
            let what =
                format!("a tensor of shape {shape:?} takes {} MiB, this GPU allows {} MiB", bytes.div_ceil(1 << 20), self.largest >> 20);
            self.faults.fail(EngineError::OutOfMemory { what });
        }
        let storage = if self.faults.check().is_ok() { self.pool.take(bytes, filler) } else { GpuMemory::stand_in(&self.stand_in) };
        GpuTensor::new(storage, shape)
    }

    pub(super) fn upload(&self, values: &[f32], shape: &[usize]) -> GpuTensor {
        let tensor = self.allocate(shape, Filler::Host);
        if self.faults.check().is_ok() {
            self.queue.write_buffer(tensor.buffer(), 0, bytemuck::cast_slice(values));
        }
        tensor
    }

    /// Records `kernel` over `groups` workgroups. After a fault nothing is recorded.
    ///
    /// # Panics
    /// When the number of inputs is not the kernel's, or the parameters do not fit a slot.
    pub(super) fn dispatch(&self, kernel: &'static Kernel, parameters: &[u32], inputs: &[&GpuTensor], out: &GpuTensor, groups: [usize; 3]) {
        self.dispatch_work(kernel, parameters, inputs, out, groups, Work::default());
    }

    /// [`Self::dispatch`] of a kernel whose `work` a profile counts.
    pub(super) fn dispatch_work(
        &self,
        kernel: &'static Kernel,
        parameters: &[u32],
        inputs: &[&GpuTensor],
        out: &GpuTensor,
        groups: [usize; 3],
        work: Work,
    ) {
        assert_eq!(inputs.len(), kernel.inputs, "inputs of {}", kernel.entry);
        assert!(size_of_val(parameters) <= SLOT, "{} parameters of {}", parameters.len(), kernel.entry);
        if groups.contains(&0) || self.faults.check().is_err() {
            return;
        }
        let (layout, pipeline_layout) = &self.layouts[inputs.len() - 1];
        let mut key = [0; 1 + MOST_INPUTS];
        key.iter_mut().zip(std::iter::once(out).chain(inputs.iter().copied())).for_each(|(key, tensor)| *key = tensor.buffer_number());
        let mut bind_groups = self.bind_groups.borrow_mut();
        if bind_groups.len() == MOST_BIND_GROUPS {
            bind_groups.clear();
        }
        let bind_group = bind_groups.entry(key).or_insert_with(|| self.bind(layout, inputs, out));
        let mut pipelines = self.pipelines.borrow_mut();
        let pipeline = pipelines.entry(kernel.entry).or_insert_with(|| self.compile(kernel, pipeline_layout));

        let mut pending = self.pending.borrow_mut();
        let Pending { commands, parameters: slots } = &mut *pending;
        let offset = slots.len();
        slots.extend_from_slice(bytemuck::cast_slice(parameters));
        slots.resize(offset + SLOT, 0);
        let encoder = || self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let Commands { pass, encoder } = commands.get_or_insert_with(|| Commands { pass: None, encoder: encoder() });
        if let Some(profiler) = &self.profiler {
            // A pass of its own for each kernel, because timestamps are taken where a pass begins and ends.
            drop(pass.take());
            *pass = Some(profiler.begin(encoder, offset / SLOT, kernel.entry, out.shape(), work));
        }
        let pass = pass.get_or_insert_with(|| encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()).forget_lifetime());
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &*bind_group, &[offset as u32]);
        let [x, y, z] = groups.map(|n| n as u32);
        pass.dispatch_workgroups(x, y, z);
        let full = slots.len() == SLOT * MOST_PENDING;
        drop(bind_groups);
        if full {
            self.submit(&mut pending, |_| ());
        }
    }

    fn bind(&self, layout: &wgpu::BindGroupLayout, inputs: &[&GpuTensor], out: &GpuTensor) -> wgpu::BindGroup {
        let slot = wgpu::BufferBinding { buffer: &self.parameters, offset: 0, size: wgpu::BufferSize::new(SLOT as u64) };
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(slot) }];
        entries.extend(
            std::iter::once(out)
                .chain(inputs.iter().copied())
                .zip(1..)
                .map(|(tensor, binding)| wgpu::BindGroupEntry { binding, resource: tensor.buffer().as_entire_binding() }),
        );
        self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
    }

    fn compile(&self, kernel: &Kernel, layout: &wgpu::PipelineLayout) -> wgpu::ComputePipeline {
        let source = [&[self.precision.source()], kernel.source].concat().concat();
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(kernel.entry),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(kernel.entry),
            layout: Some(layout),
            module: &module,
            entry_point: Some(kernel.entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        })
    }

    /// Submits the recorded commands, followed by those that `last` adds.
    fn submit(&self, pending: &mut Pending, last: impl FnOnce(&mut wgpu::CommandEncoder)) {
        let mut encoder = match pending.commands.take() {
            Some(Commands { pass, encoder }) => {
                drop(pass);
                encoder
            }
            None => self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default()),
        };
        if let Some(profiler) = &self.profiler {
            profiler.collect(&self.device, &mut encoder, pending.parameters.len() / SLOT);
        }
        last(&mut encoder);
        if !pending.parameters.is_empty() {
            self.queue.write_buffer(&self.parameters, 0, &pending.parameters);
            pending.parameters.clear();
        }
        self.queue.submit([encoder.finish()]);
        if self.pool.submitted() {
            // Some bind groups name buffers that were destroyed.
            self.bind_groups.borrow_mut().clear();
        }
    }

    /// Submits all recorded commands.
    pub(super) fn flush(&self) {
        self.submit(&mut self.pending.borrow_mut(), |_| ());
    }

    /// Submits all recorded commands and returns a buffer with the values of `x` that the host can map.
    pub(super) fn stage(&self, x: &GpuTensor) -> wgpu::Buffer {
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: x.count() as u64 * 4,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let copy = |encoder: &mut wgpu::CommandEncoder| encoder.copy_buffer_to_buffer(x.buffer(), 0, &staging, 0, staging.size());
        self.submit(&mut self.pending.borrow_mut(), copy);
        staging
    }
}

fn layout(device: &wgpu::Device, inputs: usize) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
    let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: binding == 0, min_binding_size: None },
        count: None,
    };
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform), entry(1, wgpu::BufferBindingType::Storage { read_only: false })];
    entries.extend((2..2 + inputs as u32).map(|binding| entry(binding, wgpu::BufferBindingType::Storage { read_only: true })));
    let bind_group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
    let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&bind_group)],
        immediate_size: 0,
    });
    (bind_group, pipeline)
}

#[cfg(test)]
mod tests {
    use super::{MOST_GROUPS, grid, groups};

    #[test]
    fn grids_cover_their_threads_within_the_guaranteed_limits() {
        for threads in [0, 1, 64, 65, 64 * MOST_GROUPS, 64 * MOST_GROUPS + 1, 40_000_000] {
            let [x, y, z] = grid(threads);
            assert!(x <= MOST_GROUPS && y <= MOST_GROUPS && z == 1 && x * y * 64 >= threads, "{threads} threads in {x} x {y} x {z}");
        }
        assert_eq!(groups(0)[0], 0);
    }
}
