// 3 x 3 convolution of stride 1 for large images of few channels. A thread computes 8 pixels of a column for 4 output channels;
// neighbouring threads compute neighbouring columns, so that each read is one of neighbouring pixels. All threads of a workgroup use the
// same weights, which the workgroup copies to its memory for 32 input channels at a time.

// Input channels of a run: sums of 288 terms are added to the totals, because each addition rounds in proportion to the sum so far.
const RUN: u32 = 32u;
const THREADS: u32 = 128u;

var<workgroup> taps: array<vec4<Real>, 288>; // (RUN, 3, 3)

// Three pixels of a row around `column`, which may be -1; zero outside the image.
fn three(plane: u32, row: u32, column: u32) -> vec3<Real> {
    // Above the image and left of it the numbers have wrapped around to large ones.
    if (row >= p.height) {
        return vec3<Real>();
    }
    let at = plane + row * p.width;
    var pixels = vec3<f32>();
    if (column < p.width) { pixels.x = x[at + column]; }
    if (column + 1u < p.width) { pixels.y = x[at + column + 1u]; }
    if (column + 2u < p.width) { pixels.z = x[at + column + 2u]; }
    return vec3<Real>(pixels);
}

// Pixels are columns, channels are rows.
struct Column {
    upper: mat4x4<f32>,
    lower: mat4x4<f32>,
}

fn store_four(channel: u32, image: u32, row: u32, column: u32, sum: mat4x4<f32>) {
    let values = transpose(sum);
    store_column(channel, image, row, column, values[0]);
    store_column(channel + 1u, image, row, column, values[1]);
    store_column(channel + 2u, image, row, column, values[2]);
    store_column(channel + 3u, image, row, column, values[3]);
}

fn store_column(channel: u32, image: u32, row: u32, column: u32, values: vec4<f32>) {
    if (channel >= p.out_channels) {
        return;
    }
    let at = ((image * p.out_channels + channel) * p.out_height + row) * p.out_width + column;
    if (row < p.out_height) { out[at] = with_plus(at, values.x); }
    if (row + 1u < p.out_height) { out[at + p.out_width] = with_plus(at + p.out_width, values.y); }
    if (row + 2u < p.out_height) { out[at + 2u * p.out_width] = with_plus(at + 2u * p.out_width, values.z); }
    if (row + 3u < p.out_height) { out[at + 3u * p.out_width] = with_plus(at + 3u * p.out_width, values.w); }
}

// Grid of workgroups: 8 rows of columns counted through, 4 output channels, images.
@compute @workgroup_size(128)
fn conv_columns(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let thread = group.x * THREADS + local;
    let row = thread / p.out_width * 8u;
    let column = thread % p.out_width;
    let inside = row < p.out_height;
    var shift = vec4(0.0);
    if (p.has_bias == 1u) { shift = bias_of(group.y * 4u); }
    let shifts = mat4x4(shift, shift, shift, shift);
    var sum = Column(shifts, shifts);
    for (var first = 0u; first < p.channels; first += RUN) {
        let channels = min(RUN, p.channels - first);
        workgroupBarrier();
        let weights = (group.y / 2u * p.channels + first) * 18u + group.y % 2u;
        for (var i = local; i < channels * 9u; i += THREADS) {
            taps[i] = weights_in(packed[weights + 2u * i]);
        }
        workgroupBarrier();
        if (inside) {
            var upper = mat4x4<f32>();
            var lower = mat4x4<f32>();
            for (var c = 0u; c < channels; c++) {
                let top = mat3x4<Real>(taps[c * 9u], taps[c * 9u + 1u], taps[c * 9u + 2u]);
                let middle = mat3x4<Real>(taps[c * 9u + 3u], taps[c * 9u + 4u], taps[c * 9u + 5u]);
                let bottom = mat3x4<Real>(taps[c * 9u + 6u], taps[c * 9u + 7u], taps[c * 9u + 8u]);
                let plane = (group.z * p.channels + first + c) * p.height * p.width;
                let y = row - p.top;
                let left = column - p.left;
                let x0 = three(plane, y, left);
                let x1 = three(plane, y + 1u, left);
                let x2 = three(plane, y + 2u, left);
                let x3 = three(plane, y + 3u, left);
                let x4 = three(plane, y + 4u, left);
                let x5 = three(plane, y + 5u, left);
                let x6 = three(plane, y + 6u, left);
                let x7 = three(plane, y + 7u, left);
                let x8 = three(plane, y + 8u, left);
                let x9 = three(plane, y + 9u, left);
                upper[0] += vec4<f32>(top * x0 + middle * x1 + bottom * x2);
                upper[1] += vec4<f32>(top * x1 + middle * x2 + bottom * x3);
                upper[2] += vec4<f32>(top * x2 + middle * x3 + bottom * x4);
                upper[3] += vec4<f32>(top * x3 + middle * x4 + bottom * x5);
                lower[0] += vec4<f32>(top * x4 + middle * x5 + bottom * x6);
                lower[1] += vec4<f32>(top * x5 + middle * x6 + bottom * x7);
                lower[2] += vec4<f32>(top * x6 + middle * x7 + bottom * x8);
                lower[3] += vec4<f32>(top * x7 + middle * x8 + bottom * x9);
            }
            sum.upper += upper;
            sum.lower += lower;
        }
    }
    if (inside) {
        store_four(group.y * 4u, group.z, row, column, sum.upper);
        store_four(group.y * 4u, group.z, row + 4u, column, sum.lower);
    }
}
