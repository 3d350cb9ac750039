//! `cargo bench --bench operations` in trainer-native: why the engine works on images as it does on a CPU. Convolutions with an image's
//! channels side by side in memory and as planes, and the operations that the engine has of its own beside libtorch's. Each is timed in
//! turns with its rival, with its gradients; the tables have medians of milliseconds. `OMP_NUM_THREADS` sets the threads.

use radiodiff_core::engine::Engine;
use std::time::Instant;
use tch::{Device, Kind, Tensor};
use trainer::torch::{TorchEngine, TorchTensor};

const BATCH: i64 = 8;
const ROUNDS: usize = 15;
const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// The median time of each function, milliseconds, of rounds in which each runs once.
fn medians<const N: usize>(mut functions: [Box<dyn FnMut()>; N]) -> [f64; N] {
    let mut times: [Vec<f64>; N] = [const { Vec::new() }; N];
    // The first two rounds warm up.
    for round in 0..ROUNDS + 2 {
        for (function, times) in functions.iter_mut().zip(&mut times) {
            let started = Instant::now();
            function();
            if round > 1 {
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}

/// The same image with its channels side by side in memory.
fn by_pixel(x: &Tensor) -> Tensor {
    x.permute([0i64, 2, 3, 1]).contiguous().permute([0i64, 3, 1, 2])
}

/// A function that computes `f` of an image and parameters, and one that takes its gradients by all of them too.
fn pair<const N: usize>(
    image: Tensor,
    parameters: [Tensor; N],
    f: impl Fn(&[Tensor]) -> Tensor + Clone + 'static,
) -> [Box<dyn FnMut()>; 2] {
    let leaves = [image].into_iter().chain(parameters);
    let leaves: Vec<Tensor> = leaves.map(|leaf| leaf.detach().set_requires_grad(true)).collect();
    let result = f(&leaves);
    let ahead = result.ones_like();
    let (inputs, forward) = (leaves.iter().map(Tensor::shallow_clone).collect::<Vec<_>>(), f.clone());
    let only = move || tch::no_grad(|| drop(forward(&inputs)));
    let all = move || {
        let loss = (f(&leaves) * &ahead).sum(Kind::Float);
        drop(Tensor::run_backward(&[&loss], &leaves.iter().collect::<Vec<_>>(), false, false));
    };
    [Box::new(only), Box::new(all)]
}

fn convolutions() {
    println!("Convolutions with bias, batch {BATCH}: the result, and with its gradients\n");
    println!("| channels, side, kernel | planes | with gradients | pixels | with gradients |\n|---|---:|---:|---:|---:|");
    let sizes = [(8, 8, 128, 3), (16, 8, 128, 3), (8, 1, 128, 3), (16, 16, 128, 3), (24, 24, 64, 3), (24, 24, 32, 3), (24, 24, 16, 3)];
    for (inputs, outputs, side, kernel) in sizes.into_iter().chain([(24, 24, 32, 1), (48, 24, 32, 1)]) {
        let x = Tensor::randn([BATCH, inputs, side, side], FLOAT);
        let weights = || [Tensor::randn([outputs, inputs, kernel, kernel], FLOAT), Tensor::randn([outputs], FLOAT)];
        let convolve = move |x: &[Tensor]| x[0].conv2d(&x[1], Some(&x[2]), [1i64; 2], [kernel / 2; 2], [1i64; 2], 1);
        let [planes, planes_all] = pair(x.copy(), weights(), convolve);
        let [pixels, pixels_all] = pair(by_pixel(&x), weights(), convolve);
        let [a, b, c, d] = medians([planes, planes_all, pixels, pixels_all]);
        println!("| {inputs} to {outputs}, {side}, {kernel} x {kernel} | {a:.2} | {b:.2} | {c:.2} | {d:.2} |");
    }
}

fn own_operations() {
    println!("\nOperations of the engine's own beside libtorch's, batch {BATCH}, with gradients\n");
    println!("| operation | ours | libtorch's |\n|---|---:|---:|");
    for (channels, side) in [(8, 128), (16, 64), (24, 32), (24, 16)] {
        let x = Tensor::randn([BATCH, channels, side, side], FLOAT);
        let scales = || [Tensor::randn([channels], FLOAT), Tensor::randn([channels], FLOAT)];
        let own = |x: &[Tensor]| {
            let [x, weight, bias] = [0, 1, 2].map(|i| TorchTensor(x[i].shallow_clone()));
            TorchEngine::new(Device::Cpu).group_norm_silu(&x, 4, &weight, &bias, 1e-5).0
        };
        let [_, ours] = pair(by_pixel(&x), scales(), own);
        let [_, theirs] = pair(x, scales(), |x| x[0].group_norm(4, Some(&x[1]), Some(&x[2]), 1e-5, true).silu());
        let [ours, theirs] = medians([ours, theirs]);
        println!("| group normalisation and SiLU, {channels} channels, {side} x {side} | {ours:.2} | {theirs:.2} |");
    }
    // Queries, keys and values come out of a convolution, so that libtorch's too begin with an image whose channels lie side by side.
    for (width, side) in [(8, 32), (8, 16)] {
        let heads = 4;
        let qkv = Tensor::randn([BATCH, 3 * heads * width, side, side], FLOAT);
        let own = move |x: &[Tensor]| TorchEngine::new(Device::Cpu).linear_attention(&TorchTensor(x[0].shallow_clone()), heads as usize).0;
        let [_, ours] = pair(by_pixel(&qkv), [], own);
        let [_, theirs] = pair(by_pixel(&qkv), [], move |x| {
            let parts = x[0].reshape([BATCH, 3, heads, width, side * side]).unbind(1);
            let (q, k) = (parts[0].softmax(-2, Kind::Float) * (width as f64).powf(-0.5), parts[1].softmax(-1, Kind::Float));
            let context = (&parts[2] / (side * side) as f64).matmul(&k.transpose(-1, -2));
            context.matmul(&q).reshape([BATCH, heads * width, side, side])
        });
        let [ours, theirs] = medians([ours, theirs]);
        println!("| linear attention, {heads} heads of {width}, {side} x {side} | {ours:.2} | {theirs:.2} |");
    }
}

fn main() {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|arg| arg == "--bench") {
        convolutions();
        own_operations();
    }
}
