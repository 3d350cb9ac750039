//! A small network with every part of the paper's, and PyTorch's float64 outputs for it (tests/goldens/unet.py): an independent
//! check of U-Net, condition encoder and sampler on every engine, in seconds.
//!
//! Its sizes cover cases that the paper's do not: windows and tiles that do not divide a side, a window larger than its stage, an
//! odd bottleneck, two samples with different times.

use crate::relative_error;
use crate::rule::{RuleSource, rule_noise, rule_values};
use radiodiff_core::diffusion::{Denoiser, SampleOptions, Sampling, parameter_shapes};
use radiodiff_core::engine::{Engine, EngineError};
use radiodiff_core::model::Preset;
use radiodiff_core::model::preset::{AutoencoderPreset, ConditionPreset, EncoderPreset, SwinPreset, UnetPreset};
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::weights::read_tensors;
use radiodiff_radio::features::ConditionChannel::{Buildings, Transmitter};
use radiodiff_radio::map::GrayCodec;

/// The seed of weights, scene and noise.
pub const SEED: u64 = 1;
const LATENTS: [usize; 4] = [2, 3, 10, 10];
const CONDITION: [usize; 4] = [2, 2, 40, 40];

/// 2 scenes of 40 x 40 pixels.
pub fn preset() -> Preset {
    Preset {
        name: "small".into(),
        map_size: 40,
        meters_per_pixel: 1.0,
        gray: GrayCodec::default(),
        residual: None,
        autoencoder: AutoencoderPreset {
            channels: 8,
            multipliers: vec![1, 2, 2],
            residual_blocks: 1,
            latent_channels: 3,
            norm_groups: 4,
            scene_channels: 0,
        },
        condition: ConditionPreset {
            channels: vec![Buildings, Transmitter],
            encoder: EncoderPreset::Swin(SwinPreset {
                width: 12,
                depths: vec![2, 2],
                heads: vec![2, 3],
                window: 6,
                stochastic_depth: 0.0,
                public_leftovers: false,
            }),
        },
        unet: UnetPreset {
            latent_channels: 3,
            latent_size: 10,
            width: 16,
            level_widths: vec![16, 24],
            stem_kernel: 5,
            norm_groups: 4,
            heads: 2,
            head_width: 8,
            time_frequencies: 8,
            time_width: 32,
            relation_windows: vec![4, 2],
            adaptive_fourier: true,
        },
        quantiles: None,
        latent_scale: 0.3,
    }
}

fn noise(name: &str) -> Vec<f32> {
    rule_noise(SEED, name, LATENTS.iter().product())
}

/// Relative errors, by name, of the condition encoder's stages, C and epsilon at two times, and the sampler's latents after one
/// and three steps.
///
/// # Errors
/// Those of reading results from the engine.
///
/// # Panics
/// When tests/goldens/small-float64.safetensors does not fit what is computed.
pub async fn errors<E: Engine>(e: &E) -> Result<Vec<(String, f64)>, EngineError> {
    let source = RuleSource { seed: SEED };
    let denoiser = Denoiser::new(&VarBuilder::new(e, &source), &preset()).expect("the rule has every parameter");
    let condition: Vec<f32> = rule_values(SEED, "condition", CONDITION.iter().product()).map(|u| u as f32).collect();
    let stages = denoiser.stages(e, &e.tensor(&condition, &CONDITION));
    let condition = denoiser.project(e, &stages);
    let start = e.tensor(&noise("noise"), &LATENTS);
    let mut found = Vec::new();
    for (i, stage) in stages.iter().enumerate() {
        found.push((format!("swin.stage{i}.channels0_8"), e.narrow(stage, 1, 0, 8)));
    }
    for times in [[0.25, 0.8], [1.0, 1.0]] {
        let prediction = denoiser.predict(e, &start, &times, &condition);
        let [a, b] = times;
        found.push((format!("unet.t{a:?}_{b:?}.C"), prediction.drift));
        found.push((format!("unet.t{a:?}_{b:?}.eps"), prediction.noise));
    }
    for steps in [1, 3] {
        let options = SampleOptions { steps, seed: SEED, split_last_step: true };
        let mut sampling = Sampling::new(start.clone(), 1.0, &options);
        while denoiser.advance(e, &condition, &mut sampling, |step| e.tensor(&noise(&format!("step_noise.{step}")), &LATENTS)) {}
        found.push((format!("sampler.n{steps}.latent"), sampling.latent));
    }
    let goldens = read_tensors(include_bytes!("../goldens/small-float64.safetensors"), "").expect("the goldens are sound");
    assert_eq!(found.len(), goldens.len(), "every golden is compared");
    let mut errors = Vec::new();
    for (name, tensor) in found {
        let golden = &goldens[&name];
        assert_eq!(e.shape(&tensor), golden.shape, "{name}");
        errors.push((name, relative_error(&e.read(&tensor).await?, &golden.values)));
    }
    Ok(errors)
}

/// Asserts that [`errors`] are at most `allowed`.
///
/// # Panics
/// When they are not, or the engine does not read.
pub async fn assert_equal<E: Engine>(e: &E, allowed: f64) {
    let errors = errors(e).await.expect("the engine reads");
    println!("{}", errors.iter().map(|(name, error)| format!("{name} {error:.1e}")).collect::<Vec<_>>().join("  "));
    // NaN is above all.
    assert!(errors.iter().all(|(_, error)| *error <= allowed), "above {allowed:e}: {errors:?}");
}

/// The denoiser's parameters, one line `name (shape)` each: tests/goldens/small-parameters.txt, from which the PyTorch script makes its
/// own.
///
/// # Panics
/// When the preset cannot work.
pub fn parameter_list() -> String {
    let shapes = parameter_shapes(&preset()).expect("the small preset works");
    let of_denoiser = shapes.iter().filter_map(|(name, shape)| Some((name.strip_prefix("model.")?, shape)));
    let line = |(name, shape): (&str, &Vec<usize>)| {
        let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
        format!("{name} ({})\n", shape.join(", "))
    };
    of_denoiser.map(line).collect()
}
