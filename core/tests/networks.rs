//! The networks as a whole: size, cost, and what a weights file must survive.

use radiodiff_core::engine::{CountingEngine, Engine};
use radiodiff_core::map::Quantity;
use radiodiff_core::model::{Preset, RadioDiff, SampleOptions};
use radiodiff_core::weights::{
    Checkpoint, HostTensor, Manifest, ParameterError, ParameterSource, ParameterSpec, Parameters, Precision, WeightsError,
    reproducible_parameter, serialize,
};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Records what the networks ask for.
#[derive(Default)]
struct Recorder(RefCell<BTreeMap<String, Vec<usize>>>);

impl ParameterSource<CountingEngine> for Recorder {
    fn parameter(&self, _: &CountingEngine, spec: &ParameterSpec) -> Result<Vec<usize>, ParameterError> {
        self.0.borrow_mut().insert(spec.name.clone(), spec.shape.clone());
        Ok(spec.shape.clone())
    }
}

fn nano() -> Preset {
    Preset::named("nano").expect("nano is a preset")
}

fn parameters_of(preset: &Preset) -> (BTreeMap<String, Vec<usize>>, RadioDiff<CountingEngine>, CountingEngine) {
    let engine = CountingEngine::default();
    let recorder = Recorder::default();
    let model = RadioDiff::new(preset, &Parameters::new(&engine, &recorder)).expect("the preset is valid");
    (recorder.0.into_inner(), model, engine)
}

#[test]
fn nano_stays_within_its_budget() {
    let preset = nano();
    let (parameters, model, engine) = parameters_of(&preset);
    let count: usize = parameters.values().map(|shape| shape.iter().product::<usize>()).sum();
    engine.take();
    let condition = vec![preset.condition.channels.len(), preset.map_size, preset.map_size];
    let condition = [vec![1], condition].concat();
    let encoded = model.denoiser.encode_condition(&engine, &condition);
    let encode = engine.take();
    let latent = model.sample_latent(&engine, &encoded, &SampleOptions::default());
    let sample = engine.take();
    assert_eq!(model.decode_gray(&engine, &latent), [1, 1, preset.map_size, preset.map_size]);
    let decode = engine.take();
    println!("nano: {count} parameters; condition {encode:?}, one step {sample:?}, decoding {decode:?}");
    assert!(count <= 600_000, "{count} parameters");
    assert!(encode.macs + sample.macs + decode.macs < 1_500_000_000);
}

#[test]
fn encoder_halves_down_to_the_latent() {
    let preset = nano();
    let (_, model, engine) = parameters_of(&preset);
    let posterior = model.first_stage.encode(&engine, &vec![2, 1, preset.map_size, preset.map_size]);
    assert_eq!(posterior.mean, model.latent_shape(2));
    assert_eq!(posterior.log_variance, model.latent_shape(2));
    assert_eq!(engine.shape(&posterior.kl(&engine)), [1, 1, 1, 1]);
}

/// A file of nano with weights by rule, and its tensors.
fn nano_file(edit: impl FnOnce(&mut BTreeMap<String, HostTensor>)) -> Vec<u8> {
    nano_file_of(Quantity::PathGainDb, edit)
}

fn nano_file_of(quantity: Quantity, edit: impl FnOnce(&mut BTreeMap<String, HostTensor>)) -> Vec<u8> {
    let preset = nano();
    let mut tensors: BTreeMap<String, HostTensor> = parameters_of(&preset)
        .0
        .into_iter()
        .map(|(name, shape)| {
            let values = reproducible_parameter(1, &name, &shape);
            (name, HostTensor { shape, values })
        })
        .collect();
    edit(&mut tensors);
    let manifest = Manifest {
        format_version: 0,
        preset,
        content_sha256: String::new(),
        quantity,
        training_data: "none: weights by rule".into(),
        license: "MIT OR Apache-2.0".into(),
        metrics: BTreeMap::new(),
        commit: "test".into(),
    };
    serialize(&tensors, manifest, Precision::F16).expect("the tensors fit")
}

fn load(bytes: &[u8]) -> Result<(), WeightsError> {
    Checkpoint::parse(bytes)?.build(&CountingEngine::default()).map(|_| ())
}

#[test]
fn a_whole_file_loads() {
    load(&nano_file(|_| ())).expect("nothing is missing");
}

#[test]
fn a_missing_tensor_is_named() {
    let error = load(&nano_file(|t| drop(t.remove("scale_factor")))).unwrap_err();
    assert!(matches!(&error, WeightsError::Parameter(ParameterError::Missing { name, .. }) if name == "scale_factor"), "{error}");
}

#[test]
fn an_unused_tensor_is_named() {
    let extra = HostTensor { shape: vec![2], values: vec![0.0; 2] };
    let error = load(&nano_file(|t| drop(t.insert("model.extra".into(), extra)))).unwrap_err();
    assert!(matches!(&error, WeightsError::Unused { names, .. } if names == &["model.extra"]), "{error}");
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    let other = HostTensor { shape: vec![2], values: vec![0.3; 2] };
    let error = load(&nano_file(|t| drop(t.insert("scale_factor".into(), other)))).unwrap_err();
    assert!(matches!(&error, WeightsError::Parameter(ParameterError::Shape { name, .. }) if name == "scale_factor"), "{error}");
}

#[test]
fn a_value_that_is_not_finite_is_refused() {
    let error = load(&nano_file(|t| t.get_mut("scale_factor").expect("exists").values[0] = f32::NAN)).unwrap_err();
    assert!(matches!(&error, WeightsError::NotFinite { name, index: 0 } if name == "scale_factor"), "{error}");
}

#[test]
fn a_file_of_another_quantity_is_refused() {
    let error = load(&nano_file_of(Quantity::ReceivedPowerDbm, |_| ())).unwrap_err();
    assert!(matches!(error, WeightsError::Quantity { found: Quantity::ReceivedPowerDbm }), "{error}");
}

#[test]
fn a_negative_variance_is_refused() {
    let spoil = |t: &mut BTreeMap<String, HostTensor>| {
        let (_, tensor) = t.iter_mut().find(|(name, _)| name.ends_with(".running_var")).expect("nano normalises batches");
        tensor.values[2] = -0.5;
    };
    let error = load(&nano_file(spoil)).unwrap_err();
    assert!(matches!(&error, WeightsError::NegativeVariance { index: 2, .. }), "{error}");
}

#[test]
fn truncated_and_foreign_files_are_refused() {
    let file = nano_file(|_| ());
    for length in [0, 7, 8, 100, file.len() / 2, file.len() - 1] {
        assert!(matches!(load(&file[..length]), Err(WeightsError::Format(_))), "{length} bytes of the file");
    }
    assert!(matches!(load(b"\x89PNG\r\n\x1a\n and so on, not weights"), Err(WeightsError::Format(_))));
    let foreign = safetensors::serialize(Vec::<(&str, safetensors::tensor::TensorView)>::new(), None).expect("an empty file");
    assert!(matches!(load(&foreign), Err(WeightsError::NoManifest)));
}

/// Every sixteenth byte of the header and some hundred of the data, each with one bit flipped.
#[test]
fn flipped_bits_are_found() {
    let file = nano_file(|_| ());
    let data = 8 + u64::from_le_bytes(file[..8].try_into().expect("eight bytes")) as usize;
    for byte in (0..data).step_by(16).chain((data..file.len()).step_by(file.len() / 100)) {
        let mut damaged = file.clone();
        damaged[byte] ^= 1 << (byte % 8);
        if let Ok(checkpoint) = Checkpoint::parse(&damaged) {
            // Only a bit that JSON does not care about (an upper-case escape, white space) may pass.
            assert_eq!(checkpoint.manifest(), Checkpoint::parse(&file).expect("whole").manifest(), "byte {byte} of {}", file.len());
            assert!(byte < data, "a flipped bit in the tensors at byte {byte} was not found");
        }
    }
}

#[test]
fn presets_that_cannot_work_are_refused_with_the_field() {
    type Edit = fn(&mut Preset);
    let cases: [(&str, Edit); 19] = [
        ("map_size", |p| p.map_size = 0),
        ("map_size", |p| p.map_size = 2048),
        ("unet.latent_size", |p| p.map_size = 250),
        // 8 times this wraps round to nano's 256 where usize has 32 bits.
        ("unet.latent_size", |p| p.unet.latent_size = 32 + (1 << 29)),
        // Attention over 256 x 256 pixels in the first stage's middle, and over 128 x 128 in a relation layer.
        ("unet.latent_size", |p| (p.autoencoder.multipliers, p.unet.latent_size) = (vec![1], 256)),
        ("unet.latent_size", |p| (p.map_size, p.unet.latent_size, p.unet.relation_windows) = (1024, 128, vec![1, 1])),
        // A bottleneck of 128 x 128, where the Fourier module's matrices would take 4 GiB.
        ("unet.latent_size", |p| {
            (p.map_size, p.unet.latent_size) = (1024, 128);
            (p.unet.level_widths, p.unet.relation_windows, p.condition.stage_widths) = (vec![24], vec![4], vec![24]);
        }),
        ("autoencoder.channels", |p| p.autoencoder.norm_groups = 3),
        ("autoencoder.multipliers", |p| p.autoencoder.multipliers[1] = 0),
        ("unet.level_widths", |p| p.unet.level_widths[1] = 30),
        ("condition.stage_widths", |p| p.condition.stage_widths.push(32)),
        ("unet.relation_windows", |p| p.unet.relation_windows = vec![4]),
        ("unet.latent_channels", |p| p.unet.latent_channels = 3),
        ("autoencoder.multipliers", |p| p.autoencoder.multipliers = vec![1; 40]),
        ("unet.level_widths", |p| p.unet.level_widths = vec![24; 40]),
        ("condition.stem_widths", |p| p.condition.stem_widths = vec![16; 70]),
        // Features half the latent's size, which no relation layer can add to it.
        ("condition.stem_widths", |p| p.condition.stem_widths.push(24)),
        ("condition.channels", |p| p.condition.channels[1] = p.condition.channels[0]),
        ("latent_scale", |p| p.latent_scale = f32::NAN),
    ];
    for (field, edit) in cases {
        let mut preset = nano();
        edit(&mut preset);
        let error = preset.validate().expect_err(field);
        assert_eq!(error.field, field, "{error}");
    }
}

/// Three levels of the first stage, so 64 x 64 pixels in its middle.
#[test]
fn the_sizes_of_the_paper_are_allowed() {
    let mut preset = nano();
    (preset.autoencoder.multipliers, preset.condition.stem_widths, preset.unet.latent_size) = (vec![1, 2, 4], vec![16], 64);
    preset.validate().expect("latents of 64 x 64 pixels");
    let (_, model, engine) = parameters_of(&preset);
    let condition = model.denoiser.encode_condition(&engine, &vec![1, preset.condition.channels.len(), 256, 256]);
    assert_eq!(model.sample_latent(&engine, &condition, &SampleOptions::default()), model.latent_shape(1));
}
