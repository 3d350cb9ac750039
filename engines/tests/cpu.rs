//! The CPU engine's kernels at the sizes where their tiles end: every remainder of rows, columns and channels, compared with
//! float64 loops. The conformance suite checks the meaning of the operations.

use radiodiff_core::engine::{ConvGeometry, Engine, Padding, Unary, conformance, shape};
use radiodiff_engines::cpu::{CpuEngine, CpuTensor};

/// Values in [-1, 1) without a short period.
fn noise(seed: u64, shape: &[usize]) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..shape.iter().product::<usize>())
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

fn tensor(engine: &CpuEngine, seed: u64, shape: &[usize]) -> CpuTensor {
    engine.tensor(&noise(seed, shape), shape)
}

/// Asserts that every value is within 1e-5 of the largest expected value.
#[track_caller]
fn assert_close(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-30_f64, |m, v| m.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs() / scale;
        assert!(error <= 1e-5, "{what}: element {i} is {found}, expected {expected}");
    }
}

fn conv_loops(x: &CpuTensor, weight: &CpuTensor, bias: Option<&CpuTensor>, geometry: ConvGeometry) -> Vec<f64> {
    let [n, out, height, width] = shape::conv2d(x.shape(), weight.shape(), geometry);
    let (channels, h, w) = (x.shape()[1], x.shape()[2], x.shape()[3]);
    let (kh, kw) = (weight.shape()[2], weight.shape()[3]);
    let mut result = Vec::new();
    for image in 0..n {
        for o in 0..out {
            for y in 0..height {
                for column in 0..width {
                    let mut sum = bias.map_or(0.0, |bias| f64::from(bias.values()[o]));
                    for c in 0..channels {
                        for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                            let (sy, sx) = (y * geometry.stride + ky, column * geometry.stride + kx);
                            let (Some(sy), Some(sx)) = (sy.checked_sub(geometry.padding.top), sx.checked_sub(geometry.padding.left)) else {
                                continue;
                            };
                            if sy < h && sx < w {
                                let value = x.values()[((image * channels + c) * h + sy) * w + sx];
                                sum += f64::from(value) * f64::from(weight.values()[((o * channels + c) * kh + ky) * kw + kx]);
                            }
                        }
                    }
                    result.push(sum);
                }
            }
        }
    }
    result
}

#[track_caller]
fn check_conv(x_shape: &[usize], weight_shape: &[usize], geometry: ConvGeometry) {
    let engine = CpuEngine::new();
    let (x, weight) = (tensor(&engine, 1, x_shape), tensor(&engine, 2, weight_shape));
    let bias = tensor(&engine, 3, &weight_shape[..1]);
    for bias in [None, Some(&bias)] {
        let what = format!("conv2d of {x_shape:?} with {weight_shape:?}, {geometry:?}, bias {}", bias.is_some());
        let found = engine.conv2d(&x, &weight, bias, geometry);
        assert_eq!(found.shape(), shape::conv2d(x_shape, weight_shape, geometry));
        assert_close(found.values(), &conv_loops(&x, &weight, bias, geometry), &what);
    }
}

#[test]
fn convolutions_of_3x3_are_right_at_every_width_and_height() {
    for width in 1..52 {
        check_conv(&[1, 2, 5, width], &[3, 2, 3, 3], ConvGeometry::same(3));
        check_conv(&[1, 2, width, 7], &[3, 2, 3, 3], ConvGeometry::same(3));
    }
    check_conv(&[1, 3, 37, 150], &[5, 3, 3, 3], ConvGeometry::same(3));
}

#[test]
fn convolutions_of_3x3_are_right_at_every_number_of_channels() {
    for channels in 1..20 {
        check_conv(&[2, channels, 6, 9], &[4, channels, 3, 3], ConvGeometry::same(3));
        check_conv(&[1, 2, 6, 13], &[channels, 2, 3, 3], ConvGeometry::same(3));
    }
    check_conv(&[1, 70, 8, 8], &[65, 70, 3, 3], ConvGeometry::same(3));
}

/// Winograd's products cost digits: relative L2 errors of 4e-7 with 8 channels to 8e-7 with 256.
#[test]
fn convolutions_of_3x3_keep_their_digits() {
    let engine = CpuEngine::new();
    for channels in [8, 32, 96, 256, 512] {
        let (x, weight) = (tensor(&engine, 1, &[1, channels, 16, 16]), tensor(&engine, 2, &[8, channels, 3, 3]));
        let found = engine.conv2d(&x, &weight, None, ConvGeometry::same(3));
        let expected = conv_loops(&x, &weight, None, ConvGeometry::same(3));
        let error: f64 = found.values().iter().zip(&expected).map(|(found, expected)| (f64::from(*found) - expected).powi(2)).sum();
        let error = (error / expected.iter().map(|v| v * v).sum::<f64>()).sqrt();
        println!("conv2d of 3 x 3 over {channels} channels is off by {error:.2e}");
        assert!(error < 1e-6, "conv2d of 3 x 3 over {channels} channels is off by {error}");
    }
}

#[test]
fn convolutions_are_right_for_every_padding_and_stride() {
    let sides = Padding { top: 2, bottom: 0, left: 1, right: 3 };
    for padding in [Padding::default(), Padding::all(1), Padding::all(2), Padding::bottom_right(1), sides] {
        for stride in 1..4 {
            let geometry = ConvGeometry { stride, padding };
            check_conv(&[1, 3, 10, 14], &[4, 3, 3, 3], geometry);
            check_conv(&[2, 2, 9, 16], &[3, 2, 4, 4], geometry);
            check_conv(&[1, 5, 7, 15], &[6, 5, 1, 1], geometry);
            check_conv(&[1, 2, 8, 9], &[2, 2, 2, 5], geometry);
        }
    }
    check_conv(&[1, 3, 16, 20], &[8, 3, 4, 4], ConvGeometry { stride: 4, padding: Padding::default() });
    check_conv(&[1, 2, 9, 30], &[5, 2, 7, 7], ConvGeometry::same(7));
}

/// Sixteen windows are gathered at once: those that begin in one line and end in the next are not neighbours, also where the last is
/// repeated.
#[test]
fn convolutions_are_right_at_every_width_of_the_output() {
    for width in 2..36 {
        for padding in [Padding::default(), Padding { top: 3, bottom: 0, left: 0, right: 2 }] {
            for stride in 1..3 {
                check_conv(&[1, 2, 8, width], &[4, 2, 5, 2], ConvGeometry { stride, padding });
            }
        }
    }
}

#[test]
fn a_weight_is_packed_for_the_shape_it_is_used_with() {
    let engine = CpuEngine::new();
    let values = tensor(&engine, 1, &[2, 2, 3, 3]);
    let x = tensor(&engine, 2, &[1, 2, 5, 5]);
    for shape in [[2, 2, 3, 3], [4, 1, 3, 3], [18, 2, 1, 1], [2, 2, 3, 3]] {
        let weight = engine.reshape(&values, &shape);
        let x = if shape[1] == 1 { engine.reshape(&x, &[2, 1, 5, 5]) } else { x.clone() };
        let geometry = ConvGeometry::same(shape[2]);
        let found = engine.conv2d(&x, &weight, None, geometry);
        assert_close(found.values(), &conv_loops(&x, &weight, None, geometry), &format!("a shared weight as {shape:?}"));
    }
}

#[test]
fn products_are_right_at_every_size() {
    let engine = CpuEngine::new();
    let expected = |a: &CpuTensor, b: &CpuTensor, batches: usize, m: usize, k: usize, n: usize, b_step: usize| -> Vec<f64> {
        let (a, b) = (a.values(), b.values());
        let cell = |at: usize, i: usize, j: usize| {
            (0..k).map(|l| f64::from(a[(at * m + i) * k + l]) * f64::from(b[at * b_step + l * n + j])).sum::<f64>()
        };
        (0..batches).flat_map(|at| (0..m).flat_map(move |i| (0..n).map(move |j| (at, i, j)))).map(|(at, i, j)| cell(at, i, j)).collect()
    };
    for (m, k, n) in (1..15).map(|i| (i, 3, 17)).chain((1..30).map(|i| (5, i, i))).chain([(33, 70, 129), (1, 300, 1)]) {
        let (a, b) = (tensor(&engine, 1, &[3, m, k]), tensor(&engine, 2, &[3, k, n]));
        let what = format!("product of 3 matrices {m} x {k} and {k} x {n}");
        assert_close(engine.matmul(&a, &b).values(), &expected(&a, &b, 3, m, k, n, k * n), &what);
        let b = engine.narrow(&b, 0, 0, 1);
        let b = engine.reshape(&b, &[k, n]);
        assert_close(engine.matmul(&a, &b).values(), &expected(&a, &b, 3, m, k, n, 0), &what);
        let bias = tensor(&engine, 3, &[n]);
        let with_bias: Vec<f64> =
            expected(&a, &b, 3, m, k, n, 0).iter().enumerate().map(|(i, v)| v + f64::from(bias.values()[i % n])).collect();
        let linear = engine.linear(&a, &engine.permute(&b, &[1, 0]), Some(&bias));
        assert_eq!(linear.shape(), [3, m, n]);
        assert_close(linear.values(), &with_bias, &format!("linear, {what}"));
    }
}

#[test]
fn attention_is_the_softmax_of_the_products() {
    let engine = CpuEngine::new();
    for (m, n, d, e) in [(1, 1, 1, 1), (5, 7, 3, 2), (13, 24, 8, 9), (36, 50, 24, 24), (100, 64, 16, 5)] {
        // Scores of several tens, so that a softmax that does not subtract the largest overflows.
        let [q, k] = [(1, m), (2, n)].map(|(seed, rows)| engine.affine(&tensor(&engine, seed, &[2, rows, d]), 12.0, 0.0));
        let v = tensor(&engine, 3, &[2, n, e]);
        let mut expected = Vec::new();
        for b in 0..2 {
            for i in 0..m {
                let score = |j: usize| -> f64 {
                    (0..d).map(|l| f64::from(q.values()[(b * m + i) * d + l]) * f64::from(k.values()[(b * n + j) * d + l]) * 0.7).sum()
                };
                let scores: Vec<f64> = (0..n).map(score).collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
                expected.extend((0..e).map(|l| {
                    (0..n).map(|j| (scores[j] - largest).exp() / total * f64::from(v.values()[(b * n + j) * e + l])).sum::<f64>()
                }));
            }
        }
        // The scores' own rounding, 1e-7 of several hundreds, is amplified by the exponential.
        let found = engine.attention(&q, &k, &v, 0.7);
        let error = found.values().iter().zip(&expected).map(|(f, e)| (f64::from(*f) - e).abs()).fold(0.0, f64::max);
        assert!(error < 1e-4, "attention of {m} x {d} on {n} x {e} is off by {error}");
    }
}

#[test]
fn activations_are_right_far_from_zero() {
    let engine = CpuEngine::new();
    let values: Vec<f32> = (-1200..=1200).map(|i| i as f32 / 10.0 + 0.003).collect();
    let x = engine.tensor(&values, &[values.len()]);
    for (found, x) in engine.unary(Unary::Silu, &x).values().iter().zip(&values) {
        let x = f64::from(*x);
        let expected = x / (1.0 + (-x).exp());
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 5e-7 * expected.abs() + 1e-30, "silu({x}) is {found}, expected {expected}");
    }
    // Phi in the lower tail by its asymptotic series, elsewhere by Simpson's rule on the density.
    let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    for (found, x) in engine.unary(Unary::Gelu, &x).values().iter().zip(&values).filter(|(_, x)| x.abs() < 9.0) {
        let x = f64::from(*x);
        let (steps, far) = (2000, 12.0);
        let h = (far - x.abs()) / f64::from(steps);
        let at = |i: i32| density(x.abs() + h * f64::from(i)) * if i == 0 || i == steps { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
        let tail = (0..=steps).map(at).sum::<f64>() * h / 3.0;
        let expected = x * if x < 0.0 { tail } else { 1.0 - tail };
        let error = (f64::from(*found) - expected).abs();
        assert!(error <= 1e-5 * expected.abs() + 1e-12, "gelu({x}) is {found}, expected {expected}");
    }
}

#[test]
fn group_norm_holds_with_a_large_mean_and_many_pixels() {
    let engine = CpuEngine::new();
    let shape = [1, 4, 150, 131];
    let x = engine.affine(&tensor(&engine, 1, &shape), 0.5, 1000.0);
    let (weight, bias) = (tensor(&engine, 2, &[4]), tensor(&engine, 3, &[4]));
    let mut expected = Vec::new();
    for (group, values) in x.values().chunks(2 * 150 * 131).enumerate() {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        expected.extend(values.iter().enumerate().map(|(i, v)| {
            let channel = group * 2 + i / (150 * 131);
            (f64::from(*v) - mean) / (variance + 1e-5).sqrt() * f64::from(weight.values()[channel]) + f64::from(bias.values()[channel])
        }));
    }
    let found = engine.group_norm(&x, 2, &weight, &bias, 1e-5);
    // The mean itself, near 1000, is only exact to 3e-5 in f32.
    let error = found.values().iter().zip(&expected).map(|(f, e)| (f64::from(*f) - e).abs()).fold(0.0, f64::max);
    assert!(error < 1.5e-4, "group_norm is off by {error}");
    let silu: Vec<f64> = expected.iter().map(|v| v / (1.0 + (-v).exp())).collect();
    let found = engine.group_norm_silu(&x, 2, &weight, &bias, 1e-5);
    let error = found.values().iter().zip(&silu).map(|(f, e)| (f64::from(*f) - e).abs()).fold(0.0, f64::max);
    assert!(error < 1.5e-4, "group_norm_silu is off by {error}");
}

#[test]
fn permutations_of_four_dimensions_move_every_element() {
    let engine = CpuEngine::new();
    let shape = [3, 18, 5, 33];
    let x = tensor(&engine, 1, &shape);
    let own = shape::strides(&shape);
    for code in 0..256_usize {
        let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
        if (0..4).any(|dim| !order.contains(&dim)) {
            continue;
        }
        let found = engine.permute(&x, &order);
        let mut values = found.values().iter();
        for i in 0..shape[order[0]] {
            for j in 0..shape[order[1]] {
                for k in 0..shape[order[2]] {
                    for l in 0..shape[order[3]] {
                        let at = i * own[order[0]] + j * own[order[1]] + k * own[order[2]] + l * own[order[3]];
                        assert_eq!(values.next(), Some(&x.values()[at]), "permute by {order:?} at {:?}", [i, j, k, l]);
                    }
                }
            }
        }
    }
}

#[test]
fn a_freed_buffer_is_used_again_and_never_seen_through() {
    let engine = CpuEngine::new();
    let kept = tensor(&engine, 1, &[1000]);
    let before = kept.values().to_vec();
    let freed = tensor(&engine, 2, &[1000]).values().as_ptr();
    let again = engine.affine(&kept, 2.0, 0.0);
    assert_eq!(again.values().as_ptr(), freed);
    assert_eq!(kept.values(), before);
    assert_eq!(engine.reshape(&kept, &[10, 100]).values().as_ptr(), kept.values().as_ptr());
}

#[test]
fn the_engine_passes_the_conformance_suite() {
    let failures = pollster::block_on(conformance::check(&CpuEngine::new(), 1e-5));
    assert!(failures.is_empty(), "{} cases failed:\n{}", failures.len(), failures.join("\n"));
}
