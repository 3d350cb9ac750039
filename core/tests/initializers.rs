//! The initial values of parameters, by name, are the public code's (docs/radiodiff.md, "Initial parameters").

use radiodiff_core::diffusion::RadioDiff;
use radiodiff_core::engine::CountingEngine;
use radiodiff_core::model::Preset;
use radiodiff_core::model::discriminator::{Discriminator, DiscriminatorPreset};
use radiodiff_core::parameters::{Initializer, ParameterRecorder, ParameterSpec, VarBuilder};
use std::collections::BTreeMap;

const ZERO: Initializer = Initializer::Constant(0.0);
const ONE: Initializer = Initializer::Constant(1.0);

fn normal(std: f32) -> Initializer {
    Initializer::Normal { std }
}

/// PyTorch's default for convolutions and linear layers.
fn default(fan_in: usize) -> Initializer {
    Initializer::Uniform { bound: 1.0 / (fan_in as f32).sqrt() }
}

fn of_the_paper() -> BTreeMap<String, ParameterSpec> {
    let (engine, recorder) = (CountingEngine::default(), ParameterRecorder::default());
    let vb = VarBuilder::new(&engine, &recorder);
    RadioDiff::new(&Preset::named("paper").expect("there is such a preset"), &vb).expect("it is valid");
    Discriminator::new(&vb.pp("discriminator"), &DiscriminatorPreset::PAPER).expect("the recorder gives any");
    recorder.take()
}

/// Convolutions Kaiming-normal, linear layers Xavier-normal, biases 0.
#[test]
fn relation_layers_begin_their_own_way() {
    let specs = of_the_paper();
    let within: Vec<_> = specs.values().filter(|spec| spec.name.contains(".attentions.")).collect();
    assert_eq!(within.len(), 12 * 16, "twelve layers of seven weights and biases, and a normalisation");
    for ParameterSpec { name, shape, initializer, .. } in within {
        let expected = match shape[..] {
            [_] if name.ends_with(".gn.weight") => ONE,
            [_] => ZERO,
            [output, input] => normal((2.0 / (input + output) as f32).sqrt()),
            _ => normal((2.0 / shape[1..].iter().product::<usize>() as f32).sqrt()),
        };
        assert_eq!(*initializer, expected, "{name}");
    }
    for input in ["input_conv1", "input_conv2"] {
        for (ending, expected) in [("0.weight", default(256)), ("0.bias", default(256)), ("1.weight", ONE), ("1.bias", ZERO)] {
            let name = format!("model.relation_layers_down.2.{input}.{ending}");
            assert_eq!(specs[&name].initializer, expected, "{name}");
        }
    }
}

#[test]
fn the_other_networks_begin_as_the_public_ones() {
    let small = normal(0.02);
    let cases = [
        ("model.decouple2.2.complex_weight", small),
        ("model.time_mlp.0.W", normal(16.0)),
        ("model.downs.1.0.block1.proj.weight", default(128 * 9)),
        ("model.init_conv_mask.first_coonv.0.weight", default(3 * 16)),
        ("model.init_conv_mask.features.4.17.attn.qkv.weight", small),
        ("model.init_conv_mask.features.4.17.attn.qkv.bias", ZERO),
        ("model.init_conv_mask.features.4.17.attn.relative_position_bias_table", small),
        ("model.init_conv_mask.features.4.17.mlp.0.weight", small),
        ("model.init_conv_mask.features.5.reduction.weight", small),
        ("first_stage_model.decoder.conv_in.bias", default(3 * 9)),
        ("discriminator.main.0.weight", small),
        ("discriminator.main.0.bias", default(16)),
        ("discriminator.main.3.weight", Initializer::NormalAroundOne { std: 0.02 }),
        ("discriminator.main.3.bias", ZERO),
        ("discriminator.main.11.weight", small),
    ];
    let specs = of_the_paper();
    for (name, expected) in cases {
        let found = specs.get(name).unwrap_or_else(|| panic!("there is no {name}")).initializer;
        assert_eq!(found, expected, "{name}");
    }
}
