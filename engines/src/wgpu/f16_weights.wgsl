// Weights in 16 bits, arithmetic in 32, which every adapter has. f32.wgsl says what the names mean.

alias Packed = vec2<u32>;
alias Real = f32;
const RUN_TERMS: u32 = 256u;

fn packed_of(weights: vec4<f32>) -> Packed {
    return vec2(pack2x16float(weights.xy), pack2x16float(weights.zw));
}

fn weights_in(packed: Packed) -> vec4<Real> {
    return vec4(unpack2x16float(packed.x), unpack2x16float(packed.y));
}
