// Weights and products in 16 bits, for adapters with `shader-f16`. f32.wgsl says what the names mean.
enable f16;

alias Packed = vec4<f16>;
alias Real = f16;
const RUN_TERMS: u32 = 16u;

fn packed_of(weights: vec4<f32>) -> Packed {
    return vec4<f16>(weights);
}

fn weights_in(packed: Packed) -> vec4<Real> {
    return packed;
}
