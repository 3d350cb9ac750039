// Functions that are prepended to the other sources.

// The number of a thread in a grid of workgroups of 64 threads (recorder::grid).
fn thread_index(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return (group.y * groups.x + group.x) * 64u + local;
}

// x * sigmoid(x). The bound keeps e^-x finite.
fn silu(x: vec4<f32>) -> vec4<f32> {
    return x / (1.0 + exp(min(-x, vec4(80.0))));
}
