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

// Stores four elements of a row of the result, without those past its end.
fn store(row: u32, column: u32, batch: u32, values: vec4<f32>) {
    if (row >= p.m) {
        return;
    }
    let at = (batch * p.m + row) * p.n + column;
    out[at] = values.x;
    if (column + 1u < p.n) { out[at + 1u] = values.y; }
    if (column + 2u < p.n) { out[at + 2u] = values.z; }
    if (column + 3u < p.n) { out[at + 3u] = values.w; }
}

@compute @workgroup_size(8, 8)
fn matmul(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = id.x * 4u;
    let row = id.y * 4u;
    if (column >= p.n || row >= p.m) {
        return;
    }
    // Rows and columns past the end repeat the last, and are not stored.
    let rows = min(vec4(row, row + 1u, row + 2u, row + 3u), vec4(p.m - 1u));
    let columns = min(vec4(column, column + 1u, column + 2u, column + 3u), vec4(p.n - 1u));
    var at_a = (vec4(id.z * p.m) + rows) * p.k;
    var at_b = vec4(id.z * p.b_batch) + columns * p.b_column;
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
        for (var k = first; k < min(first + RUN, p.k); k++) {
            let right = vec4(b[at_b.x], b[at_b.y], b[at_b.z], b[at_b.w]);
            run_0 += a[at_a.x] * right;
            run_1 += a[at_a.y] * right;
            run_2 += a[at_a.z] * right;
            run_3 += a[at_a.w] * right;
            at_a += vec4(1u);
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
    store(row, column, id.z, p.alpha * sum_0 + shift);
    store(row + 1u, column, id.z, p.alpha * sum_1 + shift);
    store(row + 2u, column, id.z, p.alpha * sum_2 + shift);
    store(row + 3u, column, id.z, p.alpha * sum_3 + shift);
}
