// Normalisations, softmax and means: every row of a tensor is reduced to a few numbers, which are then applied to its elements.
//
// A row has n elements that lie `inner` apart: element j of row r is x[(r / inner * n + j) * inner + r % inner]. Its numbers are
// (mean, sum of squared deviations, count), merged as in Chan, Golub and LeVeque (1983) so that a large mean costs no digits. For a
// softmax they are (maximum, sum of e^(x - maximum)).

struct Parameters {
    rows: u32,
    n: u32,
    inner: u32,
    // A long row is reduced in `chunks` parts of `chunk` elements; in reduce_parts 16 parts share these.
    chunk: u32,
    chunks: u32,
    softmax: u32,
    // From here on for the second kernel. Number of elements of the result:
    count: u32,
    channels: u32,
    // Elements of a plane, which has one scale and one modulation; n where there are none.
    pixels: u32,
    // 1: a scale and shift by channel follow the normalisation, then a modulation by plane, an activation and a sum.
    affine: u32,
    film: u32,
    silu: u32,
    plus: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> numbers_out: array<vec4<f32>>; // (rows, chunks)
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // as x, or (rows)
@group(0) @binding(1) var<storage, read_write> out4: array<vec4<f32>>; // out
@group(0) @binding(2) var<storage, read> x: array<f32>; // (rows / inner, n, inner)
@group(0) @binding(2) var<storage, read> x4: array<vec4<f32>>; // x
@group(0) @binding(2) var<storage, read> parts_in: array<vec4<f32>>; // (rows, chunks)
@group(0) @binding(3) var<storage, read> numbers: array<vec4<f32>>; // (rows)
@group(0) @binding(4) var<storage, read> weight: array<f32>; // (channels)
@group(0) @binding(5) var<storage, read> bias: array<f32>; // (channels)
@group(0) @binding(6) var<storage, read> film: array<f32>; // (N, 2, channels): scales, shifts
@group(0) @binding(7) var<storage, read> plus4: array<vec4<f32>>; // as x4

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

// Elements j, j + step, .. of the row that starts at `base`.
fn four(base: u32, j: u32, step: u32) -> vec4<f32> {
    let at = base + j * p.inner;
    let apart = step * p.inner;
    return vec4(x[at], x[at + apart], x[at + 2u * apart], x[at + 3u * apart]);
}

// Elements first, first + step, .. below end, of the row that starts at `base`.
fn reduced(base: u32, first: u32, end: u32, step: u32) -> vec3<f32> {
    if (first >= end) {
        return nothing();
    }
    if (p.softmax == 1u) {
        var most = vec4(LEAST);
        var j = first;
        for (; j + 3u * step < end; j += 4u * step) {
            most = max(most, four(base, j, step));
        }
        var greatest = max(max(most.x, most.y), max(most.z, most.w));
        for (; j < end; j += step) {
            greatest = max(greatest, x[base + j * p.inner]);
        }
        var sums = vec4(0.0);
        j = first;
        for (; j + 3u * step < end; j += 4u * step) {
            sums += exp(four(base, j, step) - vec4(greatest));
        }
        var sum = dot(sums, vec4(1.0));
        for (; j < end; j += step) {
            sum += exp(x[base + j * p.inner] - greatest);
        }
        return vec3(greatest, sum, 0.0);
    }
    // Deviations from the first element have a small mean. Four sums: a loop's turn costs a software adapter more than what it adds up.
    let shift = x[base + first * p.inner];
    var sums = vec4(0.0);
    var squares_4 = vec4(0.0);
    var j = first;
    for (; j + 3u * step < end; j += 4u * step) {
        let deviations = four(base, j, step) - vec4(shift);
        sums += deviations;
        squares_4 += deviations * deviations;
    }
    var sum = dot(sums, vec4(1.0));
    var squares = dot(squares_4, vec4(1.0));
    for (; j < end; j += step) {
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

// One thread for every 16th element of a chunk, without the barriers of reduce_long, which cost a software adapter far more than the
// longer list that merge_chunks then goes through: SwiftShader makes a fiber of every four threads that wait at one.
@compute @workgroup_size(64)
fn reduce_parts(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    let row = i / p.chunks;
    if (row >= p.rows) {
        return;
    }
    let part = i % p.chunks;
    let start = part / 16u * p.chunk;
    numbers_out[i] = vec4(reduced(base_of(row), start + part % 16u, min(start + p.chunk, p.n), 16u), 0.0);
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

// Elements of one plane as the numbers of their row make them: the softmax, or normalised, scaled, shifted, modulated, activated.
fn applied(elements: vec4<f32>, of_row: vec3<f32>, plane: u32) -> vec4<f32> {
    if (p.softmax == 1u) {
        return exp(elements - vec4(of_row.x)) / of_row.y;
    }
    var y = (elements - vec4(of_row.x)) * inverseSqrt(of_row.y / of_row.z + p.epsilon);
    var channel = 0u;
    if (p.affine == 1u) {
        channel = plane % p.channels;
        y = y * weight[channel] + vec4(bias[channel]);
    }
    if (p.film == 1u) {
        // A modulation has two planes for every plane of x: an image's scales, then its shifts.
        let scale = 2u * plane - channel;
        y = y * (1.0 + film[scale]) + vec4(film[scale + p.channels]);
    }
    if (p.silu == 1u) {
        y = silu(y);
    }
    return y;
}

// What becomes of four neighbours, which are of one row and plane: inner is 1, and pixels and n are multiples of 4. Integers are divided
// once for them.
fn applied_vector(i: u32) -> vec4<f32> {
    let plane = i / (p.pixels / 4u);
    return applied(x4[i], numbers[plane / (p.n / p.pixels)].xyz, plane);
}

@compute @workgroup_size(64)
fn apply(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i < p.count / 4u) {
        out4[i] = applied_vector(i);
    }
}

// The same with a sum. It is an entry point of its own because software adapters pay for both sides of a branch.
@compute @workgroup_size(64)
fn apply_plus(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i < p.count / 4u) {
        out4[i] = applied_vector(i) + plus4[i];
    }
}

// One element of any row.
@compute @workgroup_size(64)
fn apply_single(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i < p.count) {
        let row = i / (p.n * p.inner) * p.inner + i % p.inner;
        out[i] = applied(vec4(x[i]), numbers[row].xyz, i / p.pixels).x;
    }
}

var<workgroup> shared_256: array<vec3<f32>, 256>;

// The numbers of the vectors first, first + 256, .. below end.
fn reduced_vectors(first: u32, end: u32) -> vec3<f32> {
    if (first >= end) {
        return nothing();
    }
    if (p.softmax == 1u) {
        var most = x4[first];
        for (var j = first + 256u; j < end; j += 256u) {
            most = max(most, x4[j]);
        }
        let greatest = max(max(most.x, most.y), max(most.z, most.w));
        var sums = vec4(0.0);
        for (var j = first; j < end; j += 256u) {
            sums += exp(x4[j] - vec4(greatest));
        }
        return vec3(greatest, dot(sums, vec4(1.0)), 0.0);
    }
    let shift = x4[first].x;
    var sums = vec4(0.0);
    var squares = vec4(0.0);
    for (var j = first; j < end; j += 256u) {
        let deviations = x4[j] - vec4(shift);
        sums += deviations;
        squares += deviations * deviations;
    }
    let sum = dot(sums, vec4(1.0));
    let count = f32((end - first + 255u) / 256u * 4u);
    return vec3(shift + sum / count, max(dot(squares, vec4(1.0)) - sum * sum / count, 0.0), count);
}

// One workgroup for each row, from its elements to what becomes of them, for the rows that `apply` takes.
@compute @workgroup_size(256)
fn row_at_once(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group.y * groups.x + group.x;
    if (row >= p.rows) {
        return;
    }
    let first = row * (p.n / 4u);
    let end = first + p.n / 4u;
    shared_256[local] = reduced_vectors(first + local, end);
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            shared_256[local] = merged(shared_256[local], shared_256[local + half]);
        }
    }
    workgroupBarrier();
    let of_row = shared_256[0];
    for (var i = first + local; i < end; i += 256u) {
        let y = applied(x4[i], of_row, i / (p.pixels / 4u));
        if (p.plus == 1u) { out4[i] = y + plus4[i]; } else { out4[i] = y; }
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
