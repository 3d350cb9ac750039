// What all kernels of the 2-D convolution share: parameters, bindings and the packing of weights.
//
// `pack_weight` packs the weights so that the 8 output channels of one tap lie together.

struct Parameters {
    channels: u32,
    height: u32,
    width: u32,
    out_channels: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride: u32,
    top: u32,
    left: u32,
    has_bias: u32,
    // 1: `plus` is added to the result.
    has_plus: u32,
    // Input channels of the run.
    first_channel: u32,
    end_channel: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // (N, out_channels, out_height, out_width)
@group(0) @binding(2) var<storage, read> x: array<f32>; // (N, channels, height, width)
@group(0) @binding(3) var<storage, read> packed: array<Packed>; // (out_channels / 8, channels, kernel_height, kernel_width, 2)
@group(0) @binding(4) var<storage, read> bias: array<f32>; // (out_channels)
@group(0) @binding(5) var<storage, read> plus: array<f32>; // as out

// Output of pack_weight, which reads a weight (out_channels, channels, taps).
@group(0) @binding(1) var<storage, read_write> packed_out: array<Packed>;

@compute @workgroup_size(64)
fn pack_weight(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    // The taps of all input channels, counted through.
    let taps = p.channels * p.kernel_height * p.kernel_width;
    if (i >= (p.out_channels + 7u) / 8u * taps * 2u) {
        return;
    }
    let first = i / (taps * 2u) * 8u + i % 2u * 4u;
    let tap = i / 2u % taps;
    packed_out[i] = packed_of(vec4(weight(first, tap), weight(first + 1u, tap), weight(first + 2u, tap), weight(first + 3u, tap)));
}

// A weight of pack_weight's; zero past the last output channel.
fn weight(output: u32, tap: u32) -> f32 {
    if (output >= p.out_channels) {
        return 0.0;
    }
    return x[output * p.channels * p.kernel_height * p.kernel_width + tap];
}

// Four of the packed weights for sums in 32 bits.
fn weights_at(i: u32) -> vec4<f32> {
    return vec4<f32>(weights_in(packed[i]));
}

fn bias_of(channel: u32) -> vec4<f32> {
    let last = p.out_channels - 1u;
    return vec4(
        bias[min(channel, last)], bias[min(channel + 1u, last)], bias[min(channel + 2u, last)], bias[min(channel + 3u, last)],
    );
}

// A value of the result with what is added to it.
fn with_plus(at: u32, value: f32) -> f32 {
    if (p.has_plus == 1u) {
        return value + plus[at];
    }
    return value;
}
