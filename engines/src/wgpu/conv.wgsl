// 2-D convolution. A thread computes 4 neighbouring pixels of 8 output channels, whose sums stay in registers. All threads of a
// workgroup read the same weights, and neighbouring threads read neighbouring pixels.
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
                tile.low += product(packed[tap], pixels);
                tile.high += product(packed[tap + 1u], pixels);
                tap += 2u;
            }
        }
    }
    finish(tile, id.y, id.z, row, column);
}

// 3 x 3 with stride 1: the three taps of a row share their pixels.
@compute @workgroup_size(64)
fn conv_3x3(@builtin(global_invocation_id) id: vec3<u32>) {
    let fours = (p.out_width + 3u) / 4u;
    let row = id.x / fours;
    let column = id.x % fours * 4u;
    if (row >= p.out_height) {
        return;
    }
    var tile = start(id.y);
    var tap = (id.y * p.channels + p.first_channel) * 18u;
    let first = i32(column) - i32(p.left);
    for (var c = p.first_channel; c < p.end_channel; c++) {
        for (var ky = 0u; ky < 3u; ky++) {
            // Above the image the difference wraps around to a large number.
            let y = row + ky - p.top;
            if (y < p.height) {
                let source = ((id.z * p.channels + c) * p.height + y) * p.width;
                let left = vec4(at(source, first), at(source, first + 1), at(source, first + 2), at(source, first + 3));
                let right = vec2(at(source, first + 4), at(source, first + 5));
                let middle = vec4(left.yzw, right.x);
                tile.low += product(packed[tap], left);
                tile.high += product(packed[tap + 1u], left);
                tile.low += product(packed[tap + 2u], middle);
                tile.high += product(packed[tap + 3u], middle);
                tile.low += product(packed[tap + 4u], vec4(left.zw, right));
                tile.high += product(packed[tap + 5u], vec4(left.zw, right));
            }
            tap += 6u;
        }
    }
    finish(tile, id.y, id.z, row, column);
}
