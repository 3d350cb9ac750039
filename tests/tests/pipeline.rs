//! The way from a scene to its map: the hook between the steps, the cache of the encoded condition, and the errors.

use geo::Coord;
use pollster::block_on;
use radiodiff_core::cost::ModelCost;
use radiodiff_core::diffusion::{RadioDiff, SampleOptions};
use radiodiff_core::engine::{CountingEngine, Engine};
use radiodiff_core::model::Preset;
use radiodiff_core::parameters::{ParameterError, ParameterRecorder, ParameterSource, ParameterSpec, VarBuilder};
use radiodiff_core::pipeline::{MapRequest, Pipeline, PipelineError, SamplingProgress, no_hook};
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::scene::{BuildingMask, Grid, LinkEnds, Scene};
use radiodiff_tests::rule::RuleSource;
use radiodiff_tests::seeing_scene;

/// An empty scene with one building of 40 x 40 m in the middle.
fn scene(grid: Grid) -> PreparedScene {
    let mut mask = BuildingMask { size: grid.size, pixels: vec![0; grid.pixels()] };
    for row in 108..148 {
        mask.pixels[row * grid.size + 108..row * grid.size + 148].fill(1);
    }
    PreparedScene::new(&Scene::from_mask(grid, mask))
}

fn request(scene: &PreparedScene, x: f64, steps: usize, seed: u64) -> MapRequest<'_> {
    let options = SampleOptions { steps, seed, ..SampleOptions::default() };
    MapRequest { scene, ends: LinkEnds::at(Coord { x, y: 50.5 }), start: 1.0, options }
}

fn nano() -> Preset {
    Preset::named("nano").expect("nano is a preset")
}

/// nano on the engine that counts; its maps end with an error, because it has no values to read.
fn counting() -> (CountingEngine, Pipeline<CountingEngine>) {
    let engine = CountingEngine::default();
    let model = RadioDiff::new(&nano(), &VarBuilder::new(&engine, &ParameterRecorder::default())).expect("nano is valid");
    engine.take();
    (engine, Pipeline::new(model))
}

#[test]
fn the_hook_sees_every_step_and_can_stop_before_any() {
    let (engine, pipeline) = counting();
    let scene = scene(Grid::default());
    for stop in 0..3 {
        let mut seen = Vec::new();
        let hook = async |SamplingProgress { done, steps }| {
            seen.push((done, steps));
            if done == stop { Err("enough") } else { Ok(()) }
        };
        let stopped = block_on(pipeline.draw_map(&engine, &request(&scene, 60.5, 2, 0), hook));
        assert!(matches!(stopped, Err(PipelineError::Stopped("enough"))));
        assert_eq!(seen, (0..=stop).map(|done| (done, 2)).collect::<Vec<_>>());
    }
}

#[test]
fn a_condition_is_encoded_again_only_when_it_changes() {
    let (engine, pipeline) = counting();
    let cost = ModelCost::estimate(&nano()).expect("nano is valid");
    let (one, other) = (scene(Grid::default()), scene(Grid::default()));
    let macs = |request: &MapRequest<'_>| {
        let map = block_on(pipeline.draw_map(&engine, request, no_hook));
        assert!(matches!(map, Err(PipelineError::Engine(_))), "the counting engine has no values");
        engine.take().macs
    };
    let (new, known) = (cost.map_in_one_step(), cost.one_step + cost.decoder);
    assert_eq!(macs(&request(&one, 60.5, 1, 0)), new);
    assert_eq!(macs(&request(&one, 60.5, 1, 7)), known, "another seed");
    assert_eq!(macs(&request(&one, 60.5, 2, 7)), known + cost.unet, "more steps");
    assert_eq!(macs(&request(&other, 60.5, 1, 0)), known, "an equal scene");
    assert_eq!(macs(&request(&one, 61.5, 1, 0)), new, "another place");
}

/// A batch encodes the scene once, and its maps are those of its seeds drawn alone.
#[test]
fn samples_are_drawn_as_one_batch() {
    let (engine, pipeline) = counting();
    let cost = ModelCost::estimate(&nano()).expect("nano is valid");
    let scene = scene(Grid::default());
    let counted = block_on(pipeline.draw_samples(&engine, &request(&scene, 60.5, 2, 0), 5, no_hook));
    assert!(matches!(counted, Err(PipelineError::Engine(_))), "the counting engine has no values");
    let each = cost.one_step + cost.unet + cost.decoder;
    assert_eq!(engine.take().macs, cost.condition + 5 * each);

    // Of the scene the decoder sees, and from a map, so that everything that a batch repeats takes part.
    let engine = CpuEngine::new();
    let model = RadioDiff::new(&seeing_scene(), &VarBuilder::new(&engine, &RuleSource { seed: 3 })).expect("the preset is valid");
    let pipeline = Pipeline::new(model);
    let asked = |seed| MapRequest { start: 0.7, ..request(&scene, 60.5, 2, seed) };
    let batch = block_on(pipeline.draw_samples(&engine, &asked(u64::MAX), 2, no_hook)).expect("two maps");
    assert_eq!(batch.len(), 2);
    let apart_db = |a: &RadioMap, b: &RadioMap| {
        let apart = a.values.iter().zip(&b.values).filter(|(a, _)| !a.is_nan()).map(|(a, b)| (a - b).abs());
        apart.fold(0.0, |most: f32, apart| if apart > most || apart.is_nan() { apart } else { most })
    };
    for (map, seed) in batch.iter().zip([u64::MAX, 0]) {
        let alone = block_on(pipeline.draw_map(&engine, &asked(seed), no_hook)).expect("a map");
        let apart_db = apart_db(map, &alone);
        assert!(apart_db < 1e-3, "seed {seed}: {apart_db} dB");
    }
    assert!(apart_db(&batch[0], &batch[1]) > 0.1, "other noise draws another map");
}

#[test]
fn a_scene_on_another_grid_is_refused() {
    let (engine, pipeline) = counting();
    for (size, meters_per_pixel) in [(320, 1.0), (256, 2.0)] {
        let scene = scene(Grid { size, meters_per_pixel });
        let error = block_on(pipeline.draw_map(&engine, &request(&scene, 60.5, 1, 0), no_hook)).expect_err("another grid");
        let expected = format!("the scene has {size} x {size} pixels of {meters_per_pixel} m, preset nano draws 256 x 256 pixels of 1 m");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

/// Weights by rule, but the decoder's last bias is NaN.
struct BrokenWeights;

impl<E: Engine> ParameterSource<E> for BrokenWeights {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError> {
        match spec.name.as_str() {
            "first_stage_model.decoder.conv_out.bias" => Ok(engine.tensor(&[f32::NAN], &[1])),
            _ => RuleSource { seed: 1 }.parameter(engine, spec),
        }
    }
}

#[test]
fn gray_levels_that_are_not_finite_are_an_error() {
    let engine = CpuEngine::new();
    let pipeline = Pipeline::new(RadioDiff::new(&nano(), &VarBuilder::new(&engine, &BrokenWeights)).expect("nano is valid"));
    let error = block_on(pipeline.draw_map(&engine, &request(&scene(Grid::default()), 60.5, 1, 0), no_hook)).expect_err("NaN everywhere");
    assert!(matches!(error, PipelineError::NotFinite { count: 65_536, of: 65_536 }), "{error}");
}
