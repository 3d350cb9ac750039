// Normalisations, softmax and means: every row of a tensor is reduced to a few numbers, which are then applied to its elements.
//
// A row has n elements that lie `inner` apart: element j of row r is x[(r / inner * n + j) * inner + r % inner]. Its numbers are
// (mean, sum of squared deviations, count), merged as in Chan, Golub and LeVeque (1983) so that a large mean costs no digits. For a
// softmax they are (maximum, sum of e^(x - maximum)).

struct Parameters {
    rows: u32,
    n: u32,
    inner: u32,
    // A long row is reduced in `chunks` parts of `chunk` elements.
    chunk: u32,
    chunks: u32,
    softmax: u32,
    // From here on for the second kernel. Number of elements of the result:
    count: u32,
    channels: u32,
    pixels: u32,
    // 1: a scale and shift by channel follow the normalisation.
    affine: u32,
    silu: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> numbers_out: array<vec4<f32>>; // (rows, chunks)
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // as x, or (rows)
@group(0) @binding(2) var<storage, read> x: array<f32>; // (rows / inner, n, inner)
@group(0) @binding(2) var<storage, read> parts_in: array<vec4<f32>>; // (rows, chunks)
@group(0) @binding(3) var<storage, read> numbers: array<vec4<f32>>; // (rows)
@group(0) @binding(4) var<storage, read> weight: array<f32>; // (channels)
@group(0) @binding(5) var<storage, read> bias: array<f32>; // (channels)
@group(0) @binding(6) var<storage, read> film_scale: array<f32>; // (N, channels)
@group(0) @binding(7) var<storage, read> film_shift: array<f32>; // (N, channels)

const LEAST: f32 = -3.0e38;

fn nothing() -> vec3<f32> {
    return vec3(select(0.0, LEAST, p.softmax == 1u), 0.0, 0.0);
}

fn merged(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
    if (p.softmax == 1u) {
        let greatest = max(a.x, b.x);
        // The bound keeps the exponents finite where one side is empty.
        return vec3(greatest, a.y * exp(max(a.x - greatest, -100.0)) + b.y * exp(max(b.x - greatest, -100.0)), 0.0);
    }
    let count = a.z + b.z;
    if (count == 0.0) {
        return a;
    }
    let difference = b.x - a.x;
    return vec3(a.x + difference * (b.z / count), a.y + b.y + difference * difference * (a.z * b.z / count), count);
}

// Elements first, first + step, .. below end, of the row that starts at `base`.
fn reduced(base: u32, first: u32, end: u32, step: u32) -> vec3<f32> {
    if (first >= end) {
        return nothing();
    }
    if (p.softmax == 1u) {
        var greatest = LEAST;
        for (var j = first; j < end; j += step) {
            greatest = max(greatest, x[base + j * p.inner]);
        }
        var sum = 0.0;
        for (var j = first; j < end; j += step) {
            sum += exp(x[base + j * p.inner] - greatest);
        }
        return vec3(greatest, sum, 0.0);
    }
    // Deviations from the first element have a small mean.
    let shift = x[base + first * p.inner];
    var sum = 0.0;
    var squares = 0.0;
    for (var j = first; j < end; j += step) {
        let deviation = x[base + j * p.inner] - shift;
        sum += deviation;
        squares += deviation * deviation;
    }
    let count = f32((end - first + step - 1u) / step);
    return vec3(shift + sum / count, max(squares - sum * sum / count, 0.0), count);
}

fn base_of(row: u32) -> u32 {
    return row / p.inner * p.n * p.inner + row % p.inner;
}

// One thread for each row.
@compute @workgroup_size(64)
fn reduce_short(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = thread_index(group, groups, local);
    if (row < p.rows) {
        numbers_out[row] = vec4(reduced(base_of(row), 0u, p.n, 1u), 0.0);
    }
}

var<workgroup> shared_numbers: array<vec3<f32>, 64>;

// One workgroup for each chunk of a row.
@compute @workgroup_size(64)
fn reduce_long(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let part = group.y * groups.x + group.x;
    let row = part / p.chunks;
    if (row >= p.rows) {
        return;
    }
    let start = part % p.chunks * p.chunk;
    shared_numbers[local] = reduced(base_of(row), start + local, min(start + p.chunk, p.n), 64u);
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            shared_numbers[local] = merged(shared_numbers[local], shared_numbers[local + half]);
        }
    }
    if (local == 0u) {
        numbers_out[part] = vec4(shared_numbers[0], 0.0);
    }
}

// Merges the chunks of each row into the row's numbers.
@compute @workgroup_size(64)
fn merge_chunks(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = thread_index(group, groups, local);
    if (row >= p.rows) {
        return;
    }
    var all = nothing();
    for (var i = 0u; i < p.chunks; i++) {
        all = merged(all, parts_in[row * p.chunks + i].xyz);
    }
    numbers_out[row] = vec4(all, 0.0);
}

// The row that element i belongs to.
fn row_of(i: u32) -> u32 {
    return i / (p.n * p.inner) * p.inner + i % p.inner;
}

// Element i of x, normalised by its row's numbers, scaled and shifted.
fn normalized(i: u32) -> f32 {
    let row = numbers[row_of(i)];
    let y = (x[i] - row.x) * inverseSqrt(row.y / row.z + p.epsilon);
    if (p.affine == 0u) {
        return y;
    }
    let channel = i / p.pixels % p.channels;
    return y * weight[channel] + bias[channel];
}

@compute @workgroup_size(64)
fn normalize(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= p.count) {
        return;
    }
    let y = normalized(i);
    out[i] = select(y, silu(vec4(y)).x, p.silu == 1u);
}

// The same with a modulation between scale and activation.
@compute @workgroup_size(64)
fn normalize_film(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= p.count) {
        return;
    }
    let plane = i / p.pixels;
    let y = normalized(i) * (1.0 + film_scale[plane]) + film_shift[plane];
    out[i] = select(y, silu(vec4(y)).x, p.silu == 1u);
}

@compute @workgroup_size(64)
fn softmax(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i < p.count) {
        let row = numbers[row_of(i)];
        out[i] = exp(x[i] - row.x) / row.y;
    }
}

@compute @workgroup_size(64)
fn mean(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = thread_index(group, groups, local);
    if (row < p.rows) {
        out[row] = parts_in[row].x;
    }
}
