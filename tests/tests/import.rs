//! Checkpoints of the public code: names with prefixes, scalars, other float types; and what is refused.

use radiodiff_core::diffusion::parameter_shapes;
use radiodiff_core::model::Preset;
use radiodiff_core::weights::{HostTensor, ImportError, WeightsError, import};
use radiodiff_tests::rule::rule_parameter;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;

/// nano with parameters by rule.
fn nano() -> (Preset, BTreeMap<String, HostTensor>) {
    let preset = Preset::named("nano").expect("nano is a preset");
    let by_rule = |(name, shape): (String, Vec<usize>)| {
        let values = rule_parameter(1, &name, &shape);
        (name, HostTensor { shape, values })
    };
    let tensors = parameter_shapes(&preset).expect("nano is valid").into_iter().map(by_rule).collect();
    (preset, tensors)
}

fn file<'a>(tensors: impl IntoIterator<Item = (String, &'a HostTensor)>) -> Vec<u8> {
    let bytes = |t: &HostTensor| t.values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    let encoded: Vec<_> = tensors.into_iter().map(|(name, t)| (name, t.shape.clone(), bytes(t))).collect();
    let views = encoded
        .iter()
        .map(|(name, shape, bytes)| (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("the bytes fit")));
    safetensors::serialize(views, None).expect("the tensors fit")
}

#[test]
fn prefixes_are_seen_through_and_what_nothing_uses_is_told() {
    let (preset, tensors) = nano();
    let extra = HostTensor { shape: vec![2], values: vec![0.0; 2] };
    let bare = |name: &str| name.trim_start_matches("first_stage_model.").trim_start_matches("model.").to_owned();
    let deep = |name: &str| format!("model.{name}");
    for rename in [&bare as &dyn Fn(&str) -> String, &deep, &str::to_owned] {
        let renamed = tensors.iter().map(|(name, t)| (rename(name), t)).chain([("first_stage_model.loss.logvar".into(), &extra)]);
        let (found, report) = import(&[("a", &file(renamed))], "", &preset).expect("all is there");
        assert_eq!(found, tensors);
        assert_eq!((report.applied.len(), report.unused.as_slice()), (tensors.len(), &["first_stage_model.loss.logvar".to_owned()][..]));
    }
}

#[test]
fn networks_may_lie_in_two_files_and_the_scale_be_left_out() {
    let (preset, tensors) = nano();
    let of = |prefix: &'static str| file(tensors.iter().filter(move |(n, _)| n.starts_with(prefix)).map(|(n, t)| (n.clone(), t)));
    let (found, report) =
        import(&[("a", &of("first_stage_model.")), ("b", &of("model."))], "", &preset).expect("all but the scale is there");
    assert_eq!(found["scale_factor"].values, [preset.latent_scale]);
    assert_eq!(report.by_preset, ["scale_factor 0.3"]);
}

#[test]
fn a_scalar_is_taken_for_a_tensor_of_one() {
    let (preset, mut tensors) = nano();
    let scale = HostTensor { shape: vec![], values: vec![0.7] };
    tensors.insert("scale_factor".into(), scale);
    let (found, _) = import(&[("a", &file(tensors.iter().map(|(n, t)| (n.clone(), t))))], "", &preset).expect("all is there");
    assert_eq!(found["scale_factor"], HostTensor { shape: vec![1], values: vec![0.7] });
}

#[test]
fn what_is_missing_misshapen_or_there_twice_is_refused_by_name() {
    let (preset, tensors) = nano();
    let name = "model.init_conv.0.bias";
    let without = file(tensors.iter().filter(|(n, _)| *n != name).map(|(n, t)| (n.clone(), t)));
    let error = import(&[("a", &without)], "", &preset).unwrap_err();
    assert!(matches!(&error, ImportError::Incomplete { report, .. } if report.missing == ["model.init_conv.0.bias [24]"]), "{error}");

    let mut other = tensors.clone();
    other.insert(name.into(), HostTensor { shape: vec![2], values: vec![0.0; 2] });
    let error = import(&[("a", &file(other.iter().map(|(n, t)| (n.clone(), t))))], "", &preset).unwrap_err();
    assert!(
        matches!(&error, ImportError::Incomplete { report, .. } if report.misshapen == ["model.init_conv.0.bias [24], found [2]"]),
        "{error}"
    );

    let twice = tensors.iter().flat_map(|(n, t)| [(n.clone(), t), (format!("ema.{n}"), t)]);
    let twice = file(twice);
    assert!(matches!(import(&[("a", &twice)], "", &preset).unwrap_err(), ImportError::Ambiguous { .. }));
    assert_eq!(import(&[("a", &twice)], "ema.", &preset).expect("one is chosen").0, tensors);

    let mut spoilt = tensors.clone();
    spoilt.get_mut(name).expect("exists").values[3] = f32::NAN;
    let error = import(&[("a", &file(spoilt.iter().map(|(n, t)| (n.clone(), t))))], "", &preset).unwrap_err();
    assert!(matches!(&error, ImportError::File { error: WeightsError::NotFinite { index: 3, .. }, .. }), "{error}");
}

/// Of several files the damaged one is named, and its error is told once.
#[test]
fn what_is_no_safetensors_file_is_refused_with_its_name() {
    let (preset, tensors) = nano();
    let whole = file(tensors.iter().map(|(n, t)| (n.clone(), t)));
    let refused = |bytes: &[u8]| import(&[("a.safetensors", &whole), ("b.pt", bytes)], "", &preset).expect_err("no such file").to_string();
    for cut in [0, 7, 100, whole.len() - 1] {
        let error = refused(&whole[..cut]);
        assert!(error.starts_with("b.pt: not a safetensors file, or a damaged one: "), "{error}");
    }
    let header: &[u8] = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";
    for bytes in [b"PK\x03\x04\0\0\x08\x08\0\0 and so on", header] {
        let error = refused(bytes);
        assert!(error.starts_with("b.pt: a file of PyTorch's own format"), "{error}");
    }
}
