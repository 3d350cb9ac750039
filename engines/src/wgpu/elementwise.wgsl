// Functions of one tensor and of two, element by element.

struct UnaryParameters {
    // Groups of four elements.
    vectors: u32,
    op: u32,
    // scale and shift, or the least and the greatest value
    a: f32,
    b: f32,
}

struct BinaryParameters {
    // Elements of the result, or groups of four of them.
    count: u32,
    op: u32,
    rank: u32,
    // Innermost first: extent, stride of a, stride of b (0 where it is repeated).
    dims: array<vec4<u32>, 6>,
}

@group(0) @binding(0) var<uniform> unary_p: UnaryParameters;
@group(0) @binding(0) var<uniform> binary_p: BinaryParameters;
@group(0) @binding(1) var<storage, read_write> out4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> a4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> b4: array<vec4<f32>>;
// The same bindings as single values.
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;

// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; the error is below 1.5e-7.
fn erf(x: vec4<f32>) -> vec4<f32> {
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - polynomial * exp(max(-x * x, vec4(-80.0))));
}

// WGSL guarantees sin and cos to three digits, and only within [-pi, pi]. Here x minus `turns` half turns lies within [-pi/2, pi/2].
// Pi is subtracted in three parts; the first has few bits, so that its multiples are exact. Taylor polynomial of degree 11.
fn sine_near_zero(x: vec4<f32>, turns: vec4<f32>) -> vec4<f32> {
    let r = ((x - turns * 3.140625) - turns * 9.67502593994140625e-4) - turns * 1.509957990978376432e-7;
    let s = r * r;
    return r + r * s * (-1.6666667e-1 + s * (8.3333333e-3 + s * (-1.9841270e-4 + s * (2.7557319e-6 - s * 2.5052108e-8))));
}

// Every half turn changes the sign.
fn alternating(half_turns: vec4<f32>, value: vec4<f32>) -> vec4<f32> {
    return select(value, -value, fract(0.5 * half_turns) > vec4(0.25));
}

fn sine(x: vec4<f32>) -> vec4<f32> {
    let half_turns = round(x * 0.318309886);
    return alternating(half_turns, sine_near_zero(x, half_turns));
}

fn cosine(x: vec4<f32>) -> vec4<f32> {
    let half_turns = round(x * 0.318309886 - 0.5);
    return alternating(half_turns, -sine_near_zero(x, half_turns + 0.5));
}

@compute @workgroup_size(64)
fn unary(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= unary_p.vectors) {
        return;
    }
    let x = a4[i];
    var y = x;
    switch unary_p.op {
        case 0u: { y = silu(x); }
        case 1u: { y = 0.5 * x * (1.0 + erf(x * 0.70710678)); }
        case 2u: { y = max(x, vec4(0.0)); }
        case 3u: { y = exp(x); }
        case 4u: { y = log(x); }
        case 5u: { y = sqrt(x); }
        case 6u: { y = abs(x); }
        case 7u: { y = x * x; }
        case 8u: { y = sine(x); }
        case 9u: { y = cosine(x); }
        case 10u: { y = unary_p.a * x + unary_p.b; }
        // NaN stays NaN. clamp alone would replace it, and a compiler may assume that x != x is false.
        default: {
            let is_nan = (bitcast<vec4<u32>>(x) & vec4(0x7fffffffu)) > vec4(0x7f800000u);
            y = select(clamp(x, vec4(unary_p.a), vec4(unary_p.b)), x, is_nan);
        }
    }
    out4[i] = y;
}

// Tensors of one shape.
@compute @workgroup_size(64)
fn binary(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= binary_p.count) {
        return;
    }
    let x = a4[i];
    let y = b4[i];
    switch binary_p.op {
        case 0u: { out4[i] = x + y; }
        case 1u: { out4[i] = x - y; }
        case 2u: { out4[i] = x * y; }
        default: { out4[i] = x / y; }
    }
}

@compute @workgroup_size(64)
fn binary_broadcast(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= binary_p.count) {
        return;
    }
    var rest = i;
    var at_a = 0u;
    var at_b = 0u;
    for (var d = 0u; d < binary_p.rank; d++) {
        let dim = binary_p.dims[d];
        let index = rest % dim.x;
        rest /= dim.x;
        at_a += index * dim.y;
        at_b += index * dim.z;
    }
    let x = a[at_a];
    let y = b[at_b];
    switch binary_p.op {
        case 0u: { out[i] = x + y; }
        case 1u: { out[i] = x - y; }
        case 2u: { out[i] = x * y; }
        default: { out[i] = x / y; }
    }
}
