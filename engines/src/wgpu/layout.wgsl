// Operations that move values without changing them, and resampling.

struct GatherParameters {
    count: u32,
    rank: u32,
    first_source: u32,
    first_target: u32,
    // Innermost first: extent, stride in x, stride in the result.
    dims: array<vec4<u32>, 6>,
}

struct ImageParameters {
    // Threads: pixels of the result over all planes, or of x (upsample).
    count: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    // Padding: rows above and columns on the left.
    top: u32,
    left: u32,
    // Pooling: side of a tile.
    window: u32,
}

@group(0) @binding(0) var<uniform> gather_p: GatherParameters;
@group(0) @binding(0) var<uniform> p: ImageParameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // any strides, or (planes, out_height, out_width)
@group(0) @binding(2) var<storage, read> x: array<f32>; // any strides, or (planes, height, width)
// The same bindings as groups of four.
@group(0) @binding(1) var<storage, read_write> out4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x4: array<vec4<f32>>;

// Where element i is in x and in the result.
fn places(i: u32) -> vec2<u32> {
    var rest = i;
    var at = vec2(gather_p.first_source, gather_p.first_target);
    for (var d = 0u; d < gather_p.rank; d++) {
        let dim = gather_p.dims[d];
        at += rest % dim.x * dim.yz;
        rest /= dim.x;
    }
    return at;
}

@compute @workgroup_size(64)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i < gather_p.count) {
        let at = places(i);
        out[at.y] = x[at.x];
    }
}

// Four elements that are neighbours in x and in the result. All parameters count groups of four.
@compute @workgroup_size(64)
fn gather_vectors(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i < gather_p.count) {
        let at = places(i);
        out4[at.y] = x4[at.x];
    }
}

// Parameters of gather_rows: number of elements of the result, and of each row.
struct RowParameters {
    count: u32,
    run: u32,
}

@group(0) @binding(0) var<uniform> row_p: RowParameters;
@group(0) @binding(3) var<storage, read> rows: array<f32>; // (rows of the result)

@compute @workgroup_size(64)
fn gather_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i < row_p.count) {
        out[i] = x[u32(rows[i / row_p.run]) * row_p.run + i % row_p.run];
    }
}

// Plane, row and column of a pixel of the result.
fn pixel(i: u32) -> vec3<u32> {
    let row = i / p.out_width;
    return vec3(row / p.out_height, row % p.out_height, i % p.out_width);
}

@compute @workgroup_size(64)
fn pad(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= p.count) {
        return;
    }
    let at = pixel(i);
    // Above and left of the image the differences wrap around to large numbers.
    let row = at.y - p.top;
    let column = at.z - p.left;
    var value = 0.0;
    if (row < p.height && column < p.width) {
        value = x[(at.x * p.height + row) * p.width + column];
    }
    out[i] = value;
}

// Repeats every pixel twice in both directions. One thread for each pixel of x.
@compute @workgroup_size(64)
fn upsample(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= p.count) {
        return;
    }
    // Rows are counted through all planes.
    let row = i / p.width;
    let at = row * 4u * p.width + 2u * (i - row * p.width);
    let value = x[i];
    out[at] = value;
    out[at + 1u] = value;
    out[at + 2u * p.width] = value;
    out[at + 2u * p.width + 1u] = value;
}

// The lower of the two source positions of `index`, and the weight of the upper position. Whole numbers keep the corners exact.
fn source_position(index: u32, extent: u32, out_extent: u32) -> vec2<f32> {
    if (out_extent == 1u) {
        return vec2(0.0, 0.0);
    }
    let scaled = index * (extent - 1u);
    let lower = scaled / (out_extent - 1u);
    return vec2(f32(lower), f32(scaled % (out_extent - 1u)) / f32(out_extent - 1u));
}

@compute @workgroup_size(64)
fn bilinear(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= p.count) {
        return;
    }
    let at = pixel(i);
    let row = source_position(at.y, p.height, p.out_height);
    let column = source_position(at.z, p.width, p.out_width);
    let left = u32(column.x);
    let right = min(left + 1u, p.width - 1u);
    let upper = (at.x * p.height + u32(row.x)) * p.width;
    let lower = (at.x * p.height + min(u32(row.x) + 1u, p.height - 1u)) * p.width;
    let above = mix(x[upper + left], x[upper + right], column.y);
    let below = mix(x[lower + left], x[lower + right], column.y);
    out[i] = mix(above, below, row.y);
}

@compute @workgroup_size(64)
fn average_pool(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= p.count) {
        return;
    }
    let at = pixel(i);
    let corner = (at.x * p.height + at.y * p.window) * p.width + at.z * p.window;
    var sum = 0.0;
    for (var dy = 0u; dy < p.window; dy++) {
        for (var dx = 0u; dx < p.window; dx++) {
            sum += x[corner + dy * p.width + dx];
        }
    }
    out[i] = sum / f32(p.window * p.window);
}
