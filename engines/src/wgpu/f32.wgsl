// Numbers of a convolution in 32 bits. precision.rs prepends this file, or f16_weights.wgsl, or f16.wgsl, to all kernels.

// Four weights as they lie in memory.
alias Packed = vec4<f32>;
// What weights and pixels are multiplied in.
alias Real = f32;
// About how many products are added up as they are, before 32 bits take their sum: each addition rounds in proportion to the sum so far.
const RUN_TERMS: u32 = 256u;

fn packed_of(weights: vec4<f32>) -> Packed {
    return weights;
}

fn weights_in(packed: Packed) -> vec4<Real> {
    return packed;
}
