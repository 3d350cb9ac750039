//! nano's parameters are called as in the public RadioDiff checkpoints, whose lists are shared reference data: same paths, same
//! numbers of dimensions. Depths differ, so the numbers in a path are left out; the condition encoder is the project's own.

use radiodiff_core::engine::CountingEngine;
use radiodiff_core::model::{Preset, RadioDiff};
use radiodiff_core::weights::{ParameterError, ParameterSource, ParameterSpec, Parameters};
use radiodiff_tests::shared_data;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A name with its numbers left out, and how many dimensions it has.
type Kind = (String, usize);

fn kind(name: &str, dims: usize) -> Kind {
    let part = |part: &str| if part.bytes().all(|b| b.is_ascii_digit()) { "#".to_owned() } else { part.to_owned() };
    (name.split('.').map(part).collect::<Vec<_>>().join("."), dims)
}

/// Remembers what the networks ask for.
#[derive(Default)]
struct Recorder(RefCell<BTreeSet<(String, usize)>>);

impl ParameterSource<CountingEngine> for Recorder {
    fn parameter(&self, _: &CountingEngine, spec: &ParameterSpec) -> Result<Vec<usize>, ParameterError> {
        self.0.borrow_mut().insert((spec.name.clone(), spec.shape.len()));
        Ok(spec.shape.clone())
    }
}

#[test]
fn every_parameter_has_a_public_name() {
    let Some(shared) = shared_data() else { return };
    let recorder = Recorder::default();
    let preset = Preset::named("nano").expect("nano is a preset");
    RadioDiff::new(&preset, &Parameters::new(&CountingEngine::default(), &recorder)).expect("nano is valid");
    let asked = recorder.0.into_inner();
    for (list, prefix) in [("parameters-autoencoder.txt", "first_stage_model."), ("parameters-unet.txt", "model.")] {
        let text = std::fs::read_to_string(shared.join("goldens").join(list)).expect("the list is there");
        let public: BTreeSet<Kind> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, shape)| kind(name, shape.split(',').filter(|n| n.contains(|c: char| c.is_ascii_digit())).count()))
            .collect();
        let ours = asked.iter().filter_map(|(name, dims)| Some((name.strip_prefix(prefix)?, *dims)));
        let unknown: Vec<_> = ours
            .filter(|(name, _)| !name.starts_with("init_conv_mask."))
            .filter(|&(name, dims)| !public.contains(&kind(name, dims)))
            .collect();
        assert!(public.len() > 20, "{list} lists {} kinds of names", public.len());
        assert!(unknown.is_empty(), "not in {list}: {unknown:?}");
    }
}
