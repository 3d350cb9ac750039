// 2-D convolution as a product of matrices for many channels and pixels, for any kernel, stride and padding.
//
// A workgroup of 128 threads computes 64 channels x 128 pixels of the result, a thread 8 x 8 in four blocks of 4 x 4. The workgroup
// copies 8 terms at a time to its memory, while it computes those copied before: one vector of weights and eight pixels a thread.
//
// conv_gemm.wgsl and the entry point are prepended (conv.rs).

// Turns after which sums of 256 terms are added to the totals: each addition rounds in proportion to the sum so far.
const RUN_TURNS: u32 = 32u;

var<workgroup> tile_weights: array<vec4<f32>, 128>; // (8 terms, 64 / 4 channels)
var<workgroup> tile_pixels: array<vec4<f32>, 256>; // (8 terms, 128 / 4 pixels)

fn four_pixels(term: u32, corner: vec2<u32>, image: u32) -> vec4<f32> {
    return vec4(
        pixel_of(term, corner, image),
        pixel_of(term + 1u, corner, image),
        pixel_of(term + 2u, corner, image),
        pixel_of(term + 3u, corner, image),
    );
}

struct Sums {
    // Channels in columns of blocks, pixels in rows of blocks.
    a: mat4x4<f32>,
    b: mat4x4<f32>,
    c: mat4x4<f32>,
    d: mat4x4<f32>,
}

fn extended(sums: Sums, channels: u32, pixels: u32) -> Sums {
    let low = tile_weights[channels];
    let high = tile_weights[channels + 8u];
    let left = tile_pixels[pixels];
    let right = tile_pixels[pixels + 16u];
    return Sums(
        sums.a + product(low, left), sums.b + product(low, right), sums.c + product(high, left), sums.d + product(high, right),
    );
}

fn added(a: Sums, b: Sums) -> Sums {
    return Sums(a.a + b.a, a.b + b.b, a.c + b.c, a.d + b.d);
}

// Grid of workgroups: pixels, output channels, images.
fn convolve(group: vec3<u32>, local: u32) {
    // What this thread copies.
    let block = group.y * 8u + local / 16u;
    let weight_term = local % 16u / 2u;
    let weight_at = weight_term * 16u + local / 16u * 2u + local % 2u;
    let corner = corner_of(group.x * 128u + local);
    let pixel_at = local / 4u;
    let lane = local % 4u;

    // What it computes: channels from 4 `row` and 32 on, pixels from 4 `column` and 64 on.
    let row = local / 16u;
    let column = local % 16u;
    var sum = Sums();
    var run = Sums();

    let turns = (p.channels * taps_of_channel() + 7u) / 8u;
    var weights = weights_of(block, weight_term, local % 2u);
    var first = four_pixels(0u, corner, group.z);
    var second = four_pixels(4u, corner, group.z);
    for (var turn = 0u; turn < turns; turn++) {
        tile_weights[weight_at] = weights;
        tile_pixels[pixel_at][lane] = first.x;
        tile_pixels[pixel_at + 32u][lane] = first.y;
        tile_pixels[pixel_at + 64u][lane] = first.z;
        tile_pixels[pixel_at + 96u][lane] = first.w;
        tile_pixels[pixel_at + 128u][lane] = second.x;
        tile_pixels[pixel_at + 160u][lane] = second.y;
        tile_pixels[pixel_at + 192u][lane] = second.z;
        tile_pixels[pixel_at + 224u][lane] = second.w;
        workgroupBarrier();
        let term = (turn + 1u) * 8u;
        weights = weights_of(block, term + weight_term, local % 2u);
        first = four_pixels(term, corner, group.z);
        second = four_pixels(term + 4u, corner, group.z);
        run = extended(run, row, column);
        run = extended(run, row + 16u, column + 32u);
        run = extended(run, row + 32u, column + 64u);
        run = extended(run, row + 48u, column + 96u);
        run = extended(run, row + 64u, column + 128u);
        run = extended(run, row + 80u, column + 160u);
        run = extended(run, row + 96u, column + 192u);
        run = extended(run, row + 112u, column + 224u);
        if (turn % RUN_TURNS == RUN_TURNS - 1u) {
            sum = added(sum, run);
            run = Sums();
        }
        workgroupBarrier();
    }
    sum = added(sum, run);
    let channel = group.y * 64u + row * 4u;
    let pixel = group.x * 128u + column * 4u;
    store_block(channel, group.z, pixel, sum.a);
    store_block(channel, group.z, pixel + 64u, sum.b);
    store_block(channel + 32u, group.z, pixel, sum.c);
    store_block(channel + 32u, group.z, pixel + 64u, sum.d);
}
