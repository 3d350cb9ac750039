// What the kernels share that compute a 2-D convolution as a product of matrices, the packed weights and the image's windows. The
// windows are gathered as they are needed (implicit GEMM); a term of the sums is a tap of an input channel.
//
// `taps_of_channel` and `taps_of_row` are prepended (conv.rs): constants for the common kernels, so that a term is taken apart by
// multiplications.

// A row that is outside every image.
const OUTSIDE: u32 = 0x40000000u;

// The first row and column of a result pixel's window, which may have wrapped below zero.
fn corner_of(pixel: u32) -> vec2<u32> {
    if (pixel >= p.out_height * p.out_width) {
        return vec2(OUTSIDE, 0u);
    }
    return vec2(pixel / p.out_width * p.stride - p.top, pixel % p.out_width * p.stride - p.left);
}

// The pixel that a term of the sum multiplies: zero outside the image and past the last term.
fn pixel_of(term: u32, corner: vec2<u32>, image: u32) -> f32 {
    let c = term / taps_of_channel();
    let tap = term % taps_of_channel();
    let y = corner.x + tap / taps_of_row();
    let column = corner.y + tap % taps_of_row();
    if (c < p.channels && y < p.height && column < p.width) {
        return x[((image * p.channels + c) * p.height + y) * p.width + column];
    }
    return 0.0;
}

// The pixels that four terms multiply.
//
// Threads copy whole vectors to the workgroup's memory, so a vector holds four terms of one pixel and not four pixels of one term: a
// thread that writes one component of a vector may write the others too (WGSL's memory model), and they would be other threads'.
fn four_terms(term: u32, corner: vec2<u32>, image: u32) -> vec4<Real> {
    return vec4<Real>(vec4(
        pixel_of(term, corner, image),
        pixel_of(term + 1u, corner, image),
        pixel_of(term + 2u, corner, image),
        pixel_of(term + 3u, corner, image),
    ));
}

// Weights of 4 output channels, half of a block, for a term; zero past the last term and channel.
fn weights_of(block: u32, term: u32, half: u32) -> vec4<Real> {
    let terms = p.channels * taps_of_channel();
    if (term < terms && block * 8u < p.out_channels) {
        return weights_in(packed[(block * terms + term) * 2u + half]);
    }
    return vec4<Real>();
}

// Rows are channels, columns are pixels.
fn product(weights: vec4<Real>, pixels: vec4<Real>) -> mat4x4<Real> {
    return mat4x4<Real>(weights * pixels.x, weights * pixels.y, weights * pixels.z, weights * pixels.w);
}

fn in_32_bits(sums: mat4x4<Real>) -> mat4x4<f32> {
    return mat4x4<f32>(vec4<f32>(sums[0]), vec4<f32>(sums[1]), vec4<f32>(sums[2]), vec4<f32>(sums[3]));
}

fn store(channel: u32, image: u32, pixel: u32, step: u32, pixels: u32, values: vec4<f32>) {
    if (channel >= p.out_channels) {
        return;
    }
    let at = (image * p.out_channels + channel) * pixels + pixel;
    if (pixel < pixels) { out[at] = with_plus(at, values.x); }
    if (pixel + step < pixels) { out[at + step] = with_plus(at + step, values.y); }
    if (pixel + 2u * step < pixels) { out[at + 2u * step] = with_plus(at + 2u * step, values.z); }
    if (pixel + 3u * step < pixels) { out[at + 3u * step] = with_plus(at + 3u * step, values.w); }
}

// Adds the bias and what else is added, and stores the sums of 4 channels (rows) and 4 pixels (columns) that lie `step` apart.
fn store_block(channel: u32, image: u32, pixel: u32, step: u32, sum: mat4x4<f32>) {
    var shift = vec4(0.0);
    if (p.has_bias == 1u) { shift = bias_of(channel); }
    let rows = transpose(mat4x4(sum[0] + shift, sum[1] + shift, sum[2] + shift, sum[3] + shift));
    let pixels = p.out_height * p.out_width;
    store(channel, image, pixel, step, pixels, rows[0]);
    store(channel + 1u, image, pixel, step, pixels, rows[1]);
    store(channel + 2u, image, pixel, step, pixels, rows[2]);
    store(channel + 3u, image, pixel, step, pixels, rows[3]);
}
