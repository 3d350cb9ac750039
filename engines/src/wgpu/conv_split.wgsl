// 2-D convolution as a matrix product of the packed weights and the image's windows, which are gathered as they are needed (implicit
// GEMM), for any kernel, stride and padding.
//
// A workgroup of 256 threads computes CHANNELS x PIXELS of the result, a thread 4 x 4. The terms of the sums (the taps of all input
// channels) are dealt to PARTS parts of the workgroup, which add up their sums at the end: a small image has too few results to keep a
// GPU busy. A part copies DEPTH terms at a time to the workgroup's memory, while it computes those copied before.
//
// conv_gemm.wgsl, the constants and the entry point are prepended (conv.rs). DEPTH is PIXELS / 4, so that each thread copies one vector
// of weights and 4 PIXELS / CHANNELS terms of a pixel; EIGHT says that these are 8 and not 4.

const THREADS_OF_PART: u32 = 256u / PARTS;
const CHANNEL_VECTORS: u32 = CHANNELS / 4u;
const PIXEL_VECTORS: u32 = PIXELS / 4u;
// Vectors of a part in the workgroup's memory: weights (DEPTH, CHANNELS / 4), then pixels (DEPTH / 4, PIXELS).
const SLAB: u32 = DEPTH * (CHANNEL_VECTORS + PIXEL_VECTORS);
// Threads of a part that copy the same pixel, four terms each.
const COPIERS: u32 = THREADS_OF_PART / PIXELS;
// Turns after which a sum of RUN_TERMS is added to the total.
const RUN_TURNS: u32 = RUN_TERMS / DEPTH;

var<workgroup> slabs: array<vec4<Real>, 768>;

// Grid of workgroups: pixels, output channels, images.
fn convolve(group: vec3<u32>, local: u32) {
    let part = local / THREADS_OF_PART;
    let thread = local % THREADS_OF_PART;
    let terms = p.channels * taps_of_channel();
    let slab = part * SLAB;

    // What this thread copies: a vector of weights of each turn's terms, and pixels of one window.
    let weight_block = group.y * (CHANNELS / 8u) + thread / (2u * DEPTH);
    let weight_term = thread % (2u * DEPTH) / 2u;
    let weight_at = slab + weight_term * CHANNEL_VECTORS + thread / (2u * DEPTH) * 2u + thread % 2u;
    let copied = group.x * PIXELS + thread % PIXELS;
    let corner = corner_of(copied);
    let pixel_term = thread / PIXELS * 4u;
    let pixel_at = slab + DEPTH * CHANNEL_VECTORS + thread;

    // What it computes: four neighbouring channels, and pixels PIXEL_VECTORS apart, so that neighbouring threads have neighbouring ones.
    let channel_vector = thread / PIXEL_VECTORS;
    let first_pixel = thread % PIXEL_VECTORS;
    var sum = mat4x4<f32>();
    var run = mat4x4<Real>();

    var term = part * DEPTH;
    let turns = (terms + PARTS * DEPTH - 1u) / (PARTS * DEPTH);
    var weights = weights_of(weight_block, term + weight_term, thread % 2u);
    var first = four_terms(term + pixel_term, corner, group.z);
    var second = vec4<Real>();
    if (EIGHT) { second = four_terms(term + pixel_term + 4u * COPIERS, corner, group.z); }
    for (var turn = 0u; turn < turns; turn++) {
        slabs[weight_at] = weights;
        slabs[pixel_at] = first;
        if (EIGHT) { slabs[pixel_at + THREADS_OF_PART] = second; }
        workgroupBarrier();
        term += PARTS * DEPTH;
        weights = weights_of(weight_block, term + weight_term, thread % 2u);
        first = four_terms(term + pixel_term, corner, group.z);
        if (EIGHT) { second = four_terms(term + pixel_term + 4u * COPIERS, corner, group.z); }
        var at_weights = slab + channel_vector;
        var at_pixels = slab + DEPTH * CHANNEL_VECTORS + first_pixel;
        for (var k = 0u; k < DEPTH; k += 4u) {
            let pixels = transpose(mat4x4<Real>(
                slabs[at_pixels],
                slabs[at_pixels + PIXEL_VECTORS],
                slabs[at_pixels + 2u * PIXEL_VECTORS],
                slabs[at_pixels + 3u * PIXEL_VECTORS],
            ));
            run += product(slabs[at_weights], pixels[0]);
            run += product(slabs[at_weights + CHANNEL_VECTORS], pixels[1]);
            run += product(slabs[at_weights + 2u * CHANNEL_VECTORS], pixels[2]);
            run += product(slabs[at_weights + 3u * CHANNEL_VECTORS], pixels[3]);
            at_weights += 4u * CHANNEL_VECTORS;
            at_pixels += PIXELS;
        }
        if (turn % RUN_TURNS == RUN_TURNS - 1u) {
            sum += in_32_bits(run);
            run = mat4x4<Real>();
        }
        workgroupBarrier();
    }
    sum += in_32_bits(run);

    // The upper half of the parts hands its sums to the lower half until one part is left.
    for (var half = PARTS / 2u; half > 0u; half /= 2u) {
        let at = local % (half * THREADS_OF_PART);
        if (part >= half && part < 2u * half) {
            slabs[at] = vec4<Real>(sum[0]);
            slabs[at + 128u] = vec4<Real>(sum[1]);
            slabs[at + 256u] = vec4<Real>(sum[2]);
            slabs[at + 384u] = vec4<Real>(sum[3]);
        }
        workgroupBarrier();
        if (part < half) {
            sum += in_32_bits(mat4x4<Real>(slabs[at], slabs[at + 128u], slabs[at + 256u], slabs[at + 384u]));
        }
        workgroupBarrier();
    }
    if (part > 0u) {
        return;
    }
    store_block(group.y * CHANNELS + channel_vector * 4u, group.z, group.x * PIXELS + first_pixel, PIXEL_VECTORS, sum);
}
