// 2-D convolution as a product of matrices for many channels and pixels, for any kernel, stride and padding.
//
// A workgroup of 128 threads computes 64 channels x 128 pixels of the result, a thread 8 x 8 in four blocks of 4 x 4. The workgroup
// copies 8 terms at a time to its memory, while it computes those copied before: one vector of weights and eight pixels a thread.
//
// conv_gemm.wgsl and the entry point are prepended (conv.rs).

// Turns after which sums of RUN_TERMS are added to the totals.
const RUN_TURNS: u32 = RUN_TERMS / 8u;

var<workgroup> tile_weights: array<vec4<Real>, 128>; // (8 terms, 64 / 4 channels)
var<workgroup> tile_pixels: array<vec4<Real>, 256>; // (8 / 4 terms, 128 pixels)

// Channels in columns of blocks, pixels in rows of blocks.
struct Sums {
    a: mat4x4<f32>,
    b: mat4x4<f32>,
    c: mat4x4<f32>,
    d: mat4x4<f32>,
}

// The same of a run.
struct Run {
    a: mat4x4<Real>,
    b: mat4x4<Real>,
    c: mat4x4<Real>,
    d: mat4x4<Real>,
}

// Four pixels, 16 apart, of four terms: a column for each term.
fn pixels_of_terms(at: u32) -> mat4x4<Real> {
    return transpose(mat4x4<Real>(tile_pixels[at], tile_pixels[at + 16u], tile_pixels[at + 32u], tile_pixels[at + 48u]));
}

// The run with one term more.
fn extended(run: Run, channels: u32, left: vec4<Real>, right: vec4<Real>) -> Run {
    let low = tile_weights[channels];
    let high = tile_weights[channels + 8u];
    return Run(
        run.a + product(low, left), run.b + product(low, right), run.c + product(high, left), run.d + product(high, right),
    );
}

fn added(sums: Sums, run: Run) -> Sums {
    return Sums(
        sums.a + in_32_bits(run.a), sums.b + in_32_bits(run.b), sums.c + in_32_bits(run.c), sums.d + in_32_bits(run.d),
    );
}

// Grid of workgroups: pixels, output channels, images.
fn convolve(group: vec3<u32>, local: u32) {
    // What this thread copies.
    let block = group.y * 8u + local / 16u;
    let weight_term = local % 16u / 2u;
    let weight_at = weight_term * 16u + local / 16u * 2u + local % 2u;
    let corner = corner_of(group.x * 128u + local);

    // What it computes: four channels from 4 `row` on and four from 32 + 4 `row` on, and every 16th pixel from `column` on.
    let row = local / 16u;
    let column = local % 16u;
    var sum = Sums();
    var run = Run();

    let turns = (p.channels * taps_of_channel() + 7u) / 8u;
    var weights = weights_of(block, weight_term, local % 2u);
    var first = four_terms(0u, corner, group.z);
    var second = four_terms(4u, corner, group.z);
    for (var turn = 0u; turn < turns; turn++) {
        tile_weights[weight_at] = weights;
        tile_pixels[local] = first;
        tile_pixels[local + 128u] = second;
        workgroupBarrier();
        let term = (turn + 1u) * 8u;
        weights = weights_of(block, term + weight_term, local % 2u);
        first = four_terms(term, corner, group.z);
        second = four_terms(term + 4u, corner, group.z);
        for (var four = 0u; four < 2u; four++) {
            let left = pixels_of_terms(four * 128u + column);
            let right = pixels_of_terms(four * 128u + 64u + column);
            let channels = four * 64u + row;
            run = extended(run, channels, left[0], right[0]);
            run = extended(run, channels + 16u, left[1], right[1]);
            run = extended(run, channels + 32u, left[2], right[2]);
            run = extended(run, channels + 48u, left[3], right[3]);
        }
        if (turn % RUN_TURNS == RUN_TURNS - 1u) {
            sum = added(sum, run);
            run = Run();
        }
        workgroupBarrier();
    }
    sum = added(sum, run);
    let channel = group.y * 64u + row * 4u;
    let pixel = group.x * 128u + column;
    store_block(channel, group.z, pixel, 16u, sum.a);
    store_block(channel, group.z, pixel + 64u, 16u, sum.b);
    store_block(channel + 32u, group.z, pixel, 16u, sum.c);
    store_block(channel + 32u, group.z, pixel + 64u, 16u, sum.d);
}
