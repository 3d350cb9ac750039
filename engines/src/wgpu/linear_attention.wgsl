// Linear attention: out = (softmax(k) v^T / tokens)^T softmax(q) / sqrt(d) in each head. k passes a softmax over the tokens, q one over
// its channels.

struct Parameters {
    heads: u32,
    // Channels of a head.
    head_dim: u32,
    tokens: u32,
    // Channels of all heads and images.
    rows: u32,
    // Threads of apply_context.
    threads: u32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // the context (N heads, d, e), or (N, heads e, tokens)
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // (N, 3, heads, d, tokens)
@group(0) @binding(3) var<storage, read> context: array<f32>; // (N heads, d, e)

const THREADS: u32 = 64u;

var<workgroup> shared_values: array<vec4<f32>, 64>;

fn total(local: u32, value: vec4<f32>) -> vec4<f32> {
    shared_values[local] = value;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            shared_values[local] += shared_values[local + half];
        }
    }
    workgroupBarrier();
    let all = shared_values[0];
    workgroupBarrier();
    return all;
}

fn greatest(local: u32, value: f32) -> f32 {
    shared_values[local].x = value;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (local < half) {
            shared_values[local].x = max(shared_values[local].x, shared_values[local + half].x);
        }
    }
    workgroupBarrier();
    let all = shared_values[0].x;
    workgroupBarrier();
    return all;
}

// Where the first channel of a head's queries (0), keys (1) or values (2) begins.
fn first_of(image: u32, part: u32, head: u32) -> u32 {
    return ((image * 3u + part) * p.heads + head) * p.head_dim * p.tokens;
}

// One workgroup for each channel d of the keys: its row of the context.
@compute @workgroup_size(64)
fn attention_context(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group.y * groups.x + group.x;
    if (row >= p.rows) {
        return;
    }
    let head = row / p.head_dim;
    let key = first_of(head / p.heads, 1u, head % p.heads) + row % p.head_dim * p.tokens;
    let value = first_of(head / p.heads, 2u, head % p.heads);
    var most = -3.0e38;
    for (var t = local; t < p.tokens; t += THREADS) {
        most = max(most, qkv[key + t]);
    }
    most = greatest(local, most);
    var sum = 0.0;
    for (var t = local; t < p.tokens; t += THREADS) {
        sum += exp(qkv[key + t] - most);
    }
    let scale = 1.0 / (total(local, vec4(sum)).x * f32(p.tokens));
    let last = p.head_dim - 1u;
    for (var e = 0u; e < p.head_dim; e += 4u) {
        // Channels past the last repeat it, and are not stored.
        let at = vec4(value) + min(vec4(e, e + 1u, e + 2u, e + 3u), vec4(last)) * p.tokens;
        var products = vec4(0.0);
        for (var t = local; t < p.tokens; t += THREADS) {
            products += exp(qkv[key + t] - most) * vec4(qkv[at.x + t], qkv[at.y + t], qkv[at.z + t], qkv[at.w + t]);
        }
        products = total(local, products) * scale;
        if (local < 4u && e + local < p.head_dim) {
            out[row * p.head_dim + e + local] = products[local];
        }
    }
}

// One thread for each pixel and four channels of the result; neighbouring threads have neighbouring pixels.
@compute @workgroup_size(64)
fn apply_context(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = thread_index(group, groups, local);
    if (i >= p.threads) {
        return;
    }
    let t = i % p.tokens;
    let fours = (p.head_dim + 3u) / 4u;
    let e = i / p.tokens % fours * 4u;
    let head = i / p.tokens / fours;
    let query = first_of(head / p.heads, 0u, head % p.heads) + t;
    var most = -3.0e38;
    for (var d = 0u; d < p.head_dim; d++) {
        most = max(most, qkv[query + d * p.tokens]);
    }
    let columns = min(vec4(e, e + 1u, e + 2u, e + 3u), vec4(p.head_dim - 1u));
    var sum = 0.0;
    var products = vec4(0.0);
    for (var d = 0u; d < p.head_dim; d++) {
        let weight = exp(qkv[query + d * p.tokens] - most);
        let at = vec4((head * p.head_dim + d) * p.head_dim) + columns;
        sum += weight;
        products += weight * vec4(context[at.x], context[at.y], context[at.z], context[at.w]);
    }
    products *= inverseSqrt(f32(p.head_dim)) / sum;
    let first = (head * p.head_dim + e) * p.tokens + t;
    out[first] = products.x;
    if (e + 1u < p.head_dim) { out[first + p.tokens] = products.y; }
    if (e + 2u < p.head_dim) { out[first + 2u * p.tokens] = products.z; }
    if (e + 3u < p.head_dim) { out[first + 3u * p.tokens] = products.w; }
}
