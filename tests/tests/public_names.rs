//! Parameters are called as in the public RadioDiff checkpoints, whose lists are shared reference data. The paper's preset with
//! the first stage's adversary and LPIPS asks for exactly the lists' names and shapes. nano's have the same paths and numbers of
//! dimensions: depths differ, so the numbers in a path are left out; its condition encoder is the project's own.

use radiodiff_core::diffusion::RadioDiff;
use radiodiff_core::engine::CountingEngine;
use radiodiff_core::model::Preset;
use radiodiff_core::model::discriminator::{Discriminator, DiscriminatorPreset};
use radiodiff_core::model::lpips::Lpips;
use radiodiff_core::parameters::{ParameterRecorder, VarBuilder};
use radiodiff_tests::goldens::public_parameters;
use std::collections::{BTreeMap, BTreeSet};

/// Shapes by name.
type Shapes = BTreeMap<String, Vec<usize>>;

/// What the public lists have and no network here asks for, by how the names end; how many there are; why.
const NOT_ASKED_FOR: [(&str, usize, &str); 5] = [
    (".relative_position_index", 24, "which row of the bias table a pair of tokens has follows from the window's side"),
    (".num_batches_tracked", 3 + 24, "PyTorch counts batches for averages that no layer here uses; momenta are constant"),
    (".scaling_layer.shift", 1, "LPIPS's constant, in its code here"),
    (".scaling_layer.scale", 1, "LPIPS's constant, in its code here"),
    ("loss.logvar", 1, "the trainer's own, which is no network's; nothing that draws needs it"),
];

/// What a preset asks for, with the discriminator and LPIPS where the public first stage holds them.
fn asked_for(preset: &str) -> Shapes {
    let (engine, recorder) = (CountingEngine::default(), ParameterRecorder::default());
    let preset = Preset::named(preset).expect("there is such a preset");
    let vb = VarBuilder::new(&engine, &recorder);
    RadioDiff::new(&preset, &vb).expect("the preset is valid");
    let loss = vb.pp("first_stage_model.loss");
    Discriminator::new(&loss.pp("discriminator"), &DiscriminatorPreset::PAPER).expect("the recorder has all");
    Lpips::new(&loss.pp("perceptual_loss")).expect("the recorder has all");
    recorder.take_shapes()
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn the_paper_asks_for_the_public_parameters_and_no_others() {
    let public = public_parameters();
    let mut asked = asked_for("paper");
    assert_eq!(asked.remove("scale_factor"), Some(vec![1]), "beside both networks");
    let mut public: Shapes = public.into_iter().map(|p| (format!("{}{}", p.root, p.name), p.shape)).collect();
    assert_eq!(public.len(), 260 + 1150);
    for (ending, count, why) in NOT_ASKED_FOR {
        let before = public.len();
        public.retain(|name, _| !name.ends_with(ending));
        assert_eq!(before - public.len(), count, "{ending}: {why}");
    }
    let only_in = |a: &Shapes, b: &Shapes| a.iter().filter(|&(name, shape)| b.get(name) != Some(shape)).map(|p| format!("{p:?}")).collect();
    let [unknown, not_asked_for]: [Vec<String>; 2] = [only_in(&asked, &public), only_in(&public, &asked)];
    assert!(unknown.is_empty() && not_asked_for.is_empty(), "asked for: {unknown:?}; public: {not_asked_for:?}");

    // Counted as PyTorch counts parameters: without running statistics; the loss's are not the first stage's.
    let counts = ["first_stage_model.", "model."].map(|prefix| {
        let counted = |name: &str| name.starts_with(prefix) && !name.contains(".loss.") && !name.contains(".running_");
        asked.iter().filter(|(name, _)| counted(name)).map(|(_, shape)| shape.iter().product::<usize>()).sum::<usize>()
    });
    assert_eq!(counts, [55_307_453, 224_869_496]);
}

/// A name with its numbers left out, and how many dimensions it has.
fn kind((name, shape): (&String, &Vec<usize>)) -> (String, usize) {
    let part = |part: &str| if part.bytes().all(|b| b.is_ascii_digit()) { "#".to_owned() } else { part.to_owned() };
    (name.split('.').map(part).collect::<Vec<_>>().join("."), shape.len())
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn the_parameters_of_nano_have_public_paths() {
    let public = public_parameters();
    let public: BTreeSet<_> = public.iter().map(|p| kind((&format!("{}{}", p.root, p.name), &p.shape))).collect();
    assert!(public.len() > 40, "{} kinds of names", public.len());
    let asked = asked_for("nano");
    let own = |name: &str| name == "scale_factor" || name.starts_with("model.init_conv_mask.");
    let unknown: Vec<_> = asked.iter().filter(|(name, _)| !own(name)).map(kind).filter(|kind| !public.contains(kind)).collect();
    assert!(unknown.is_empty(), "not in the public lists: {unknown:?}");
}
