// 2-D convolution without workgroup memory. A thread computes 4 or 8 pixels of 8 output channels, whose sums stay in registers. All
// threads of a workgroup read the same weights.
//
// What decides on software adapters: neighbouring threads read neighbouring pixels, a turn of a loop multiplies much, and nothing in it
// branches. Otherwise they load pixel by pixel, and keep all sums in memory at every branch.
//
// A dispatch sums a run of input channels, and every dispatch after the first adds its sums to the result. Each addition rounds in
// proportion to the sum so far, so thousands of terms added one after another would lose a digit.

// Columns are pixels, rows are channels.
struct Tile {
    low: mat4x4<f32>,
    high: mat4x4<f32>,
}

fn start(block: u32) -> Tile {
    var low = vec4(0.0);
    var high = vec4(0.0);
    if (p.has_bias == 1u && p.first_channel == 0u) {
        low = bias_of(block * 8u);
        high = bias_of(block * 8u + 4u);
    }
    return Tile(mat4x4(low, low, low, low), mat4x4(high, high, high, high));
}

fn product(weights: vec4<f32>, pixels: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(weights * pixels.x, weights * pixels.y, weights * pixels.z, weights * pixels.w);
}

// A pixel of the row that starts at `row`; zero outside the image.
fn at(row: u32, column: i32) -> f32 {
    if (column < 0 || column >= i32(p.width)) {
        return 0.0;
    }
    return x[row + u32(column)];
}

fn put(at: u32, value: f32) {
    if (p.first_channel == 0u) { out[at] = value; } else { out[at] += value; }
}

fn store(channel: u32, batch: u32, row: u32, column: u32, pixels: vec4<f32>) {
    if (channel >= p.out_channels) {
        return;
    }
    let at = ((batch * p.out_channels + channel) * p.out_height + row) * p.out_width + column;
    put(at, pixels.x);
    if (column + 1u < p.out_width) { put(at + 1u, pixels.y); }
    if (column + 2u < p.out_width) { put(at + 2u, pixels.z); }
    if (column + 3u < p.out_width) { put(at + 3u, pixels.w); }
}

fn finish(tile: Tile, block: u32, batch: u32, row: u32, column: u32) {
    let low = transpose(tile.low);
    let high = transpose(tile.high);
    let channel = block * 8u;
    store(channel, batch, row, column, low[0]);
    store(channel + 1u, batch, row, column, low[1]);
    store(channel + 2u, batch, row, column, low[2]);
    store(channel + 3u, batch, row, column, low[3]);
    store(channel + 4u, batch, row, column, high[0]);
    store(channel + 5u, batch, row, column, high[1]);
    store(channel + 6u, batch, row, column, high[2]);
    store(channel + 7u, batch, row, column, high[3]);
}

// Grid of workgroups: groups of 4 pixels, blocks of 8 output channels, images.

// Any kernel, stride and padding.
@compute @workgroup_size(64)
fn conv_any(@builtin(global_invocation_id) id: vec3<u32>) {
    let fours = (p.out_width + 3u) / 4u;
    let row = id.x / fours;
    let column = id.x % fours * 4u;
    if (row >= p.out_height) {
        return;
    }
    var tile = start(id.y);
    var tap = (id.y * p.channels + p.first_channel) * p.kernel_height * p.kernel_width * 2u;
    let first = i32(column * p.stride) - i32(p.left);
    let stride = i32(p.stride);
    for (var c = p.first_channel; c < p.end_channel; c++) {
        for (var ky = 0u; ky < p.kernel_height; ky++) {
            // Above the image the difference wraps around to a large number.
            let y = row * p.stride + ky - p.top;
            if (y >= p.height) {
                tap += p.kernel_width * 2u;
                continue;
            }
            let source = ((id.z * p.channels + c) * p.height + y) * p.width;
            for (var kx = 0u; kx < p.kernel_width; kx++) {
                let left = first + i32(kx);
                let pixels =
                    vec4(at(source, left), at(source, left + stride), at(source, left + 2 * stride), at(source, left + 3 * stride));
                tile.low += product(weights_at(tap), pixels);
                tile.high += product(weights_at(tap + 1u), pixels);
                tap += 2u;
            }
        }
    }
    finish(tile, id.y, id.z, row, column);
}

// Stores 8 pixels of a channel that lie `step` apart; `inside` is the number of those inside the image.
fn store_eight(channel: u32, at: u32, step: u32, inside: u32, first: vec4<f32>, second: vec4<f32>) {
    if (channel >= p.out_channels) {
        return;
    }
    if (inside > 0u) { put(at, first.x); }
    if (inside > 1u) { put(at + step, first.y); }
    if (inside > 2u) { put(at + 2u * step, first.z); }
    if (inside > 3u) { put(at + 3u * step, first.w); }
    if (inside > 4u) { put(at + 4u * step, second.x); }
    if (inside > 5u) { put(at + 5u * step, second.y); }
    if (inside > 6u) { put(at + 6u * step, second.z); }
    if (inside > 7u) { put(at + 7u * step, second.w); }
}

fn finish_four(channel: u32, image: u32, pixel: u32, step: u32, inside: u32, first: mat4x4<f32>, second: mat4x4<f32>) {
    let pixels = p.out_height * p.out_width;
    let at = (image * p.out_channels + channel) * pixels + pixel;
    let upper = transpose(first);
    let lower = transpose(second);
    store_eight(channel, at, step, inside, upper[0], lower[0]);
    store_eight(channel + 1u, at + pixels, step, inside, upper[1], lower[1]);
    store_eight(channel + 2u, at + 2u * pixels, step, inside, upper[2], lower[2]);
    store_eight(channel + 3u, at + 3u * pixels, step, inside, upper[3], lower[3]);
}

// Three pixels of the row that starts at `row`, those outside the image replaced by zeros. An index outside of x reads some value of x.
fn three(row: u32, column: u32, inside: vec3<bool>) -> vec3<f32> {
    let at = row + column;
    return select(vec3(0.0), vec3(x[at], x[at + 1u], x[at + 2u]), inside);
}

// What an input channel adds to 4 pixels of a column, by the taps of the upper, middle and lower row and 6 rows of pixels.
fn column_of(
    upper: mat3x4<f32>, middle: mat3x4<f32>, lower: mat3x4<f32>,
    x0: vec3<f32>, x1: vec3<f32>, x2: vec3<f32>, x3: vec3<f32>, x4: vec3<f32>, x5: vec3<f32>,
) -> mat4x4<f32> {
    return mat4x4(
        upper * x0 + middle * x1 + lower * x2,
        upper * x1 + middle * x2 + lower * x3,
        upper * x2 + middle * x3 + lower * x4,
        upper * x3 + middle * x4 + lower * x5,
    );
}

// 3 x 3 with stride 1: 8 pixels of a column.
@compute @workgroup_size(64)
fn conv_3x3(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x / p.out_width * 8u;
    let column = id.x % p.out_width;
    if (row >= p.out_height) {
        return;
    }
    let begin = start(id.y);
    var low_upper = begin.low;
    var low_lower = begin.low;
    var high_upper = begin.high;
    var high_lower = begin.high;
    // Above the image and left of it these wrap around to large numbers.
    let left = column - p.left;
    let top = row - p.top;
    let columns = vec3(left, left + 1u, left + 2u) < vec3(p.width);
    let in_0 = columns & vec3(top < p.height);
    let in_1 = columns & vec3(top + 1u < p.height);
    let in_2 = columns & vec3(top + 2u < p.height);
    let in_3 = columns & vec3(top + 3u < p.height);
    let in_4 = columns & vec3(top + 4u < p.height);
    let in_5 = columns & vec3(top + 5u < p.height);
    let in_6 = columns & vec3(top + 6u < p.height);
    let in_7 = columns & vec3(top + 7u < p.height);
    let in_8 = columns & vec3(top + 8u < p.height);
    let in_9 = columns & vec3(top + 9u < p.height);
    var tap = (id.y * p.channels + p.first_channel) * 18u;
    var source = ((id.z * p.channels + p.first_channel) * p.height + top) * p.width;
    for (var c = p.first_channel; c < p.end_channel; c++) {
        let x0 = three(source, left, in_0);
        let x1 = three(source + p.width, left, in_1);
        let x2 = three(source + 2u * p.width, left, in_2);
        let x3 = three(source + 3u * p.width, left, in_3);
        let x4 = three(source + 4u * p.width, left, in_4);
        let x5 = three(source + 5u * p.width, left, in_5);
        let x6 = three(source + 6u * p.width, left, in_6);
        let x7 = three(source + 7u * p.width, left, in_7);
        let x8 = three(source + 8u * p.width, left, in_8);
        let x9 = three(source + 9u * p.width, left, in_9);
        let low_0 = mat3x4(weights_at(tap), weights_at(tap + 2u), weights_at(tap + 4u));
        let low_1 = mat3x4(weights_at(tap + 6u), weights_at(tap + 8u), weights_at(tap + 10u));
        let low_2 = mat3x4(weights_at(tap + 12u), weights_at(tap + 14u), weights_at(tap + 16u));
        low_upper += column_of(low_0, low_1, low_2, x0, x1, x2, x3, x4, x5);
        low_lower += column_of(low_0, low_1, low_2, x4, x5, x6, x7, x8, x9);
        let high_0 = mat3x4(weights_at(tap + 1u), weights_at(tap + 3u), weights_at(tap + 5u));
        let high_1 = mat3x4(weights_at(tap + 7u), weights_at(tap + 9u), weights_at(tap + 11u));
        let high_2 = mat3x4(weights_at(tap + 13u), weights_at(tap + 15u), weights_at(tap + 17u));
        high_upper += column_of(high_0, high_1, high_2, x0, x1, x2, x3, x4, x5);
        high_lower += column_of(high_0, high_1, high_2, x4, x5, x6, x7, x8, x9);
        tap += 18u;
        source += p.height * p.width;
    }
    let inside = p.out_height - row;
    let pixel = row * p.out_width + column;
    finish_four(id.y * 8u, id.z, pixel, p.out_width, inside, low_upper, low_lower);
    finish_four(id.y * 8u + 4u, id.z, pixel, p.out_width, inside, high_upper, high_lower);
}

// 1 x 1 without padding, of images that count as one row: 8 pixels that lie an eighth of the image apart.
@compute @workgroup_size(64)
fn conv_1x1(@builtin(global_invocation_id) id: vec3<u32>) {
    let step = (p.width + 31u) / 32u * 4u;
    if (id.x >= min(step, p.width)) {
        return;
    }
    let begin = start(id.y);
    var low_first = begin.low;
    var low_second = begin.low;
    var high_first = begin.high;
    var high_second = begin.high;
    var tap = (id.y * p.channels + p.first_channel) * 2u;
    var at = (id.z * p.channels + p.first_channel) * p.width + id.x;
    for (var c = p.first_channel; c < p.end_channel; c++) {
        // Pixels past the end are other channels' and are not stored.
        let first = vec4(x[at], x[at + step], x[at + 2u * step], x[at + 3u * step]);
        let second = vec4(x[at + 4u * step], x[at + 5u * step], x[at + 6u * step], x[at + 7u * step]);
        let low = weights_at(tap);
        low_first += product(low, first);
        low_second += product(low, second);
        let high = weights_at(tap + 1u);
        high_first += product(high, first);
        high_second += product(high, second);
        tap += 2u;
        at += p.width;
    }
    let inside = (p.width - id.x + step - 1u) / step;
    finish_four(id.y * 8u, id.z, id.x, step, inside, low_first, low_second);
    finish_four(id.y * 8u + 4u, id.z, id.x, step, inside, high_first, high_second);
}
