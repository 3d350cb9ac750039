// Matrix products alpha a b + bias. A thread computes 4 x 4 elements of the result.
//
// The terms are summed in runs, and the runs' sums are added up: each addition rounds in proportion to the sum so far, and k may be
// thousands.

struct Parameters {
    m: u32,
    n: u32,
    k: u32,
    // Strides of b, which may be transposed. Its batches lie b_batch apart (0: all batches share one matrix).
    b_row: u32,
    b_column: u32,
    b_batch: u32,
    has_bias: u32,
    alpha: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // (batch, m, n)
@group(0) @binding(2) var<storage, read> a: array<f32>; // (batch, m, k)
@group(0) @binding(3) var<storage, read> b: array<f32>; // (batch, k, n)
@group(0) @binding(4) var<storage, read> bias: array<f32>; // (n)

// Terms of a run.
const RUN: u32 = 64u;

// Columns of a thread lie this far apart, so that neighbouring threads have neighbouring columns.
const STEP: u32 = 8u;

// Stores four elements of a row of the result, without those past its end.
fn store(row: u32, column: u32, batch: u32, values: vec4<f32>) {
    if (row >= p.m) {
        return;
    }
    let at = (batch * p.m + row) * p.n + column;
    out[at] = values.x;
    if (column + STEP < p.n) { out[at + STEP] = values.y; }
    if (column + 2u * STEP < p.n) { out[at + 2u * STEP] = values.z; }
    if (column + 3u * STEP < p.n) { out[at + 3u * STEP] = values.w; }
}

fn four(at: vec4<u32>) -> vec4<f32> {
    return vec4(b[at.x], b[at.y], b[at.z], b[at.w]);
}

@compute @workgroup_size(8, 8)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let column = group.x * 4u * STEP + local.x;
    let row = (group.y * 8u + local.y) * 4u;
    if (column >= p.n || row >= p.m) {
        return;
    }
    // Rows and columns past the end repeat the last, and are not stored.
    let rows = min(vec4(row, row + 1u, row + 2u, row + 3u), vec4(p.m - 1u));
    let columns = min(vec4(column, column + STEP, column + 2u * STEP, column + 3u * STEP), vec4(p.n - 1u));
    let at_a = (vec4(group.z * p.m) + rows) * p.k;
    var at_b = vec4(group.z * p.b_batch) + columns * p.b_column;
    // One sum for each row of the result.
    var sum_0 = vec4(0.0);
    var sum_1 = vec4(0.0);
    var sum_2 = vec4(0.0);
    var sum_3 = vec4(0.0);
    for (var first = 0u; first < p.k; first += RUN) {
        var run_0 = vec4(0.0);
        var run_1 = vec4(0.0);
        var run_2 = vec4(0.0);
        var run_3 = vec4(0.0);
        let end = min(first + RUN, p.k);
        var k = first;
        // Four terms a turn: on a software adapter a turn costs as much as several terms.
        for (; k + 3u < end; k += 4u) {
            let b_0 = four(at_b);
            let b_1 = four(at_b + vec4(p.b_row));
            let b_2 = four(at_b + vec4(2u * p.b_row));
            let b_3 = four(at_b + vec4(3u * p.b_row));
            let a_0 = at_a.x + k;
            let a_1 = at_a.y + k;
            let a_2 = at_a.z + k;
            let a_3 = at_a.w + k;
            run_0 += a[a_0] * b_0 + a[a_0 + 1u] * b_1 + a[a_0 + 2u] * b_2 + a[a_0 + 3u] * b_3;
            run_1 += a[a_1] * b_0 + a[a_1 + 1u] * b_1 + a[a_1 + 2u] * b_2 + a[a_1 + 3u] * b_3;
            run_2 += a[a_2] * b_0 + a[a_2 + 1u] * b_1 + a[a_2 + 2u] * b_2 + a[a_2 + 3u] * b_3;
            run_3 += a[a_3] * b_0 + a[a_3 + 1u] * b_1 + a[a_3 + 2u] * b_2 + a[a_3 + 3u] * b_3;
            at_b += vec4(4u * p.b_row);
        }
        for (; k < end; k++) {
            let right = four(at_b);
            run_0 += a[at_a.x + k] * right;
            run_1 += a[at_a.y + k] * right;
            run_2 += a[at_a.z + k] * right;
            run_3 += a[at_a.w + k] * right;
            at_b += vec4(p.b_row);
        }
        sum_0 += run_0;
        sum_1 += run_1;
        sum_2 += run_2;
        sum_3 += run_3;
    }
    var shift = vec4(0.0);
    if (p.has_bias == 1u) {
        shift = vec4(bias[columns.x], bias[columns.y], bias[columns.z], bias[columns.w]);
    }
    store(row, column, group.z, p.alpha * sum_0 + shift);
    store(row + 1u, column, group.z, p.alpha * sum_1 + shift);
    store(row + 2u, column, group.z, p.alpha * sum_2 + shift);
    store(row + 3u, column, group.z, p.alpha * sum_3 + shift);
}
