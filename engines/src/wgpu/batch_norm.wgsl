// Batch normalisation with running statistics.

struct Parameters {
    count: u32,
    channels: u32,
    pixels: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // (N, channels, pixels)
@group(0) @binding(2) var<storage, read> x: array<f32>; // (N, channels, pixels)
@group(0) @binding(3) var<storage, read> weight: array<f32>; // (channels), as the bindings that follow
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> running_mean: array<f32>;
@group(0) @binding(6) var<storage, read> running_var: array<f32>;

@compute @workgroup_size(64)
fn batch_norm(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i < p.count) {
        let c = i / p.pixels % p.channels;
        out[i] = (x[i] - running_mean[c]) * inverseSqrt(running_var[c] + p.epsilon) * weight[c] + bias[c];
    }
}
