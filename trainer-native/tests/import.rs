//! `trainer import`: what goes wrong is named, before the work where it can be; and a checkpoint of the public code's size draws
//! what the public code draws.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{fails, succeeds};
use radiodiff_core::weights::Checkpoint;
use std::fs;

/// A state dict with the names of the public code: those of the weights that shipped first.
const NANO: &str = radiodiff_tests::FIRST_WEIGHTS;

#[test]
fn a_state_dict_becomes_a_weights_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.safetensors").display().to_string();
    let said = succeeds(&["import", NANO, "--preset", "nano", "--out", &out, "--license", "MIT"]);
    assert!(said.contains(" applied") && !said.contains("unused"), "{said}");
    let [found, expected] = [&out, NANO].map(|path| Checkpoint::parse(&fs::read(path).unwrap()).unwrap());
    assert_eq!(found.tensors(), expected.tensors());
    assert_eq!(found.manifest().license, "MIT");
}

#[test]
fn what_cannot_be_imported_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (out, pickle, cut) = (path("out.safetensors"), path("model.pt"), path("cut.safetensors"));
    fs::write(&pickle, b"PK\x03\x04\0\0\x08\x08\0\0 and so on").unwrap();
    fs::write(&cut, &fs::read(NANO).unwrap()[..100_000]).unwrap();
    let refused = |inputs: &[&str], preset: &str, out: &str, words: &[&str]| {
        fails(&[&["import"], inputs, &["--preset", preset, "--out", out]].concat(), words);
    };
    refused(&[NANO, &pickle], "nano", &out, &[&format!("{pickle}: a file of PyTorch's own format")]);
    refused(&[&cut], "nano", &out, &[&format!("{cut}: not a safetensors file, or a damaged one")]);
    refused(&[NANO], "edge", &out, &["not one of preset edge", "misshapen", "choose another preset"]);
    refused(&[NANO], "papr", &out, &["there are nano, edge, paper"]);
    refused(&[NANO, NANO], "nano", &out, &["is there twice", NANO]);
    assert!(!folder.path().join("out.safetensors").exists());

    // The place is looked at first: the checkpoint is not there either.
    refused(&["no file"], "nano", &path("no folder/out.safetensors"), &["writing ", "there is no folder "]);
    refused(&["no file"], "nano", &path(""), &["it is a folder, expected the name of a file"]);
}

/// A state dict as the public code saves it, with weights by the goldens' rule.
fn public_state_dict(public: Vec<radiodiff_tests::goldens::PublicParameter>) -> Vec<u8> {
    use radiodiff_tests::goldens::PublicParameter;
    use radiodiff_tests::rule::rule_parameter;
    use safetensors::tensor::{Dtype, TensorView};
    let entry = |PublicParameter { root, name, shape }| {
        let integers = name.ends_with("relative_position_index") || name.ends_with("num_batches_tracked");
        let values = rule_parameter(1, &name, &shape);
        let bytes: Vec<u8> = match integers {
            true => values.iter().flat_map(|_| 0_i64.to_le_bytes()).collect(),
            false => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
        (format!("{root}{name}"), if integers { Dtype::I64 } else { Dtype::F32 }, shape, bytes)
    };
    let mut entries: Vec<_> = public.into_iter().map(entry).collect();
    entries.push(("scale_factor".into(), Dtype::F32, vec![], 0.3_f32.to_le_bytes().to_vec()));
    let views = entries.iter().map(|(name, kind, shape, bytes)| (name, TensorView::new(*kind, shape.clone(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: a checkpoint of 1.2 GB and two of the full-size networks: a minute, 6 GB")]
fn a_public_checkpoint_computes_what_the_public_code_does() {
    use radiodiff_core::engine::Engine;
    use radiodiff_core::weights::HostTensor;
    use radiodiff_tests::golden_maker::Goldens;
    use radiodiff_tests::goldens::{Arithmetic, PublicGoldens, public_parameters};
    let (parameters, expected) = (public_parameters(), PublicGoldens::read());
    let folder = tempfile::tempdir().unwrap();
    let [public, ours] = ["public.safetensors", "ours.safetensors"].map(|name| folder.path().join(name).display().to_string());
    fs::write(&public, public_state_dict(parameters)).unwrap();
    let said = succeeds(&["import", &public, "--out", &ours]);
    assert!(said.contains("1307 applied") && said.contains("104 unused"), "{said}");

    let _guard = tch::no_grad_guard();
    let engine = trainer::torch::TorchEngine::new(tch::Device::Cpu);
    let model = Checkpoint::parse(&fs::read(&ours).unwrap()).unwrap().build(&engine).unwrap();
    let inputs = expected.maker(&engine).finish();
    let input = |key: &str| engine.tensor(&inputs[key].values, &inputs[key].shape);
    let moments = model.first_stage.moments(&engine, &input("input.gain"));
    let stage = engine.narrow(&model.denoiser.stages(&engine, &input("input.cond"))[0], 1, 0, 8);
    let host = |x| HostTensor { shape: engine.shape(x), values: pollster::block_on(engine.read(x)).unwrap() };
    let found = Goldens::from([("vae.moments".to_owned(), host(&moments)), ("swin.stage0.channels0_8".to_owned(), host(&stage))]);
    expected.assert_rule(&found, Arithmetic::Single);
}
