//! Engines that share a network compute what one engine does alone, on every member.

use pollster::block_on;
use radiodiff_core::engine::{Binary, ConvGeometry, Engine, EngineError, Padding, Unary, conformance};
use radiodiff_core::random;
use radiodiff_core::weights::Checkpoint;
use radiodiff_engines::bands::{BandEngine, Team};
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_tests::{MapCase, layers, relative_error};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Threads of this process: what each has sent, round after round.
struct Threads {
    members: usize,
    sent: Mutex<Vec<Vec<Vec<f32>>>>,
    came: Condvar,
}

struct ThreadTeam {
    threads: Arc<Threads>,
    rank: usize,
    round: Cell<usize>,
}

impl Team for ThreadTeam {
    fn members(&self) -> usize {
        self.threads.members
    }
    fn rank(&self) -> usize {
        self.rank
    }
    fn gather(&self, sent: &[f32], received: &mut [f32]) -> Result<(), String> {
        let round = self.round.replace(self.round.get() + 1);
        let mut all = self.threads.sent.lock().expect("no member panics here");
        all[self.rank].push(sent.to_vec());
        self.threads.came.notify_all();
        // A member that panicked, or makes another number of exchanges, ends the test.
        let incomplete = |all: &mut Vec<Vec<Vec<f32>>>| all.iter().any(|rounds| rounds.len() <= round);
        let (all, waited) = self.threads.came.wait_timeout_while(all, Duration::from_secs(120), incomplete).expect("no member panics here");
        assert!(!waited.timed_out(), "another member takes no part in exchange {round}");
        for (part, rounds) in received.chunks_exact_mut(sent.len()).zip(&*all) {
            part.copy_from_slice(&rounds[round]);
        }
        Ok(())
    }
}

/// What each of so many members makes of an engine that has joined their team.
fn together<T: Send>(members: usize, least_rows: usize, work: impl Fn(&BandEngine) -> T + Sync) -> Vec<T> {
    let threads = Arc::new(Threads { members, sent: Mutex::new(vec![Vec::new(); members]), came: Condvar::new() });
    std::thread::scope(|scope| {
        let begun: Vec<_> = (0..members)
            .map(|rank| {
                let (threads, work) = (threads.clone(), &work);
                scope.spawn(move || {
                    let engine = BandEngine::with_least_rows(least_rows);
                    engine.join(Some(Box::new(ThreadTeam { threads, rank, round: Cell::new(0) })));
                    work(&engine)
                })
            })
            .collect();
        begun.into_iter().map(|member| member.join().expect("a member")).collect()
    })
}

/// Values of -1 to 1 that belong to the name.
fn values<E: Engine>(e: &E, name: &str, shape: &[usize]) -> E::Tensor {
    let uniform = random::uniform(random::seed_for(5, name), 0, shape.iter().product());
    e.tensor(&uniform.into_iter().map(|u| (2.0 * u - 1.0) as f32).collect::<Vec<f32>>(), shape)
}

/// Every operation on an image that a convolution made, so that it is in bands where there is a team.
fn operations<E: Engine>(e: &E) -> Vec<(&'static str, E::Tensor)> {
    let same = ConvGeometry::same(3);
    let image = e.conv2d(&values(e, "image", &[2, 3, 12, 10]), &values(e, "first", &[8, 3, 3, 3]), None, same);
    let (weight, bias) = (e.affine(&values(e, "weight", &[8, 8, 3, 3]), 0.2, 0.0), values(e, "bias", &[8]));
    let (column, pixel) = (values(e, "column", &[1, 8, 1, 1]), values(e, "whole", &[2, 8, 12, 10]));
    let other = e.conv2d(&image, &weight, Some(&bias), same);
    let tokens = e.permute(&e.reshape(&image, &[2, 8, 120]), &[0, 2, 1]);
    let keys = e.permute(&e.reshape(&other, &[2, 8, 120]), &[0, 2, 1]);
    let strided = |top, bottom| ConvGeometry { stride: 2, padding: Padding { top, bottom, left: 0, right: 1 } };
    let five = values(e, "five", &[8, 8, 5, 5]);
    vec![
        ("conv2d of bands", other.clone()),
        ("conv2d, stride 2, padded below", e.conv2d(&image, &weight, Some(&bias), strided(0, 1))),
        ("conv2d, stride 2, padded above", e.conv2d(&image, &weight, None, strided(1, 0))),
        ("conv2d of 5 x 5", e.conv2d(&image, &five, Some(&bias), ConvGeometry::same(5))),
        ("conv2d of 9 x 9, beyond the next band of four", e.conv2d(&image, &values(e, "nine", &[2, 8, 9, 9]), None, ConvGeometry::same(9))),
        ("conv2d of 5 x 5 without padding", e.conv2d(&image, &five, None, ConvGeometry { stride: 1, padding: Padding::default() })),
        ("conv2d of 1 x 1", e.conv2d(&image, &e.narrow(&e.narrow(&weight, 2, 0, 1), 3, 0, 1), None, ConvGeometry::same(1))),
        ("conv2d plus bands", e.conv2d_plus(&image, &weight, Some(&bias), same, &pixel)),
        ("conv2d of a whole doubled image", e.conv2d_of_doubled(&pixel, &weight, Some(&bias))),
        ("conv2d of a doubled image", e.conv2d_of_doubled(&image, &weight, Some(&bias))),
        ("unary", e.unary(Unary::Silu, &image)),
        ("affine, clamp, softplus", e.softplus(&e.clamp(&e.affine(&image, 2.0, 0.5), -1.0, 1.0))),
        ("two bands", e.binary(Binary::Sub, &image, &other)),
        ("a band and a whole image", e.binary(Binary::Mul, &image, &pixel)),
        ("a whole image and a band", e.binary(Binary::Sub, &pixel, &image)),
        ("a band and a column", e.binary(Binary::Add, &image, &column)),
        ("a row and a band", e.binary(Binary::Add, &values(e, "row", &[10]), &image)),
        ("a band and bands of another dimension", e.add(&tokens, &e.permute(&e.reshape(&other, &[2, 8, 120]), &[0, 2, 1]))),
        ("concat of channels", e.concat(&[&image, &pixel, &other], 1)),
        ("concat of rows", e.concat(&[&image, &other], 2)),
        ("narrow of channels", e.narrow(&image, 1, 2, 5)),
        ("narrow of rows", e.narrow(&image, 2, 3, 7)),
        ("all rows", e.narrow(&image, 2, 0, 12)),
        ("gather_rows", e.gather_rows(&image, &[1, 1, 0])),
        ("gather_rows of bands", e.gather_rows(&e.permute(&image, &[2, 0, 1, 3]), &[11, 0, 5])),
        ("pad", e.pad(&image, Padding::all(2))),
        ("reshape to tokens and back", e.reshape(&e.reshape(&image, &[2, 8, 120]), &[2, 8, 12, 10])),
        ("reshape that cuts bands", e.reshape(&image, &[16, 8, 15])),
        ("max_pool_2x", e.max_pool_2x(&image)),
        ("product of a band's rows", e.matmul(&tokens, &values(e, "square", &[8, 8]))),
        ("product of a band's columns", e.matmul(&values(e, "batch", &[2, 5, 8]), &e.permute(&tokens, &[0, 2, 1]))),
        ("product over bands", e.matmul(&e.permute(&tokens, &[0, 2, 1]), &keys)),
        ("linear", e.linear(&tokens, &values(e, "linear", &[4, 8]), None)),
        ("linear over bands", e.linear(&e.permute(&tokens, &[0, 2, 1]), &values(e, "over", &[4, 120]), None)),
        ("group_norm", e.group_norm(&image, 4, &bias, &bias, 1e-5)),
        ("group_norm_silu of a whole image", e.group_norm_silu(&pixel, 2, &bias, &bias, 1e-5)),
        ("group_norm_silu_plus", e.group_norm_silu_plus(&image, 2, [&bias, &bias], 1e-5, &image)),
        ("group_norm_film_silu", e.group_norm_film_silu(&image, 2, [&bias, &bias], 1e-5, &values(e, "film", &[2, 16]))),
        ("channel_norm", e.channel_norm(&image, &column, 1e-5)),
        ("normalize_last", e.normalize_last(&e.permute(&image, &[0, 2, 3, 1]), 1e-5)),
        ("normalize_last over bands", e.normalize_last(&e.permute(&tokens, &[0, 2, 1]), 1e-5)),
        ("softmax of channels", e.softmax(&image, 1)),
        ("softmax of tokens", e.softmax(&tokens, 1)),
        ("upsample_nearest_2x", e.upsample_nearest_2x(&image)),
        ("resize_bilinear", e.resize_bilinear(&image, 7, 9)),
        ("average_pool", e.average_pool(&image, 2)),
        ("means of channels", e.mean_from(&image, 2)),
        ("means of rows", e.mean_from(&image, 3)),
        ("attention", e.attention(&tokens, &keys, &tokens, 0.03)),
        ("attention of whole queries", e.attention(&values(e, "queries", &[2, 4, 8]), &keys, &tokens, 0.03)),
        ("linear_attention", e.linear_attention(&e.concat(&[&image, &other, &pixel], 1), 2)),
    ]
}

#[test]
fn every_operation_on_bands_is_that_of_one_engine() {
    let alone = CpuEngine::new();
    let expected: Vec<(&str, Vec<usize>, Vec<f32>)> =
        operations(&alone).into_iter().map(|(name, x)| (name, x.shape().to_vec(), x.values().to_vec())).collect();
    for members in [1, 2, 3, 4] {
        let found = together(members, 1, |e| {
            let read = |(_, x)| (e.shape(&x), block_on(e.read(&x)).expect("the team is whole"));
            operations(e).into_iter().map(read).collect::<Vec<_>>()
        });
        for (rank, found) in found.iter().enumerate() {
            for ((name, shape, values), (found_shape, found)) in expected.iter().zip(found) {
                assert_eq!(shape, found_shape, "{name} on member {rank} of {members}");
                let error = relative_error(found, values);
                assert!(error < 1e-6, "{name} on member {rank} of {members}: {error}");
            }
        }
    }
}

#[test]
fn the_conformance_suite_passes_on_every_member() {
    for failures in together(2, 1, |e| block_on(conformance::check(e, 1e-5))) {
        assert!(failures.is_empty(), "{} cases failed:\n{}", failures.len(), failures.join("\n"));
    }
}

#[test]
fn every_layer_is_that_of_one_engine() {
    for failures in together(2, 1, |e| block_on(layers::check(e, &CpuEngine::new(), 1e-5)).expect("the CPU reads")) {
        assert!(failures.is_empty(), "{failures:#?}");
    }
}

/// Diffusion in five steps, and quantiles, by the weights that ship.
#[test]
fn the_shipped_networks_say_on_every_member_what_they_say_on_one() {
    let shipped = || MapCase::all().pop().expect("the last case has the shipped weights");
    let bytes = std::fs::read(radiodiff_tests::SHIPPED_QUANTILES).expect("the shipped weights");
    let weights = Checkpoint::parse(&bytes).expect("they are whole");
    let alone = CpuEngine::new();
    let expected = block_on(shipped().draw(&alone)).expect("the CPU reads");
    let expected_quantiles = block_on(shipped().quantiles(&alone, &weights));
    together(2, 16, |e| {
        block_on(shipped().assert_drawn_as("a member of two", e, &expected, 1e-5));
        let found = block_on(shipped().quantiles(e, &weights));
        let pairs = expected_quantiles.iter().zip(&found).flat_map(|(a, b)| a.values.iter().zip(&b.values));
        let worst = pairs.filter(|(a, _)| !a.is_nan()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-3, "a quantile is {worst} dB away");
    });
}

#[test]
fn what_the_first_member_has_all_have() {
    let next = AtomicUsize::new(0);
    // In the order of the members' ranks: what each had, and what it has afterwards.
    let found = together(3, 1, |e| {
        let had = [next.fetch_add(1, Ordering::Relaxed) as f32; 5];
        let mut values = had;
        e.share(&mut values).expect("nobody is gone");
        (had, values)
    });
    assert!(found.iter().all(|(_, values)| *values == found[0].0), "{found:?}");
    let mut values = [7.0];
    BandEngine::new().share(&mut values).expect("it is alone");
    assert_eq!(values, [7.0], "who is in no team keeps its own");
}

/// A team whose other member is gone after so many exchanges.
struct Deserted {
    left: Cell<usize>,
}

impl Team for Deserted {
    fn members(&self) -> usize {
        2
    }
    fn rank(&self) -> usize {
        0
    }
    fn gather(&self, sent: &[f32], received: &mut [f32]) -> Result<(), String> {
        self.left.set(self.left.get().checked_sub(1).ok_or("the other member is gone")?);
        received.chunks_exact_mut(sent.len()).for_each(|part| part.copy_from_slice(sent));
        Ok(())
    }
}

#[test]
fn a_member_that_leaves_is_an_error_of_what_is_read() {
    let e = BandEngine::with_least_rows(1);
    let draw = || {
        let x = e.conv2d(&values(&e, "x", &[1, 2, 8, 8]), &values(&e, "w", &[2, 2, 3, 3]), None, ConvGeometry::same(3));
        let x = e.conv2d(&x, &values(&e, "v", &[2, 2, 3, 3]), None, ConvGeometry::same(3));
        block_on(e.read(&x))
    };
    for exchanges in [0, 1] {
        e.join(Some(Box::new(Deserted { left: Cell::new(exchanges) })));
        assert_eq!(draw(), Err(EngineError::Failed { reason: "the other member is gone".into() }), "after {exchanges} exchanges");
    }
    e.join(Some(Box::new(Deserted { left: Cell::new(0) })));
    assert_eq!(e.share(&mut [1.0]), Err(EngineError::Failed { reason: "the other member is gone".into() }));
    e.join(None);
    assert_eq!(draw().expect("alone").len(), 128);
}
