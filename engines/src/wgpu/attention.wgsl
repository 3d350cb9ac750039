// softmax(scale * q k^T) v without a matrix of scores: a workgroup goes through the keys tile by tile, and keeps for each of its queries the
// greatest score so far, the sum of e^(score - greatest) and the values weighted by it (Milakov and Gimelshein, 2018; Dao et al., 2022).
//
// A workgroup of 256 threads has 16 queries and up to 256 channels of the values. For a tile of 64 keys a thread computes 4 scores of its
// query, and then up to 16 channels of the same query.

struct Parameters {
    queries: u32,
    keys: u32,
    // Channels of queries and keys, and of values.
    width: u32,
    channels: u32,
    // Elements from one token to the next and from one channel to the next.
    q_token: u32,
    q_channel: u32,
    k_token: u32,
    k_channel: u32,
    v_token: u32,
    v_channel: u32,
    out_token: u32,
    out_channel: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> p: Parameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // B images of queries x channels
@group(0) @binding(2) var<storage, read> q: array<f32>; // of queries x width
@group(0) @binding(3) var<storage, read> k: array<f32>; // of keys x width
@group(0) @binding(4) var<storage, read> v: array<f32>; // of keys x channels

const QUERIES: u32 = 16u;
const KEYS: u32 = 64u;
const LEAST: f32 = -3.0e38;

var<workgroup> weights: array<f32, 1024>; // (KEYS, QUERIES)
var<workgroup> of_threads: array<f32, 256>; // (16, QUERIES)

// Four channels of a key's value; those past the last repeat it, and are not stored.
fn value(at: u32, channel: u32) -> vec4<f32> {
    let last = p.channels - 1u;
    let c = min(vec4(channel, channel + 1u, channel + 2u, channel + 3u), vec4(last)) * p.v_channel + vec4(at);
    return vec4(v[c.x], v[c.y], v[c.z], v[c.w]);
}

fn store(at: u32, channel: u32, values: vec4<f32>) {
    if (channel < p.channels) { out[at + channel * p.out_channel] = values.x; }
    if (channel + 1u < p.channels) { out[at + (channel + 1u) * p.out_channel] = values.y; }
    if (channel + 2u < p.channels) { out[at + (channel + 2u) * p.out_channel] = values.z; }
    if (channel + 3u < p.channels) { out[at + (channel + 3u) * p.out_channel] = values.w; }
}

// Grid of workgroups: queries, channels of the values, images.
@compute @workgroup_size(256)
fn attention(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let mine = local % QUERIES;
    let part = local / QUERIES;
    let query = group.x * QUERIES + mine;
    // Queries past the last repeat it, and are not stored.
    let q_at = group.z * p.queries * p.width + min(query, p.queries - 1u) * p.q_token;
    let k_base = group.z * p.keys * p.width;
    let v_base = group.z * p.keys * p.channels;
    let channel = group.y * 256u + part * 4u;
    var greatest = LEAST;
    // Of this thread's own scores.
    var sum = 0.0;
    var a = vec4(0.0);
    var b = vec4(0.0);
    var c = vec4(0.0);
    var d = vec4(0.0);
    for (var first = 0u; first < p.keys; first += KEYS) {
        let key = first + part * 4u;
        let k_at = vec4(k_base) + min(vec4(key, key + 1u, key + 2u, key + 3u), vec4(p.keys - 1u)) * p.k_token;
        var scores = vec4(0.0);
        for (var i = 0u; i < p.width; i++) {
            let at = k_at + vec4(i * p.k_channel);
            scores += q[q_at + i * p.q_channel] * vec4(k[at.x], k[at.y], k[at.z], k[at.w]);
        }
        scores = select(vec4(LEAST), scores * p.scale, vec4(key, key + 1u, key + 2u, key + 3u) < vec4(p.keys));
        of_threads[local] = max(max(scores.x, scores.y), max(scores.z, scores.w));
        workgroupBarrier();
        let before = greatest;
        for (var i = 0u; i < 16u; i++) {
            greatest = max(greatest, of_threads[i * QUERIES + mine]);
        }
        // The bound keeps the exponents finite, at the first tile and past the last key.
        let fade = exp(max(before - greatest, -100.0));
        let own = select(vec4(0.0), exp(scores - vec4(greatest)), scores > vec4(LEAST));
        let at = part * 4u * QUERIES + mine;
        weights[at] = own.x;
        weights[at + QUERIES] = own.y;
        weights[at + 2u * QUERIES] = own.z;
        weights[at + 3u * QUERIES] = own.w;
        sum = sum * fade + dot(own, vec4(1.0));
        workgroupBarrier();
        let end = min(KEYS, p.keys - first);
        if (channel < p.channels) {
            a *= fade;
            b *= fade;
            c *= fade;
            d *= fade;
            for (var i = 0u; i < end; i++) {
                let weight = weights[i * QUERIES + mine];
                let v_at = v_base + (first + i) * p.v_token;
                a += weight * value(v_at, channel);
                if (channel + 64u < p.channels) { b += weight * value(v_at, channel + 64u); }
                if (channel + 128u < p.channels) { c += weight * value(v_at, channel + 128u); }
                if (channel + 192u < p.channels) { d += weight * value(v_at, channel + 192u); }
            }
        }
    }
    workgroupBarrier();
    of_threads[local] = sum;
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < 16u; i++) {
        total += of_threads[i * QUERIES + mine];
    }
    if (query >= p.queries) {
        return;
    }
    let out_at = group.z * p.queries * p.channels + query * p.out_token;
    store(out_at, channel, a / total);
    store(out_at, channel + 64u, b / total);
    store(out_at, channel + 128u, c / total);
    store(out_at, channel + 192u, d / total);
}
