//! Networks that draw the difference to a physical map, and decoders that see the scene.

use geo::Coord;
use pollster::block_on;
use radiodiff_core::diffusion::{RadioDiff, SampleOptions};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Preset;
use radiodiff_core::model::preset::ResidualPreset;
use radiodiff_core::parameters::{ParameterError, ParameterSource, ParameterSpec, VarBuilder};
use radiodiff_core::pipeline::{MapRequest, Pipeline, no_hook};
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{DominantPath, PropagationModel};
use radiodiff_radio::scene::LinkEnds;
use radiodiff_tests::rule::RuleSource;
use radiodiff_tests::{one_building, seeing_scene};

const POSITION: Coord<f64> = Coord { x: 60.5, y: 50.5 };

/// Every parameter is 0 but the latents' scale.
struct Zeros;

impl<E: Engine> ParameterSource<E> for Zeros {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError> {
        let value = if spec.name == "scale_factor" { 1.0 } else { 0.0 };
        Ok(engine.tensor(&vec![value; spec.shape.iter().product()], &spec.shape))
    }
}

fn drawn(weights: &impl ParameterSource<CpuEngine>, preset: &Preset, scene: &PreparedScene, start: f32) -> RadioMap {
    let e = CpuEngine::new();
    let model = RadioDiff::new(preset, &VarBuilder::new(&e, weights)).expect("the preset is valid");
    let request = MapRequest { scene, ends: LinkEnds::at(POSITION), start, options: SampleOptions::default() };
    block_on(Pipeline::new(model).draw_map(&e, &request, no_hook)).expect("a map")
}

/// The largest difference outdoors, dB.
fn most_apart_db(a: &RadioMap, b: &RadioMap) -> f32 {
    assert!(a.values.iter().zip(&b.values).all(|(a, b)| a.is_nan() == b.is_nan()), "both have values outdoors");
    a.values.iter().zip(&b.values).filter(|(a, _)| !a.is_nan()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn networks_that_say_nothing_draw_the_physical_map() {
    let (preset, scene) = (seeing_scene(), one_building());
    let physical = DominantPath::level().path_gain(&scene, &LinkEnds::at(POSITION)).expect("outdoors");
    for start in [1.0, 0.2] {
        let apart_db = most_apart_db(&drawn(&Zeros, &preset, &scene, start), &physical);
        assert!(apart_db < 1e-3, "from t = {start}: {apart_db} dB");
    }
    // By the same rule a network without a physical map draws one gray level.
    let other = Preset { residual: None, ..preset };
    assert!(most_apart_db(&drawn(&Zeros, &other, &scene, 1.0), &physical) > 20.0);
}

#[test]
fn networks_stay_within_the_stated_range_of_the_physical_map() {
    let (preset, scene) = (seeing_scene(), one_building());
    let physical = DominantPath::level().path_gain(&scene, &LinkEnds::at(POSITION)).expect("outdoors");
    let mut narrow = preset;
    let range_db = 2.0;
    narrow.residual = narrow.residual.map(|residual| ResidualPreset { range_db, ..residual });
    let apart_db = most_apart_db(&drawn(&RuleSource { seed: 3 }, &narrow, &scene, 1.0), &physical);
    assert!((0.9 * range_db..range_db + 1e-3).contains(&apart_db), "{apart_db} dB");
}

#[test]
fn the_decoder_draws_what_only_the_scene_says() {
    let (e, preset) = (CpuEngine::new(), seeing_scene());
    let model = RadioDiff::new(&preset, &VarBuilder::new(&e, &RuleSource { seed: 3 })).expect("the preset is valid");
    let (side, channels) = (preset.map_size, preset.condition.channels.len());
    let latent = e.tensor(&vec![0.1; model.latent_shape(1).iter().product()], &model.latent_shape(1));
    let lit = |pixel: usize| {
        let mut scene = vec![-1.0; channels * side * side];
        scene[(channels - 1) * side * side + pixel] = 1.0;
        let scene = e.tensor(&scene, &[1, channels, side, side]);
        block_on(e.read(&model.decode_map(&e, &latent, &scene))).expect("the CPU reads")
    };
    let (row, column) = (40, 90);
    let (with, without) = (lit(row * side + column), lit(200 * side + 200));
    let change = |i: usize| (with[i] - without[i]).abs();
    assert!(change(row * side + column) > 10.0 * change(10 * side + 240), "a pixel of the scene is drawn where it is");
}

#[track_caller]
fn assert_refused(edit: impl FnOnce(&mut Preset), field: &str, expected: &str) {
    let mut preset = seeing_scene();
    edit(&mut preset);
    let error = preset.validate().expect_err(field);
    assert!(error.field == field && error.to_string().contains(expected), "{error}");
}

#[test]
fn presets_that_cannot_work_are_refused() {
    seeing_scene().validate().expect("a sound preset");
    assert_refused(|preset| preset.autoencoder.scene_channels = 4, "autoencoder.scene_channels", "0, or the condition's 8");
    let cars = |preset: &mut Preset| {
        preset.condition.channels.push(ConditionChannel::Cars);
        preset.autoencoder.scene_channels = 9;
    };
    assert_refused(cars, "autoencoder.scene_channels", "a multiple of autoencoder.norm_groups, 4");
    let physical = |channel| {
        move |preset: &mut Preset| {
            preset.residual = preset.residual.map(|residual| ResidualPreset { physical: channel, ..residual });
        }
    };
    let expected = "a channel of gain that is among condition.channels";
    assert_refused(physical(ConditionChannel::Buildings), "residual.physical", expected);
    let lacks = |preset: &mut Preset| preset.condition.channels[6] = ConditionChannel::Irt2Gain;
    assert_refused(lacks, "residual.physical", expected);
    let range = |preset: &mut Preset| {
        preset.residual = preset.residual.map(|residual| ResidualPreset { range_db: 0.0, ..residual });
    };
    assert_refused(range, "residual.range_db", "a positive number");
}

/// The hash of a weights file is over its preset's text.
#[test]
fn presets_of_older_files_are_written_as_they_were() {
    for name in Preset::NAMES {
        let preset = Preset::named(name).expect("it has a name");
        let text = serde_json::to_string(&preset).expect("a preset is data");
        assert!(!text.contains("residual\"") && !text.contains("scene_channels"), "{text}");
        assert_eq!(serde_json::from_str::<Preset>(&text).expect("it reads back"), preset);
    }
    let text = serde_json::to_string(&seeing_scene()).expect("a preset is data");
    assert!(text.contains(r#""residual":{"physical":"dominant-path-gain","range_db":30.0}"#), "{text}");
    assert_eq!(serde_json::from_str::<Preset>(&text).expect("it reads back"), seeing_scene());
}
