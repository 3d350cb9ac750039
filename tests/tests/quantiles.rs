//! The network of quantiles: where it begins, that its maps are in order, and its weights as a file.

use geo::Coord;
use pollster::block_on;
use radiodiff_core::cost::QuantilesCost;
use radiodiff_core::engine::{CountingEngine, Engine};
use radiodiff_core::model::Preset;
use radiodiff_core::model::preset::{QUANTILES, QuantilesPreset, ResidualPreset};
use radiodiff_core::model::quantiles::{QuantileNet, ROOT, probabilities};
use radiodiff_core::parameters::{Initializer, ParameterError, ParameterRecorder, ParameterSource, ParameterSpec, VarBuilder};
use radiodiff_core::pipeline::{PipelineError, QuantilePipeline};
use radiodiff_core::weights::{Checkpoint, HostTensor, Precision, WeightsError, WeightsManifest, serialize};
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{DominantPath, PropagationModel};
use radiodiff_radio::scene::{BuildingMask, Grid, LinkEnds, Scene};
use radiodiff_tests::rule::{RuleSource, rule_parameter};
use radiodiff_tests::{one_building, seeing_scene};
use std::collections::BTreeMap;

const POSITION: Coord<f64> = Coord { x: 60.5, y: 50.5 };

fn preset() -> Preset {
    let quantiles = QuantilesPreset { widths: vec![8, 12, 16], detail_width: 8, norm_groups: 4, pixels_m: None };
    Preset { quantiles: Some(quantiles), ..seeing_scene() }
}

fn drawn(weights: &impl ParameterSource<CpuEngine>) -> Vec<RadioMap> {
    let e = CpuEngine::new();
    let model = QuantileNet::new(&preset(), &VarBuilder::new(&e, weights)).expect("the preset is valid");
    block_on(QuantilePipeline::new(model).draw(&e, &one_building(), &LinkEnds::at(POSITION))).expect("maps")
}

/// Parameters by rule, but those that begin with a constant have it.
struct Begun;

impl ParameterSource<CpuEngine> for Begun {
    fn parameter(&self, engine: &CpuEngine, spec: &ParameterSpec) -> Result<<CpuEngine as Engine>::Tensor, ParameterError> {
        match spec.initializer {
            Initializer::Constant(value) => Ok(engine.tensor(&vec![value; spec.shape.iter().product()], &spec.shape)),
            _ => RuleSource { seed: 3 }.parameter(engine, spec),
        }
    }
}

/// Each quantile is a step of 30 / 64 log 2 dB above the one below.
#[test]
fn it_begins_with_the_physical_map_and_a_small_even_spread() {
    let maps = drawn(&Begun);
    let physical = DominantPath::level().path_gain(&one_building(), &LinkEnds::at(POSITION)).expect("outdoors");
    assert_eq!(maps.len(), QUANTILES);
    let step_db = 30.0 / 64.0 * 2.0_f32.ln();
    for (i, map) in maps.iter().enumerate() {
        let above_db = step_db * (i as f32 - 9.0);
        for (found, physical) in map.values.iter().zip(&physical.values) {
            assert_eq!(found.is_nan(), physical.is_nan(), "values outdoors");
            // The weakest gains are clipped to the codec's range.
            let expected = (physical + above_db).clamp(-147.0, -47.84);
            assert!(found.is_nan() || (found - expected).abs() < 0.01, "quantile {i}: {found} dB, expected {expected} dB");
        }
    }
}

/// The networks are told the antenna's height where their preset says so, and begin with that height's physical map.
#[test]
fn it_begins_with_the_physical_map_of_a_raised_antenna() {
    let e = CpuEngine::new();
    let mut preset = preset();
    let low = |channel: &ConditionChannel| *channel == ConditionChannel::DominantPathGain;
    let place = preset.condition.channels.iter().position(low).expect("the residual's");
    preset.condition.channels[place] = ConditionChannel::DominantPathGainAtHeight;
    preset.residual = Some(ResidualPreset { physical: ConditionChannel::DominantPathGainAtHeight, range_db: 30.0 });
    assert_eq!(preset.condition.antenna_heights_m(), [1.5, 1.5]);
    preset.condition.channels[0] = ConditionChannel::AntennaHeight;
    assert_eq!(preset.condition.antenna_heights_m(), [1.5, 40.0]);
    let pipeline = QuantilePipeline::new(QuantileNet::new(&preset, &VarBuilder::new(&e, &Begun)).expect("the preset is valid"));
    let ends = LinkEnds { height_m: 24.0, ..LinkEnds::at(POSITION) };
    let median = block_on(pipeline.draw(&e, &one_building(), &ends)).expect("maps").swap_remove(QUANTILES / 2);
    let (physical, low) =
        [ends, LinkEnds::at(POSITION)].map(|ends| DominantPath::default().path_gain(&one_building(), &ends).expect("outdoors")).into();
    let apart = |other: &RadioMap| {
        let pairs = median.values.iter().zip(&other.values).filter(|(a, _)| !a.is_nan());
        pairs.map(|(a, b)| (a - b.clamp(-147.0, -47.84)).abs()).fold(0.0, f32::max)
    };
    assert!(apart(&physical) < 0.01 && apart(&low) > 3.0, "{} dB, and {} dB of 1.5 m", apart(&physical), apart(&low));
}

/// A network that has learnt pixels of several sizes says maps of any number of them: here of 100, which its halvings do not divide.
#[test]
fn it_says_maps_of_the_pixels_that_it_has_learnt() {
    let e = CpuEngine::new();
    let mut preset = preset();
    preset.quantiles.iter_mut().for_each(|sizes| sizes.pixels_m = Some([1.0, 4.0]));
    let pipeline = QuantilePipeline::new(QuantileNet::new(&preset, &VarBuilder::new(&e, &Begun)).expect("the preset is valid"));
    let scene = |size, meters_per_pixel| {
        let grid = Grid { size, meters_per_pixel };
        let mut mask = BuildingMask { size, pixels: vec![0; grid.pixels()] };
        (30..50).for_each(|row| mask.pixels[row * size + 30..row * size + 50].fill(1));
        PreparedScene::new(&Scene::from_mask(grid, mask))
    };
    let coarse = scene(100, 2.5);
    let maps = block_on(pipeline.draw(&e, &coarse, &LinkEnds::at(POSITION))).expect("maps");
    let physical = DominantPath::level().path_gain(&coarse, &LinkEnds::at(POSITION)).expect("outdoors");
    assert_eq!(maps.len(), QUANTILES);
    for (found, physical) in maps[QUANTILES / 2].values.iter().zip(&physical.values) {
        assert!(
            found.is_nan() == physical.is_nan() && (found.is_nan() || (found - physical.max(-147.0)).abs() < 0.01),
            "{found}, {physical}"
        );
    }
    for (size, meters_per_pixel) in [(100, 0.5), (100, 5.0), (1025, 2.0)] {
        let refused =
            block_on(pipeline.draw(&e, &scene(size, meters_per_pixel), &LinkEnds::at(POSITION))).expect_err("not learnt").to_string();
        assert!(refused.contains("draws up to 1024 x 1024 pixels of 1 to 4 m;"), "{refused}");
    }
    preset.quantiles.iter_mut().for_each(|sizes| sizes.pixels_m = Some([2.0, 4.0]));
    let refused = QuantilesCost::estimate(&preset).expect_err("its own pixels are not among them").to_string();
    assert!(refused.contains("quantiles.pixels_m is 2 to 4, expected two lengths"), "{refused}");
}

/// The weights' factor moves quantiles away from their mean, which stays.
#[test]
fn quantiles_are_widened_about_their_mean() {
    let e = CpuEngine::new();
    let model = QuantileNet::new(&preset(), &VarBuilder::new(&e, &RuleSource { seed: 3 })).expect("the preset is valid");
    let wide = block_on(QuantilePipeline::new(model).widened(1.25).draw(&e, &one_building(), &LinkEnds::at(POSITION))).expect("maps");
    let plain = drawn(&RuleSource { seed: 3 });
    let mean = |maps: &[RadioMap], i: usize| maps.iter().map(|map| map.values[i]).sum::<f32>() / QUANTILES as f32;
    let mut compared = 0;
    for i in (0..plain[0].values.len()).filter(|&i| !plain[0].values[i].is_nan()) {
        let (mean_db, width_db) = (mean(&plain, i), plain[QUANTILES - 1].values[i] - plain[0].values[i]);
        let found_db = wide[QUANTILES - 1].values[i] - wide[0].values[i];
        assert!(
            (mean(&wide, i) - mean_db).abs() < 1e-3 && (found_db - 1.25 * width_db).abs() < 1e-3,
            "pixel {i}: {found_db} of {width_db} dB"
        );
        compared += usize::from(width_db > 1.0);
    }
    assert!(compared > 1000, "{compared} intervals have a width");
}

#[test]
fn quantiles_never_cross() {
    let maps = drawn(&RuleSource { seed: 3 });
    let apart =
        |pair: &[RadioMap]| pair[0].values.iter().zip(&pair[1].values).filter(|(a, _)| !a.is_nan()).map(|(a, b)| b - a).collect::<Vec<_>>();
    let apart: Vec<f32> = maps.windows(2).flat_map(apart).collect();
    assert!(apart.iter().all(|&db| db >= 0.0), "in order everywhere");
    let wide = apart.iter().filter(|&&db| db > 0.1).count();
    assert!(wide > apart.len() / 20, "{wide} of {} steps are wider than 0.1 dB", apart.len());
    assert_eq!([probabilities()[0], probabilities()[9], probabilities()[18]], [0.05, 0.5, 0.95]);
}

/// A file of the network alone, with tensors by rule but those left out.
fn file(preset: &Preset, left_out: &str) -> Result<Checkpoint, WeightsError> {
    let recorder = ParameterRecorder::default();
    QuantileNet::new(&self::preset(), &VarBuilder::new(&CountingEngine::default(), &recorder)).expect("the preset is valid");
    let tensor = |(name, shape): (String, Vec<usize>)| {
        let values = rule_parameter(3, &name, &shape);
        (name, HostTensor { shape, values })
    };
    let tensors: BTreeMap<String, HostTensor> =
        recorder.take_shapes().into_iter().filter(|(name, _)| name != left_out).map(tensor).collect();
    Checkpoint::parse(&serialize(&tensors, WeightsManifest::of(preset.clone()), Precision::F32)?)
}

#[test]
fn weights_are_a_file_of_their_own() {
    let e = CpuEngine::new();
    let whole = file(&preset(), "").expect("a file");
    assert!(whole.holds_quantiles() && whole.tensors().keys().all(|name| name.starts_with(ROOT)));
    let model = whole.build_quantiles(&e).expect("the network");
    let maps = block_on(QuantilePipeline::new(model).draw(&e, &one_building(), &LinkEnds::at(POSITION))).expect("maps");
    let values = |maps: &[RadioMap]| maps.iter().flat_map(|map| map.values.iter().map(|v| v.to_bits())).collect::<Vec<_>>();
    assert_eq!(values(&maps), values(&drawn(&RuleSource { seed: 3 })));
    let refused = |error: Option<WeightsError>, words: &str| {
        let said = error.expect("an error").to_string();
        assert!(said.contains(words), "{said}, expected {words}");
    };
    refused(whole.build(&e).err(), "holds the network of quantiles of preset nano, expected networks that draw maps from noise");
    let without_entry = file(&seeing_scene(), "").expect("a file");
    refused(without_entry.build_quantiles(&e).err(), "preset nano has no entry [quantiles]");
    let lacking = file(&preset(), "quantiles.stem.bias").expect("a file");
    refused(lacking.build_quantiles(&e).err(), "parameter quantiles.stem.bias of shape [8] is missing");
}

#[test]
fn a_transmitter_indoors_and_sizes_that_cannot_work_are_refused() {
    let e = CpuEngine::new();
    let model = QuantileNet::new(&preset(), &VarBuilder::new(&e, &Begun)).expect("the preset is valid");
    let indoors = block_on(QuantilePipeline::new(model).draw(&e, &one_building(), &LinkEnds::at(Coord { x: 128.0, y: 128.0 })));
    assert!(matches!(indoors, Err(PipelineError::Scene(_))));
    let refused = |change: fn(&mut QuantilesPreset), words: &str| {
        let mut preset = preset();
        preset.quantiles.iter_mut().for_each(change);
        let said = QuantilesCost::estimate(&preset).expect_err("sizes that cannot work").to_string();
        assert!(said.contains(words), "{said}, expected {words}");
    };
    refused(|sizes| sizes.widths = vec![8, 10], "quantiles.widths is 10, expected a multiple of 4");
    refused(|sizes| sizes.widths = vec![8; 9], "quantiles.widths is 9 levels, expected 1 to 8");
    refused(|sizes| sizes.detail_width = 0, "quantiles.detail_width is 0, expected 1 to 4096");
    refused(|sizes| sizes.norm_groups = 0, "quantiles.norm_groups is 0");
}
