//! In how many bits convolutions compute: the source that is prepended to all kernels says what weights and products are.
//!
//! Everything else computes in 32 bits. With 16 bits kernels read half as much of weights, and a GPU may multiply twice as fast. Whether
//! that shortens a map depends on the GPU, so nothing chooses 16 bits by itself; docs/measurements/engines.md says what they cost in digits.

/// Numbers of convolutions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// Weights are kept in 16 bits, products are of 32 bits.
    F16Weights,
    /// Weights and products of 16 bits, sums of more than a few products of 32. Kernels without workgroup memory, which software adapters
    /// run, multiply in 32 bits.
    F16,
}

impl Precision {
    pub const ALL: [Self; 3] = [Self::F32, Self::F16Weights, Self::F16];

    /// The nearest one that an adapter has.
    pub(super) fn of_adapter(self, has_f16: bool) -> Self {
        if self == Self::F16 && !has_f16 { Self::F16Weights } else { self }
    }

    /// Its name: `f32`, `f16-weights` or `f16`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16Weights => "f16-weights",
            Self::F16 => "f16",
        }
    }

    /// What is prepended to a kernel's source.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::F32 => include_str!("f32.wgsl"),
            Self::F16Weights => include_str!("f16_weights.wgsl"),
            Self::F16 => include_str!("f16.wgsl"),
        }
    }

    /// Elements of a tensor, of 32 bits each, that eight packed weights take.
    pub(super) fn elements_of_eight_weights(self) -> usize {
        if self == Self::F32 { 8 } else { 4 }
    }
}
