// The channels of each pixel are moved to mean 0 and variance 1, then multiplied by a gain.

struct Parameters {
    channels: u32,
    // Pixels of an image, and of all images.
    plane: u32,
    pixels: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // as x
@group(0) @binding(2) var<storage, read> x: array<f32>; // (N, channels, plane)
@group(0) @binding(3) var<storage, read> gain: array<f32>; // (channels)

const LANES: u32 = 8u;

var<workgroup> sums: array<f32, 64>;

// The first channel of a pixel.
fn first_of(pixel: u32) -> u32 {
    return pixel / p.plane * p.channels * p.plane + pixel % p.plane;
}

// The sum of the values of a pixel's lanes. `local` is lane * 8 + pixel.
fn total(local: u32, value: f32) -> f32 {
    sums[local] = value;
    for (var half = 32u; half >= LANES; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            sums[local] += sums[local + half];
        }
    }
    workgroupBarrier();
    let all = sums[local % 8u];
    workgroupBarrier();
    return all;
}

// One workgroup for 8 neighbouring pixels; each of 8 lanes has every 8th channel.
@compute @workgroup_size(64)
fn channel_norm_lanes(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let pixel = (group.y * groups.x + group.x) * 8u + local % 8u;
    // Pixels past the last repeat it, and are not stored.
    let first = first_of(min(pixel, p.pixels - 1u));
    let lane = local / 8u;
    var sum = 0.0;
    for (var c = lane; c < p.channels; c += LANES) {
        sum += x[first + c * p.plane];
    }
    let mean = total(local, sum) / f32(p.channels);
    var squares = 0.0;
    for (var c = lane; c < p.channels; c += LANES) {
        let deviation = x[first + c * p.plane] - mean;
        squares += deviation * deviation;
    }
    let scale = inverseSqrt(total(local, squares) / f32(p.channels) + p.epsilon);
    if (pixel >= p.pixels) {
        return;
    }
    for (var c = lane; c < p.channels; c += LANES) {
        let at = first + c * p.plane;
        out[at] = (x[at] - mean) * scale * gain[c];
    }
}

// One thread for each pixel: barriers cost software adapters more (rows.wgsl).
@compute @workgroup_size(64)
fn channel_norm_pixels(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let pixel = thread_index(group, groups, local);
    if (pixel >= p.pixels) {
        return;
    }
    let first = first_of(pixel);
    var sum = 0.0;
    for (var c = 0u; c < p.channels; c++) {
        sum += x[first + c * p.plane];
    }
    let mean = sum / f32(p.channels);
    var squares = 0.0;
    for (var c = 0u; c < p.channels; c++) {
        let deviation = x[first + c * p.plane] - mean;
        squares += deviation * deviation;
    }
    let scale = inverseSqrt(squares / f32(p.channels) + p.epsilon);
    for (var c = 0u; c < p.channels; c++) {
        let at = first + c * p.plane;
        out[at] = (x[at] - mean) * scale * gain[c];
    }
}
