//! The suite every engine must pass: each operation against plain float64 loops on small inputs with awkward sizes.
//!
//! Inputs are fixed random numbers, so a failure reproduces. [`check`] returns a line for each failed case, and none when all pass.

use super::contract::{BatchNormState, Binary, ConvGeometry, Engine, Padding, Unary};
use crate::random;

/// A tensor in float64, the currency of the reference loops.
#[derive(Clone)]
struct Reference {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Reference {
    fn new(name: &str, shape: &[usize]) -> Self {
        // Rounded to f32 so that engine and reference start from the same numbers.
        let values = random::uniform(random::seed_for(11, name), 0, shape.iter().product());
        let values = values.into_iter().map(|u| f64::from((2.0 * u - 1.0) as f32)).collect();
        Self { shape: shape.to_vec(), values }
    }

    /// The same values moved to [low, high).
    fn between(mut self, low: f64, high: f64) -> Self {
        self.values.iter_mut().for_each(|v| *v = f64::from((low + (*v + 1.0) / 2.0 * (high - low)) as f32));
        self
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), values: self.values.iter().map(|&v| f(v)).collect() }
    }

    fn build(shape: &[usize], f: impl Fn(&[usize]) -> f64) -> Self {
        let count: usize = shape.iter().product();
        let mut index = vec![0; shape.len()];
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(f(&index));
            for d in (0..shape.len()).rev() {
                index[d] += 1;
                if index[d] < shape[d] {
                    break;
                }
                index[d] = 0;
            }
        }
        Self { shape: shape.to_vec(), values }
    }

    fn at(&self, index: &[usize]) -> f64 {
        self.values[index.iter().zip(&self.shape).fold(0, |flat, (&i, &n)| flat * n + i)]
    }

    /// Element of an image (N, C, H, W), zero outside.
    fn pixel(&self, n: usize, c: usize, y: isize, x: isize) -> f64 {
        let inside = |v: isize, n: usize| v >= 0 && (v as usize) < n;
        if inside(y, self.shape[2]) && inside(x, self.shape[3]) { self.at(&[n, c, y as usize, x as usize]) } else { 0.0 }
    }

    fn on<E: Engine>(&self, e: &E) -> E::Tensor {
        e.tensor(&self.values.iter().map(|&v| v as f32).collect::<Vec<_>>(), &self.shape)
    }
}

/// Compares results and collects what differs.
struct Checker<'a, E: Engine> {
    engine: &'a E,
    tolerance: f64,
    failures: Vec<String>,
}

impl<E: Engine> Checker<'_, E> {
    /// ||found - expected|| <= tolerance ||expected||, and no single element far off.
    async fn compare(&mut self, case: &str, found: &E::Tensor, expected: &Reference) {
        let shape = self.engine.shape(found);
        if shape != expected.shape {
            self.failures.push(format!("{case}: shape {shape:?}, expected {:?}", expected.shape));
            return;
        }
        let values = match self.engine.read(found).await {
            Ok(values) => values,
            Err(error) => return self.failures.push(format!("{case}: {error}")),
        };
        if values.len() != expected.values.len() {
            return self.failures.push(format!("{case}: {} values, expected {}", values.len(), expected.values.len()));
        }
        let (mut difference, mut norm, mut worst) = (0.0, 1e-30, (0, 0.0));
        for (i, (&v, &r)) in values.iter().zip(&expected.values).enumerate() {
            let error = (f64::from(v) - r).abs();
            difference += error * error;
            norm += r * r;
            // NaN is the worst of all.
            if error.is_nan() || error > worst.1 {
                worst = (i, error);
            }
        }
        let relative = (difference / norm).sqrt();
        let typical = (norm / values.len() as f64).sqrt();
        if !(relative <= self.tolerance && worst.1 <= 20.0 * self.tolerance * typical) {
            let (i, error) = worst;
            self.failures.push(format!(
                "{case}: relative error {relative:.2e} (tolerance {:.0e}); worst at {i}: {} instead of {} (off by {error:.2e})",
                self.tolerance, values[i], expected.values[i]
            ));
        }
    }
}

/// Share of the tolerance that a sum of thousands of terms may take. Summed in one row, in float32, 9,216 of them are off by 1.6e-6,
/// and a U-Net that multiplies rounding a hundred times shows it; in parts, whose sums are summed, by 3e-7 to 7e-7.
const LONG_SUM: f64 = 0.1;

/// Runs every case; `tolerance` is the relative L2 error allowed (1e-5 suits float32).
pub async fn check<E: Engine>(engine: &E, tolerance: f64) -> Vec<String> {
    let mut checker = Checker { engine, tolerance, failures: Vec::new() };
    elementwise(&mut checker).await;
    shapes(&mut checker).await;
    products(&mut checker).await;
    convolutions(&mut checker).await;
    convolutions_of_doubled(&mut checker).await;
    normalisations(&mut checker).await;
    resampling(&mut checker).await;
    checker.tolerance *= LONG_SUM;
    long_sums(&mut checker).await;
    checker.failures
}

async fn elementwise<E: Engine>(c: &mut Checker<'_, E>) {
    let e = c.engine;
    let x = Reference::new("x", &[2, 3, 5, 7]).between(-6.0, 6.0);
    let positive = Reference::new("positive", &[2, 3, 5, 7]).between(0.05, 4.0);
    type Function = fn(f64) -> f64;
    let cases: [(Unary, &Reference, Function); 10] = [
        (Unary::Silu, &x, |v| v / (1.0 + (-v).exp())),
        (Unary::Gelu, &x, |v| 0.5 * v * (1.0 + libm::erf(v / std::f64::consts::SQRT_2))),
        (Unary::Relu, &x, |v| v.max(0.0)),
        (Unary::Exp, &x, f64::exp),
        (Unary::Log, &positive, f64::ln),
        (Unary::Sqrt, &positive, f64::sqrt),
        (Unary::Abs, &x, f64::abs),
        (Unary::Square, &x, |v| v * v),
        (Unary::Sin, &x, f64::sin),
        (Unary::Cos, &x, f64::cos),
    ];
    for (op, input, function) in cases {
        c.compare(&format!("{op:?}"), &e.unary(op, &input.on(e)), &input.map(function)).await;
    }
    c.compare("affine", &e.affine(&x.on(e), -1.5, 0.25), &x.map(|v| -1.5 * v + 0.25)).await;
    c.compare("softplus", &e.softplus(&x.on(e)), &x.map(|v| v.max(0.0) + (-v.abs()).exp().ln_1p())).await;
    c.compare("leaky ReLU", &e.leaky_relu(&x.on(e), 0.2), &x.map(|v| if v > 0.0 { v } else { f64::from(0.2_f32) * v })).await;
    c.compare("clamp", &e.clamp(&x.on(e), -1.0, 2.0), &x.map(|v| v.clamp(-1.0, 2.0))).await;

    let shapes: [(&[usize], &[usize]); 8] = [
        (&[2, 3, 5, 7], &[2, 3, 5, 7]),
        (&[2, 3, 5, 7], &[1, 3, 1, 1]),
        (&[2, 3, 5, 7], &[2, 1, 1, 1]),
        (&[2, 3, 5, 7], &[7]),
        (&[2, 3, 5, 7], &[1]),
        (&[2, 1], &[9]),
        (&[1, 3, 1, 4], &[2, 1, 5, 1]),
        (&[2, 2, 1, 3, 2, 5], &[2, 1, 4, 3, 1, 5]),
    ];
    for (left, right) in shapes {
        let a = Reference::new("a", left);
        let b = Reference::new("b", right).between(0.5, 2.0);
        let shape = super::shape::broadcast(left, right);
        let pick = |t: &Reference, index: &[usize]| {
            let skip = index.len() - t.shape.len();
            t.at(&index[skip..].iter().zip(&t.shape).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect::<Vec<_>>())
        };
        type Pair = fn(f64, f64) -> f64;
        let ops: [(Binary, Pair); 4] =
            [(Binary::Add, |x, y| x + y), (Binary::Sub, |x, y| x - y), (Binary::Mul, |x, y| x * y), (Binary::Div, |x, y| x / y)];
        for (op, function) in ops {
            let expected = Reference::build(&shape, |i| function(pick(&a, i), pick(&b, i)));
            c.compare(&format!("{op:?} of {left:?} and {right:?}"), &e.binary(op, &a.on(e), &b.on(e)), &expected).await;
        }
    }
}

async fn shapes<E: Engine>(c: &mut Checker<'_, E>) {
    let e = c.engine;
    let x = Reference::new("x", &[2, 3, 4, 5]);
    let reshaped = Reference { shape: vec![6, 20], values: x.values.clone() };
    c.compare("reshape", &e.reshape(&x.on(e), &[6, 20]), &reshaped).await;
    for order in [[0, 2, 3, 1], [0, 3, 1, 2], [3, 2, 1, 0], [0, 1, 3, 2], [1, 0, 2, 3]] {
        let shape = order.map(|d| x.shape[d]);
        let expected = Reference::build(&shape, |i| {
            let mut index = [0; 4];
            order.iter().zip(i).for_each(|(&d, &v)| index[d] = v);
            x.at(&index)
        });
        let permuted = e.permute(&x.on(e), &order);
        c.compare(&format!("permute {order:?}"), &permuted, &expected).await;
        // A permuted tensor is row-major like any other.
        let flat = Reference { shape: vec![120], values: expected.values };
        c.compare(&format!("permute {order:?}, then reshape"), &e.reshape(&permuted, &[120]), &flat).await;
    }
    for (dim, start, len) in [(0, 1, 1), (1, 1, 2), (2, 0, 3), (3, 2, 3)] {
        let mut shape = x.shape.clone();
        shape[dim] = len;
        let expected = Reference::build(&shape, |i| {
            let mut index = i.to_vec();
            index[dim] += start;
            x.at(&index)
        });
        c.compare(&format!("narrow {dim} from {start}"), &e.narrow(&x.on(e), dim, start, len), &expected).await;
    }
    for dim in 0..4 {
        let mut other = x.shape.clone();
        other[dim] = 2;
        let (y, z) = (Reference::new("y", &other), Reference::new("z", &x.shape));
        let mut shape = x.shape.clone();
        shape[dim] = 2 * x.shape[dim] + 2;
        let expected = Reference::build(&shape, |i| {
            let mut index = i.to_vec();
            for part in [&x, &y, &z] {
                if index[dim] < part.shape[dim] {
                    return part.at(&index);
                }
                index[dim] -= part.shape[dim];
            }
            f64::NAN
        });
        c.compare(&format!("concat along {dim}"), &e.concat(&[&x.on(e), &y.on(e), &z.on(e)], dim), &expected).await;
    }
    let rows = [1, 0, 1, 1, 0];
    let expected = Reference::build(&[5, 3, 4, 5], |i| x.at(&[rows[i[0]], i[1], i[2], i[3]]));
    c.compare("gather_rows", &e.gather_rows(&x.on(e), &rows), &expected).await;
    let table = Reference::new("table", &[169, 4]);
    let rows: Vec<usize> = (0..500).map(|i| i * 31 % 169).collect();
    let expected = Reference::build(&[500, 4], |i| table.at(&[rows[i[0]], i[1]]));
    c.compare("gather_rows of many", &e.gather_rows(&table.on(e), &rows), &expected).await;
    let padding = Padding { top: 1, bottom: 2, left: 3, right: 0 };
    let expected = Reference::build(&[2, 3, 7, 8], |i| x.pixel(i[0], i[1], i[2] as isize - 1, i[3] as isize - 3));
    c.compare("pad", &e.pad(&x.on(e), padding), &expected).await;
    for first in 0..4 {
        let shape: Vec<usize> = (0..4).map(|d| if d < first { x.shape[d] } else { 1 }).collect();
        let inner = x.shape[first..].iter().product::<usize>();
        let values = x.values.chunks(inner).map(|chunk| chunk.iter().sum::<f64>() / inner as f64).collect();
        c.compare(&format!("mean from {first}"), &e.mean_from(&x.on(e), first), &Reference { shape, values }).await;
    }
}

fn product(a: &Reference, b: &Reference) -> Reference {
    let shape = super::shape::matmul(&a.shape, &b.shape);
    let (last, inner) = (shape.len() - 1, a.shape[a.shape.len() - 1]);
    Reference::build(&shape, |i| {
        let term = |k: usize| {
            let mut left = i.to_vec();
            left[last] = k;
            let mut right = if b.shape.len() == 2 { i[last - 1..].to_vec() } else { i.to_vec() };
            let rows = right.len() - 2;
            right[rows] = k;
            a.at(&left) * b.at(&right)
        };
        (0..inner).map(term).sum()
    })
}

fn softmax(x: &Reference, dim: usize) -> Reference {
    Reference::build(&x.shape, |i| {
        let with = |k: usize| {
            let mut index = i.to_vec();
            index[dim] = k;
            x.at(&index).exp()
        };
        x.at(i).exp() / (0..x.shape[dim]).map(with).sum::<f64>()
    })
}

async fn products<E: Engine>(c: &mut Checker<'_, E>) {
    let e = c.engine;
    let cases: [(&[usize], &[usize]); 6] = [
        (&[5, 7], &[7, 3]),
        (&[3, 33, 17], &[3, 17, 65]),
        (&[2, 2, 4, 9], &[2, 2, 9, 5]),
        (&[2, 6, 4], &[4, 10]),
        (&[1, 64, 48], &[1, 48, 1]),
        (&[70, 130], &[130, 66]),
    ];
    for (left, right) in cases {
        let (a, b) = (Reference::new("a", left), Reference::new("b", right));
        c.compare(&format!("matmul of {left:?} and {right:?}"), &e.matmul(&a.on(e), &b.on(e)), &product(&a, &b)).await;
    }

    let (x, weight, bias) = (Reference::new("x", &[2, 5, 6]), Reference::new("weight", &[9, 6]), Reference::new("bias", &[9]));
    let expected =
        Reference::build(&[2, 5, 9], |i| bias.at(&i[2..]) + (0..6).map(|k| x.at(&[i[0], i[1], k]) * weight.at(&[i[2], k])).sum::<f64>());
    c.compare("linear", &e.linear(&x.on(e), &weight.on(e), Some(&bias.on(e))), &expected).await;

    let x = Reference::new("x", &[3, 5, 66, 4]).between(-8.0, 8.0);
    for dim in 0..4 {
        c.compare(&format!("softmax along {dim}"), &e.softmax(&x.on(e), dim), &softmax(&x, dim)).await;
    }
    let large = x.map(|v| v + 1000.0);
    c.compare("softmax of large values", &e.softmax(&large.on(e), 2), &softmax(&large.map(|v| f64::from(v as f32) - 1000.0), 2)).await;

    for (batch, queries, keys, width, out) in [(2, 9, 13, 6, 5), (1, 130, 70, 24, 24), (8, 64, 64, 3, 3), (2, 17, 129, 30, 330)] {
        let q = Reference::new("q", &[batch, queries, width]).between(-2.0, 2.0);
        let k = Reference::new("k", &[batch, keys, width]).between(-2.0, 2.0);
        let v = Reference::new("v", &[batch, keys, out]);
        let transposed = Reference::build(&[batch, width, keys], |i| k.at(&[i[0], i[2], i[1]]));
        let logits = product(&q, &transposed).map(|v| 0.4 * v);
        let expected = product(&softmax(&logits, 2), &v);
        let found = e.attention(&q.on(e), &k.on(e), &v.on(e), 0.4);
        c.compare(&format!("attention of {queries} queries and {keys} keys"), &found, &expected).await;
        let turned = |x: &Reference| Reference::build(&[x.shape[0], x.shape[2], x.shape[1]], |i| x.at(&[i[0], i[2], i[1]]));
        let [q, k, v] = [&q, &k, &v].map(|x| turned(x).on(e));
        let found = e.attention_channels_first(&q, &k, &v, 0.4);
        c.compare(&format!("attention of {queries} queries and {keys} keys, channels first"), &found, &turned(&expected)).await;
    }
}

async fn convolutions<E: Engine>(c: &mut Checker<'_, E>) {
    let e = c.engine;
    let strided = |stride, padding| ConvGeometry { stride, padding };
    // Batch, input channels, output channels, height, width, kernel, geometry.
    let cases = [
        (1, 3, 5, 8, 8, 3, ConvGeometry::same(3)),
        (2, 16, 16, 9, 21, 3, ConvGeometry::same(3)),
        (1, 24, 10, 32, 32, 3, ConvGeometry::same(3)),
        (1, 1, 8, 6, 17, 3, ConvGeometry::same(3)),
        (1, 8, 1, 1, 1, 3, ConvGeometry::same(3)),
        (2, 12, 7, 5, 9, 1, ConvGeometry::same(1)),
        (1, 4, 6, 11, 10, 7, ConvGeometry::same(7)),
        (2, 6, 5, 9, 8, 3, strided(2, Padding::bottom_right(1))),
        (1, 5, 9, 12, 14, 4, strided(2, Padding::all(1))),
        (1, 4, 6, 16, 20, 4, strided(4, Padding::default())),
        (1, 3, 4, 7, 6, 3, strided(1, Padding { top: 2, bottom: 0, left: 1, right: 3 })),
    ];
    for (batch, input, output, height, width, kernel, geometry) in cases {
        let x = Reference::new("x", &[batch, input, height, width]);
        let weight = Reference::new("weight", &[output, input, kernel, kernel]);
        let bias = Reference::new("bias", &[output]);
        let shape = super::shape::conv2d(&x.shape, &weight.shape, geometry);
        let without_bias = Reference::build(&shape, |i| {
            let mut sum = 0.0;
            for channel in 0..input {
                for dy in 0..kernel {
                    for dx in 0..kernel {
                        let y = (i[2] * geometry.stride + dy) as isize - geometry.padding.top as isize;
                        let column = (i[3] * geometry.stride + dx) as isize - geometry.padding.left as isize;
                        sum += x.pixel(i[0], channel, y, column) * weight.at(&[i[1], channel, dy, dx]);
                    }
                }
            }
            sum
        });
        let expected = Reference::build(&shape, |i| without_bias.at(i) + bias.at(&[i[1]]));
        let case = format!("conv2d of {:?} with {:?}, {geometry:?}", x.shape, weight.shape);
        c.compare(&case, &e.conv2d(&x.on(e), &weight.on(e), Some(&bias.on(e)), geometry), &expected).await;
        c.compare(&format!("{case}, no bias"), &e.conv2d(&x.on(e), &weight.on(e), None, geometry), &without_bias).await;
        let plus = Reference::new("plus", &shape);
        let expected = Reference::build(&shape, |i| expected.at(i) + plus.at(i));
        let found = e.conv2d_plus(&x.on(e), &weight.on(e), Some(&bias.on(e)), geometry, &plus.on(e));
        c.compare(&format!("{case}, plus another"), &found, &expected).await;
    }
}

async fn convolutions_of_doubled<E: Engine>(c: &mut Checker<'_, E>) {
    let e = c.engine;
    // Batch, input channels, output channels, height, width.
    for (batch, input, output, height, width) in [(1, 3, 5, 8, 8), (2, 16, 8, 5, 11), (1, 1, 1, 1, 1), (1, 9, 6, 2, 18)] {
        let x = Reference::new("x", &[batch, input, height, width]);
        let weight = Reference::new("weight", &[output, input, 3, 3]);
        let bias = Reference::new("bias", &[output]);
        let without_bias = Reference::build(&[batch, output, 2 * height, 2 * width], |i| {
            let mut sum = 0.0;
            for channel in 0..input {
                for tap in 0..9 {
                    // Flooring: a pixel left of the doubled image is left of the image.
                    let [y, column] = [i[2] + tap / 3, i[3] + tap % 3].map(|at| (at as isize - 1).div_euclid(2));
                    sum += x.pixel(i[0], channel, y, column) * weight.at(&[i[1], channel, tap / 3, tap % 3]);
                }
            }
            sum
        });
        let expected = Reference::build(&without_bias.shape, |i| without_bias.at(i) + bias.at(&[i[1]]));
        let case = format!("conv2d of {:?} doubled with {:?}", x.shape, weight.shape);
        // One weight for both, as a network may use it: no engine may mix up what it keeps of a weight.
        let kernel = weight.on(e);
        c.compare(&case, &e.conv2d_of_doubled(&x.on(e), &kernel, Some(&bias.on(e))), &expected).await;
        c.compare(&format!("{case}, no bias"), &e.conv2d_of_doubled(&x.on(e), &kernel, None), &without_bias).await;
        let upsampled = e.upsample_nearest_2x(&x.on(e));
        c.compare(&format!("{case}, in two steps"), &e.conv2d(&upsampled, &kernel, None, ConvGeometry::same(3)), &without_bias).await;
    }
}

/// The longest of the paper's networks, 3 x 3 over 1,024 channels, and as many in products.
async fn long_sums<E: Engine>(c: &mut Checker<'_, E>) {
    let e = c.engine;
    let (x, weight) = (Reference::new("x", &[8, 9216]), Reference::new("weight", &[16, 9216]));
    let transposed = Reference::build(&[9216, 16], |i| weight.at(&[i[1], i[0]]));
    let expected = product(&x, &transposed);
    c.compare("linear of 9,216 inputs", &e.linear(&x.on(e), &weight.on(e), None), &expected).await;
    c.compare("matmul over 9,216", &e.matmul(&x.on(e), &transposed.on(e)), &expected).await;
    let [image, kernel] = [(&x, 8), (&weight, 16)].map(|(t, n)| e.reshape(&t.on(e), &[n, 1024, 3, 3]));
    let sums = e.conv2d(&image, &kernel, None, ConvGeometry { stride: 1, padding: Padding::default() });
    c.compare("conv2d of 1,024 channels", &e.reshape(&sums, &[8, 16]), &expected).await;
}

async fn normalisations<E: Engine>(c: &mut Checker<'_, E>) {
    let e = c.engine;
    let silu = |v: f64| v / (1.0 + (-v).exp());
    for (shape, groups) in [([2, 6, 5, 7], 3), ([1, 8, 33, 9], 8), ([2, 24, 16, 16], 4), ([1, 4, 1, 3], 1), ([1, 8, 64, 96], 2)] {
        // An offset as in real activations: a one-pass variance would lose digits here.
        let x = Reference::new("x", &shape).between(2.0, 4.0);
        let (weight, bias) = (Reference::new("weight", &[shape[1]]), Reference::new("bias", &[shape[1]]));
        let size = shape[1] / groups * shape[2] * shape[3];
        let moments: Vec<(f64, f64)> = x.values.chunks(size).map(moments).collect();
        let expected = Reference::build(&shape, |i| {
            let (mean, variance) = moments[i[0] * groups + i[1] / (shape[1] / groups)];
            (x.at(i) - mean) / (variance + 1e-5).sqrt() * weight.at(&[i[1]]) + bias.at(&[i[1]])
        });
        let plus = Reference::new("plus", &shape);
        let expected_plus = Reference::build(&shape, |i| silu(expected.at(i)) + plus.at(i));
        let film = Reference::new("film", &[shape[0], 2 * shape[1]]);
        let expected_film =
            Reference::build(&shape, |i| silu(expected.at(i) * (1.0 + film.at(&[i[0], i[1]])) + film.at(&[i[0], shape[1] + i[1]])));
        let (x, weight, bias) = (x.on(e), weight.on(e), bias.on(e));
        let found = e.group_norm_silu_plus(&x, groups, [&weight, &bias], 1e-5, &plus.on(e));
        c.compare(&format!("group norm, silu and a sum of {shape:?}"), &found, &expected_plus).await;
        let found = e.group_norm_film_silu(&x, groups, [&weight, &bias], 1e-5, &film.on(e));
        c.compare(&format!("modulated group norm and silu of {shape:?}"), &found, &expected_film).await;
        c.compare(&format!("group norm of {shape:?}"), &e.group_norm(&x, groups, &weight, &bias, 1e-5), &expected).await;
        let fused = e.group_norm_silu(&x, groups, &weight, &bias, 1e-5);
        c.compare(&format!("group norm and silu of {shape:?}"), &fused, &expected.map(silu)).await;
    }
    for shape in [[2, 6, 5, 7], [1, 24, 16, 16], [1, 130, 3, 1], [3, 2, 2, 2]] {
        let (x, gain) = (Reference::new("x", &shape).between(1.0, 3.0), Reference::new("gain", &[1, shape[1], 1, 1]));
        let expected = Reference::build(&shape, |i| {
            let channels: Vec<f64> = (0..shape[1]).map(|channel| x.at(&[i[0], channel, i[2], i[3]])).collect();
            let (mean, variance) = moments(&channels);
            (x.at(i) - mean) / (variance + 1e-5).sqrt() * gain.at(&[0, i[1], 0, 0])
        });
        c.compare(&format!("channel norm of {shape:?}"), &e.channel_norm(&x.on(e), &gain.on(e), 1e-5), &expected).await;
    }
    for shape in [vec![7, 9], vec![2, 3, 216], vec![5, 1100]] {
        let x = Reference::new("x", &shape).between(-1.0, 3.0);
        let last = shape[shape.len() - 1];
        let values = x
            .values
            .chunks(last)
            .flat_map(|row| {
                let (mean, variance) = moments(row);
                row.iter().map(move |v| (v - mean) / (variance + 1e-5).sqrt())
            })
            .collect();
        c.compare(&format!("normalize_last of {shape:?}"), &e.normalize_last(&x.on(e), 1e-5), &Reference { shape, values }).await;
    }
    let x = Reference::new("x", &[2, 5, 4, 3]);
    let [weight, bias, mean] = ["weight", "bias", "mean"].map(|name| Reference::new(name, &[5]));
    let variance = Reference::new("variance", &[5]).between(0.5, 1.5);
    let expected = Reference::build(&x.shape, |i| {
        let at = |t: &Reference| t.at(&[i[1]]);
        (x.at(i) - at(&mean)) / (at(&variance) + 1e-3).sqrt() * at(&weight) + at(&bias)
    });
    let state = BatchNormState {
        weight: weight.on(e),
        bias: bias.on(e),
        running_mean: mean.on(e),
        running_var: variance.on(e),
        momentum: 0.03,
        epsilon: 1e-3,
    };
    c.compare("batch norm by running statistics", &e.batch_norm(&x.on(e), &state), &expected).await;
}

fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

async fn resampling<E: Engine>(c: &mut Checker<'_, E>) {
    let e = c.engine;
    let x = Reference::new("x", &[2, 3, 6, 4]);
    let expected = Reference::build(&[2, 3, 12, 8], |i| x.at(&[i[0], i[1], i[2] / 2, i[3] / 2]));
    c.compare("nearest 2x", &e.upsample_nearest_2x(&x.on(e)), &expected).await;
    for (height, width) in [(12, 8), (11, 4), (3, 2), (1, 1), (6, 9)] {
        let expected = Reference::build(&[2, 3, height, width], |i| {
            let source = |o: usize, from: usize, to: usize| if to > 1 { o as f64 * (from - 1) as f64 / (to - 1) as f64 } else { 0.0 };
            let (y, column) = (source(i[2], 6, height), source(i[3], 4, width));
            let (y0, x0) = (y.floor(), column.floor());
            let at = |dy: usize, dx: usize| x.at(&[i[0], i[1], (y0 as usize + dy).min(5), (x0 as usize + dx).min(3)]);
            let (fy, fx) = (y - y0, column - x0);
            (at(0, 0) * (1.0 - fx) + at(0, 1) * fx) * (1.0 - fy) + (at(1, 0) * (1.0 - fx) + at(1, 1) * fx) * fy
        });
        c.compare(&format!("bilinear to {height} x {width}"), &e.resize_bilinear(&x.on(e), height, width), &expected).await;
    }
    let expected =
        Reference::build(&[2, 3, 3, 2], |i| (0..4).map(|k| x.at(&[i[0], i[1], 2 * i[2] + k / 2, 2 * i[3] + k % 2])).sum::<f64>() / 4.0);
    c.compare("average pool", &e.average_pool(&x.on(e), 2), &expected).await;
    for (height, width) in [(6, 4), (7, 5), (2, 9)] {
        let x = Reference::new("x", &[2, 3, height, width]);
        let greatest = |i: &[usize]| (0..4).map(|k| x.at(&[i[0], i[1], 2 * i[2] + k / 2, 2 * i[3] + k % 2])).fold(f64::MIN, f64::max);
        let expected = Reference::build(&[2, 3, height / 2, width / 2], greatest);
        c.compare(&format!("max pool of {height} x {width}"), &e.max_pool_2x(&x.on(e)), &expected).await;
    }
}
