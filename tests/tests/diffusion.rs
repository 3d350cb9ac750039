//! The sampler with a network that knows the answer ends at the answer, whatever the number of steps.

use pollster::block_on;
use radiodiff_core::diffusion::{LossOptions, MIN_TIME, Prediction, SampleOptions, noised, precondition, schedule, step, training_loss};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::unet::UnetOutput;
use radiodiff_core::random::standard_normal;
use radiodiff_core::weights::Checkpoint;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_radio::metrics::relative_error;
use radiodiff_tests::FIRST_WEIGHTS;

const SHAPE: [usize; 4] = [1, 3, 8, 8];
const COUNT: usize = 3 * 8 * 8;

#[test]
fn an_oracle_leads_to_the_latent_it_knows() {
    let e = CpuEngine::new();
    let x0 = standard_normal(5, 100, COUNT);
    let known = e.tensor(&x0, &SHAPE);
    // From noise, and from x0 noised half way: with an oracle the start does not matter.
    for (start, steps) in [(1.0, 1), (1.0, 3), (1.0, 5), (1.0, 50), (1.0, 1000), (0.5, 1), (0.5, 4)] {
        for split_last in [false, true] {
            let noise = e.tensor(&standard_normal(6, 0, COUNT), &SHAPE);
            let mut x = noised(&e, &known, &noise, &[start]);
            let times = schedule(start, steps, split_last);
            for (i, &(t, size)) in times.iter().enumerate() {
                // x_t = (1 - t) x0 + sqrt(t) epsilon, solved for epsilon.
                let noise = e.affine(&e.sub(&x, &e.affine(&known, 1.0 - t, 0.0)), 1.0 / t.sqrt(), 0.0);
                let prediction = Prediction { drift: e.affine(&known, -1.0, 0.0), noise };
                let fresh = e.tensor(&standard_normal(6, i as u32 + 1, COUNT), &SHAPE);
                x = step(&e, &x, (t, size), &prediction, (i + 1 < times.len()).then_some(&fresh));
            }
            let found = block_on(e.read(&x)).expect("the CPU reads");
            let worst = found.iter().zip(&x0).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-5, "{steps} steps from {start}, split {split_last}: off by {worst}");
        }
    }
}

/// The first weights from a map that fades with the distance: at t = 1e-4 it comes back but for what sqrt(t) = 0.01 of noise does.
#[test]
fn a_map_is_the_start_as_far_as_it_is_told() {
    let e = CpuEngine::new();
    let weights = std::fs::read(FIRST_WEIGHTS).expect("the first weights are there");
    let model = Checkpoint::parse(&weights).and_then(|file| file.build(&e)).expect("the first weights are sound");
    let read = |x: &<CpuEngine as Engine>::Tensor| block_on(e.read(x)).expect("the CPU reads");
    let side = model.preset.map_size;
    let faded = |i: usize| 1.0 - ((i / side) as f32 - 100.0).hypot((i % side) as f32 - 80.0) / 128.0;
    let map = e.tensor(&(0..side * side).map(faded).collect::<Vec<_>>(), &[1, 1, side, side]);
    let shape = [1, model.preset.condition.channels.len(), side, side];
    let channels = e.tensor(&vec![-1.0; shape.iter().product()], &shape);
    let condition = model.denoiser.encode_condition(&e, &channels);
    let encoded = e.mul(&model.first_stage.encode(&e, &map).mean, &model.scale_factor);
    let gray = |latent: &<CpuEngine as Engine>::Tensor| model.decode_gray(&e, latent, &channels);
    for (steps, split_last_step) in [(1, false), (3, true)] {
        let options = SampleOptions { steps, seed: 3, split_last_step };
        let mut sampling = model.begin_from_map(&e, (&map, &channels), MIN_TIME, 1, &options).expect("the last time there is");
        while model.advance(&e, &condition, &mut sampling) {}
        let of_latent = relative_error(&read(&sampling.latent), &read(&encoded));
        let of_map = relative_error(&read(&gray(&sampling.latent)), &read(&gray(&encoded)));
        assert!(of_latent < 0.02 && of_map < 0.005, "{options:?}: the latent is off by {of_latent}, the map by {of_map}");

        let begun = [model.begin_from_map(&e, (&map, &channels), 1.0, 2, &options).expect("noise"), model.begin(&e, 2, &options)];
        let [from_map, from_noise] = begun.map(|sampling| (sampling.steps(), read(&sampling.latent)));
        assert_eq!(from_map, from_noise);
    }
    for start in [f32::NAN, f32::INFINITY, -0.5, 0.0, 0.5 * MIN_TIME, 1.0 + f32::EPSILON] {
        let error = model.begin_from_map(&e, (&map, &channels), start, 1, &SampleOptions::default()).err().expect("no such time");
        assert_eq!(error.to_string(), format!("start is {start}, expected a time from 0.0001 (the map that is given) to 1 (noise)"));
    }
}

#[test]
fn at_the_start_x_is_noise_and_the_drift_is_the_first_output() {
    let e = CpuEngine::new();
    let [x0, noise, f1, f2] = [1, 2, 3, 4].map(|stream| e.tensor(&standard_normal(9, stream, COUNT), &SHAPE));
    let read = |x: &<CpuEngine as Engine>::Tensor| block_on(e.read(x)).expect("the CPU reads");
    let x_1 = noised(&e, &x0, &noise, &[1.0]);
    assert_eq!(read(&x_1), read(&noise));
    let prediction = precondition(&e, &x_1, &[1.0], &UnetOutput { raw_drift: f1.clone(), raw_noise: Some(f2) });
    let halved: Vec<f32> = read(&f1).iter().map(|v| v / 2f32.sqrt()).collect();
    assert!(read(&prediction.drift).iter().zip(&halved).all(|(a, b)| (a - b).abs() < 1e-6));
    assert_eq!(read(&prediction.noise), read(&noise));
}

#[test]
fn the_loss_is_the_weighted_mean_of_both_parts() {
    let e = CpuEngine::new();
    let [x0, noise] = [1, 2].map(|stream| e.tensor(&standard_normal(11, stream, COUNT), &SHAPE));
    // C off by 0.5 and epsilon off by 0.25 everywhere.
    let prediction = Prediction { drift: e.affine(&x0, -1.0, 0.5), noise: e.affine(&noise, 1.0, 0.25) };
    let t: f64 = 0.36;
    let (w1, w2) = (2.0 * (1.0 - t).exp(), t.sqrt().exp());
    let both = LossOptions::default();
    let cases = [
        (both, 0.5 * (w1 * (0.25 + 0.5) + w2 * (0.0625 + 0.25))),
        (LossOptions { l1: false, ..both }, w1 * 0.25 + w2 * 0.0625),
        (LossOptions { l2: false, weighted: false, ..both }, 0.5 + 0.25),
    ];
    for (options, expected) in cases {
        let loss = block_on(e.read(&training_loss(&e, &prediction, &x0, &noise, &[t as f32], options))).expect("the CPU reads");
        assert!((f64::from(loss[0]) - expected).abs() < 1e-5, "{} and {expected} with {options:?}", loss[0]);
    }
}
