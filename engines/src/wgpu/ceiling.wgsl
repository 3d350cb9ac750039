// What an adapter can do at most: multiply-adds without memory, and a copy without arithmetic.

struct Parameters {
    turns: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;

struct Chains {
    a: mat4x4<f32>,
    b: mat4x4<f32>,
}

// Eight chains of vectors, so that a multiply-add need not wait for the one before it.
fn extended(chains: Chains, factor: vec4<f32>, term: vec4<f32>) -> Chains {
    let a = chains.a;
    let b = chains.b;
    return Chains(
        mat4x4(fma(a[0], factor, term), fma(a[1], factor, term), fma(a[2], factor, term), fma(a[3], factor, term)),
        mat4x4(fma(b[0], factor, term), fma(b[1], factor, term), fma(b[2], factor, term), fma(b[3], factor, term)),
    );
}

@compute @workgroup_size(256)
fn multiply_adds(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let factor = x[local];
    let term = x[local + 256u];
    let start = mat4x4(factor, term, factor + 1.0, term + 1.0);
    var chains = Chains(start, start * 0.5);
    for (var turn = 0u; turn < p.turns; turn++) {
        chains = extended(chains, factor, term);
        chains = extended(chains, factor, term);
        chains = extended(chains, factor, term);
        chains = extended(chains, factor, term);
        chains = extended(chains, factor, term);
        chains = extended(chains, factor, term);
        chains = extended(chains, factor, term);
        chains = extended(chains, factor, term);
    }
    let ends = chains.a + chains.b;
    out[group.x * 256u + local] = ends[0] + ends[1] + ends[2] + ends[3];
}

@compute @workgroup_size(256)
fn copy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + local;
    out[i] = x[i];
}
