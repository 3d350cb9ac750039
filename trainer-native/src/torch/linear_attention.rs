//! Linear attention with its gradient in two passes over the tokens each, where separate operations would take a dozen and copy
//! queries, keys and values apart.
//!
//! With p a token's query and kappa its key, each after its softmax, and c = 1 / (tokens sqrt(d)): context = c sum(kappa v^T), and
//! out = context^T p. Softmaxes are computed anew for the gradient; kept are the input, the context and the keys' normalisers.

use super::custom::{Shared, differentiable, parallel, values, values_mut};
use super::kernels::exp;
use multiversion::multiversion;
use tch::Tensor;

/// Queries, keys and values of one image and one head: token t's begin at `offset` + t `stride`, `hidden` apart.
#[derive(Clone, Copy)]
struct Head {
    offset: usize,
    stride: usize,
    hidden: usize,
    tokens: usize,
}

/// What the backward pass takes from the forward pass.
#[derive(Clone)]
struct HeadState {
    /// Row: channel of the key; column: channel of the value.
    context: [[f32; D]; D],
    greatest_key: [f32; D],
    /// One over the sum of exponentials of the keys above the greatest.
    key_scale: [f32; D],
}

/// Channels of a head that there are kernels for: nano's. Kernels for 16 and 32 took three times as long as libtorch's operations
/// (docs/measurements/training-speed.md).
pub(super) const WIDTH: usize = 8;
const D: usize = WIDTH;

/// (N, H, W, 3 heads d), contiguous float32 on the CPU -> (N, H, W, heads d) with d of [`WIDTH`]; see `Engine::linear_attention`.
pub(super) fn linear_attention(qkv: &Tensor, heads: usize) -> Tensor {
    let size = qkv.size();
    let (images, tokens, hidden) = (size[0] as usize, (size[1] * size[2]) as usize, heads * D);
    let head = move |number: usize| {
        let (image, head) = (number / heads, number % heads);
        (Head { offset: image * tokens * 3 * hidden + head * D, stride: 3 * hidden, hidden, tokens }, (image * tokens * hidden + head * D))
    };
    let mut states = vec![HeadState { context: [[0.0; D]; D], greatest_key: [0.0; D], key_scale: [0.0; D] }; images * heads];
    let output = tch::no_grad(|| {
        let mut output = Tensor::empty([size[0], size[1], size[2], hidden as i64], (qkv.kind(), qkv.device()));
        let (x, kept, written) = (values(qkv), Shared::new(&mut states), Shared::new(values_mut(&mut output)));
        parallel(images * heads, |numbers| {
            for number in numbers {
                // SAFETY: every head has its own state.
                let [state] = (unsafe { kept.part(number..number + 1) }) else { unreachable!("one state a head") };
                let (head, output) = head(number);
                *state = summarize(x, head);
                attend(x, head, state, &written, output);
            }
        });
        output
    });
    let kept = qkv.detach();
    differentiable(output, &[qkv], move |gradient| {
        let gradient = gradient.contiguous();
        let mut of_input = kept.empty_like();
        let (x, of_output, written) = (values(&kept), values(&gradient), Shared::new(values_mut(&mut of_input)));
        parallel(images * heads, |numbers| {
            for number in numbers {
                let (head, output) = head(number);
                backward(x, head, &states[number], (of_output, output), &written);
            }
        });
        vec![Some(of_input)]
    })
}

#[inline(always)]
fn row(values: &[f32], start: usize) -> [f32; D] {
    let mut row = [0.0; D];
    row.copy_from_slice(&values[start..start + D]);
    row
}

/// sum += factor row.
#[inline(always)]
fn add(sum: &mut [f32; D], factor: f32, row: &[f32; D]) {
    for i in 0..D {
        sum[i] += factor * row[i];
    }
}

/// matrix^T vector: the sum of the matrix's rows, weighed.
#[inline(always)]
fn weighed_rows(matrix: &[[f32; D]; D], weights: &[f32; D]) -> [f32; D] {
    let mut sum = [0.0; D];
    for j in 0..D {
        add(&mut sum, weights[j], &matrix[j]);
    }
    sum
}

#[inline(always)]
fn transposed(matrix: &[[f32; D]; D]) -> [[f32; D]; D] {
    let mut result = [[0.0; D]; D];
    for j in 0..D {
        for i in 0..D {
            result[i][j] = matrix[j][i];
        }
    }
    result
}

#[inline(always)]
fn softmax(logits: [f32; D]) -> [f32; D] {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut result = [0.0; D];
    for i in 0..D {
        result[i] = exp(logits[i] - greatest);
    }
    let scale = 1.0 / result.iter().sum::<f32>();
    result.map(|value| value * scale)
}

/// The key's exponentials over their sum among all tokens.
#[inline(always)]
fn key_softmax(key: &[f32; D], state: &HeadState) -> [f32; D] {
    let mut result = [0.0; D];
    for i in 0..D {
        result[i] = exp(key[i] - state.greatest_key[i]) * state.key_scale[i];
    }
    result
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn summarize(qkv: &[f32], head: Head) -> HeadState {
    let tokens = || (0..head.tokens).map(|token| head.offset + token * head.stride + head.hidden);
    let mut greatest_key = [f32::NEG_INFINITY; D];
    for start in tokens() {
        let key = row(qkv, start);
        for i in 0..D {
            greatest_key[i] = if key[i] > greatest_key[i] { key[i] } else { greatest_key[i] };
        }
    }
    let (mut context, mut sum) = ([[0.0; D]; D], [0.0; D]);
    for start in tokens() {
        let (key, value) = (row(qkv, start), row(qkv, start + head.hidden));
        for j in 0..D {
            let exponential = exp(key[j] - greatest_key[j]);
            sum[j] += exponential;
            add(&mut context[j], exponential, &value);
        }
    }
    let key_scale = sum.map(|sum| 1.0 / sum);
    let scale = 1.0 / (head.tokens as f32 * (D as f32).sqrt());
    for j in 0..D {
        context[j] = context[j].map(|value| value * scale * key_scale[j]);
    }
    HeadState { context, greatest_key, key_scale }
}

/// Writes every token's output, the first at `output`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn attend(qkv: &[f32], head: Head, state: &HeadState, written: &Shared<f32>, output: usize) {
    for token in 0..head.tokens {
        let query = softmax(row(qkv, head.offset + token * head.stride));
        let start = output + token * head.hidden;
        // SAFETY: no other head writes these channels.
        unsafe { written.part(start..start + D) }.copy_from_slice(&weighed_rows(&state.context, &query));
    }
}

/// Writes the gradients of queries, keys and values; the output's begins at the given place.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
fn backward(qkv: &[f32], head: Head, state: &HeadState, (gradient, output): (&[f32], usize), written: &Shared<f32>) {
    // SAFETY: no other head writes these channels.
    let write = |start: usize, values: [f32; D]| unsafe { written.part(start..start + D) }.copy_from_slice(&values);
    let context_transposed = transposed(&state.context);
    let mut of_context = [[0.0; D]; D];
    for token in 0..head.tokens {
        let start = head.offset + token * head.stride;
        let (query, of_output) = (softmax(row(qkv, start)), row(gradient, output + token * head.hidden));
        for j in 0..D {
            add(&mut of_context[j], query[j], &of_output);
        }
        let of_softmax = weighed_rows(&context_transposed, &of_output);
        let mean: f32 = (0..D).map(|i| query[i] * of_softmax[i]).sum();
        write(start, std::array::from_fn(|i| query[i] * (of_softmax[i] - mean)));
    }
    // The keys' softmax subtracts sum(kappa dkappa) over the tokens, which is dcontext times context.
    let means: [f32; D] = std::array::from_fn(|j| (0..D).map(|i| of_context[j][i] * state.context[j][i]).sum());
    let scale = 1.0 / (head.tokens as f32 * (D as f32).sqrt());
    let of_context = of_context.map(|row| row.map(|value| value * scale));
    let of_context_transposed = transposed(&of_context);
    for token in 0..head.tokens {
        let start = head.offset + token * head.stride + head.hidden;
        let (key, value) = (key_softmax(&row(qkv, start), state), row(qkv, start + head.hidden));
        let of_softmax = weighed_rows(&of_context_transposed, &value);
        write(start, std::array::from_fn(|j| key[j] * (of_softmax[j] - means[j])));
        write(start + head.hidden, weighed_rows(&of_context, &key));
    }
}
