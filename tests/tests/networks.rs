//! The networks as a whole: their size and cost, the presets that are refused, and damaged weights files.

use pollster::block_on;
use radiodiff_core::cost::ModelCost;
use radiodiff_core::diffusion::{RadioDiff, SampleOptions, parameter_shapes};
use radiodiff_core::engine::{CountingEngine, Engine};
use radiodiff_core::model::Preset;
use radiodiff_core::model::autoencoder::Autoencoder;
use radiodiff_core::model::preset::{EncoderPreset, PyramidPreset, SwinPreset};
use radiodiff_core::parameters::{ParameterError, ParameterRecorder, VarBuilder};
use radiodiff_core::pipeline::sample_latent;
use radiodiff_core::weights::{Checkpoint, HostTensor, MANIFEST_KEY, Precision, WeightsError, WeightsManifest, is_encoder, serialize};
use radiodiff_radio::map::Quantity;
use radiodiff_tests::relative_error;
use radiodiff_tests::rule::rule_parameter;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

fn nano() -> Preset {
    named("nano")
}

fn named(name: &str) -> Preset {
    Preset::named(name).expect("there is such a preset")
}

fn parameters_of(preset: &Preset) -> (BTreeMap<String, Vec<usize>>, RadioDiff<CountingEngine>, CountingEngine) {
    let engine = CountingEngine::default();
    let model = RadioDiff::new(preset, &VarBuilder::new(&engine, &ParameterRecorder::default())).expect("the preset is valid");
    (parameter_shapes(preset).expect("the preset is valid"), model, engine)
}

/// The cost of a preset; no tensor exceeds the size of a buffer that WebGPU guarantees.
fn cost(name: &str) -> ModelCost {
    let cost = ModelCost::estimate(&named(name)).expect("the preset is valid");
    assert!(cost.largest_tensor * 4 <= 128 << 20, "{name}: {cost:?}");
    cost
}

#[test]
fn nano_stays_within_its_budget() {
    let cost = cost("nano");
    assert!(cost.first_stage + cost.denoiser <= 600_000, "{cost:?}");
    assert!(cost.map_in_one_step() < 1_500_000_000, "{cost:?}");
}

/// The budget is that of a map in one step, at t = 1, where the second decoder is not needed; with both it would be missed.
#[test]
fn edge_stays_within_its_budget() {
    let cost = cost("edge");
    assert!(cost.first_stage + cost.denoiser <= 12_000_000, "{cost:?}");
    assert!(cost.map_in_one_step() <= 4_000_000_000, "{cost:?}");
}

/// Costs within 0.1 % of those in docs/radiodiff.md. Condition encoder and projections take 25.19 + 0.17 GMAC of a whole evaluation's
/// 73.19, the U-Net the rest.
#[test]
fn the_paper_has_the_public_size_and_cost() {
    let cost = cost("paper");
    assert_eq!([cost.first_stage, cost.denoiser], [55_307_453, 224_869_496]);
    let found = [cost.encoder, cost.decoder, cost.condition, cost.unet];
    for (macs, expected) in found.into_iter().zip([172.52, 335.14, 25.36, 47.83]) {
        assert!((macs as f64 / 1e9 / expected - 1.0).abs() < 1e-3, "{macs} of {expected} GMAC");
    }
}

/// 320 pixels give latents of 80, and one more level halves them; four latent pixels of the map meet in the public code's 3.
#[test]
fn the_first_stage_takes_other_sizes_and_depths() {
    for (side, multipliers, latent) in [(320, vec![1, 2, 4], 80), (320, vec![1, 2, 4, 4], 40), (256, vec![1, 2, 4], 64)] {
        let mut preset = named("paper").autoencoder;
        preset.multipliers = multipliers;
        let engine = CountingEngine::default();
        let autoencoder = Autoencoder::new(&VarBuilder::new(&engine, &ParameterRecorder::default()), &preset).expect("any preset");
        assert_eq!(autoencoder.encode(&engine, &vec![1, 1, side, side]).mean, [1, 3, latent, latent]);
        assert_eq!(autoencoder.decode(&engine, &vec![1, 3, latent, latent], None), [1, 1, side, side]);
    }
    let mut large = named("paper");
    (large.map_size, large.unet.latent_size) = (320, 80);
    // The Swin transformer's first stage is a quarter of the map, so latents of an eighth need the other encoder.
    let mut deep = large.clone();
    (deep.autoencoder.multipliers, deep.unet.latent_size) = (vec![1, 2, 4, 4], 40);
    deep.condition.encoder =
        EncoderPreset::Pyramid(PyramidPreset { stem_widths: vec![64, 128], stage_widths: vec![128, 256, 512, 1024], norm_groups: 32 });
    for (preset, latent) in [(named("paper"), 64), (large, 80), (deep, 40)] {
        let (_, model, engine) = parameters_of(&preset);
        let condition = vec![1, 3, preset.map_size, preset.map_size];
        let options = SampleOptions { split_last_step: true, ..SampleOptions::default() };
        assert_eq!(block_on(sample_latent(&engine, &model, &condition, &options)), [1, 3, latent, latent]);
    }
}

#[test]
fn a_preset_survives_its_file_format() {
    for name in Preset::NAMES {
        let text = serde_json::to_string(&named(name)).expect("a preset is data");
        assert_eq!(serde_json::from_str::<Preset>(&text).expect("what was written can be read"), named(name));
        let unknown = text.replace("\"channels\":[", "\"colour\":1,\"channels\":[");
        assert!(serde_json::from_str::<Preset>(&unknown).is_err(), "{name} with a field nobody knows");
    }
}

/// Parts of the U-Net that a preset may leave out, with the names of their parameters.
#[test]
fn a_preset_leaves_out_attention_of_relation_layers_and_the_adaptive_fft() {
    let whole = nano();
    let mut plain = nano();
    (plain.unet.relation_windows, plain.unet.adaptive_fourier) = (vec![0, 2], false);
    let text = serde_json::to_string(&plain).expect("a preset is data");
    assert_eq!(serde_json::from_str::<Preset>(&text).expect("what was written can be read"), plain);
    let names = |preset: &Preset| -> BTreeSet<String> { parameters_of(preset).0.into_keys().collect() };
    let left_out = |name: &&String| {
        let of_attention = ["q_lin", "k_lin", "v_lin", "mlp.fc1", "mlp.fc2", "out_conv"];
        // Decoders count their levels from the deepest.
        let finest = ["relation_layers_down.0.", "relation_layers_up.1.", "relation_layers_up2.1."];
        name.contains(".decouple")
            || finest.iter().any(|layer| name.contains(layer))
                && of_attention.iter().any(|part| name.contains(&format!("attentions.0.{part}.")))
    };
    let expected: BTreeSet<String> = names(&whole).iter().filter(|name| !left_out(name)).cloned().collect();
    assert_eq!(names(&plain), expected);
    assert!(expected.len() + 40 < names(&whole).len(), "there is something to leave out");

    let [whole, plain] = [whole, plain].map(|preset| ModelCost::estimate(&preset).expect("the preset is valid"));
    assert!(plain.unet < whole.unet && plain.one_step < whole.one_step && plain.condition == whole.condition, "{plain:?}");
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
            let values = rule_parameter(1, &name, &shape);
            (name, HostTensor { shape, values })
        })
        .collect();
    edit(&mut tensors);
    serialize(&tensors, WeightsManifest { quantity, ..WeightsManifest::of(preset) }, Precision::F16).expect("the tensors fit")
}

/// Tensors of nano by rule, and its manifest.
fn nano_tensors() -> (BTreeMap<String, HostTensor>, WeightsManifest) {
    let tensor = |(name, shape): (String, Vec<usize>)| {
        let values = rule_parameter(1, &name, &shape);
        (name, HostTensor { shape, values })
    };
    (parameters_of(&nano()).0.into_iter().map(tensor).collect(), WeightsManifest::of(nano()))
}

/// A file's tensors, stored otherwise than [`serialize`] does, with the hash that belongs to them.
fn stored_as(edit: impl Fn(&mut BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>)) -> Vec<u8> {
    let (tensors, manifest) = nano_tensors();
    let file = serialize(&tensors, manifest, Precision::Int8 { levels: 8.0 }).expect("the tensors fit");
    let tensors = SafeTensors::deserialize(&file).expect("a sound file");
    let stored = tensors.iter().map(|(name, view)| (name.to_owned(), (view.dtype(), view.shape().to_vec(), view.data().to_vec())));
    let mut stored: BTreeMap<_, _> = stored.collect();
    edit(&mut stored);
    let (_, header) = SafeTensors::read_metadata(&file).expect("a sound file");
    let mut manifest: WeightsManifest = serde_json::from_str(&header.metadata().as_ref().expect("a manifest")[MANIFEST_KEY]).expect("JSON");
    manifest.content_sha256 = String::new();
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(&manifest).expect("JSON"));
    for (name, (dtype, shape, bytes)) in &stored {
        hash.update(format!("\n{name} {dtype:?} {shape:?}\n"));
        hash.update(bytes);
    }
    manifest.content_sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let views = stored.iter().map(|(name, (dtype, shape, bytes))| (name, TensorView::new(*dtype, shape.clone(), bytes).expect("a tensor")));
    let metadata = HashMap::from([(MANIFEST_KEY.to_owned(), serde_json::to_string(&manifest).expect("JSON"))]);
    safetensors::serialize(views, Some(metadata)).expect("a file")
}

/// A convolution of nano.
const WEIGHT: &str = "model.downs.0.0.block1.proj.weight";

#[test]
fn weights_of_eight_bits_are_near_those_they_were() {
    let (tensors, manifest) = nano_tensors();
    let size = |precision| serialize(&tensors, manifest.clone(), precision).expect("the tensors fit").len();
    let file = serialize(&tensors, manifest.clone(), Precision::Int8 { levels: 16.0 }).expect("the tensors fit");
    assert!(file.len() < size(Precision::F16) * 6 / 10, "{} bytes", file.len());
    let checkpoint = Checkpoint::parse(&file).expect("a sound file");
    assert_eq!(checkpoint.tensors().keys().collect::<BTreeSet<_>>(), tensors.keys().collect::<BTreeSet<_>>());
    for (name, tensor) in &tensors {
        let found = &checkpoint.tensors()[name];
        assert_eq!(found.shape, tensor.shape, "{name}");
        let error = relative_error(&found.values, &tensor.values);
        assert!(error < 0.03, "{name}: {error}");
    }
    load(&file).expect("nothing is missing");
    for levels in [0.0, 0.5, f32::NAN, 1000.0] {
        let error = serialize(&tensors, manifest.clone(), Precision::Int8 { levels }).unwrap_err();
        assert!(matches!(error, WeightsError::Levels { .. }), "{levels}: {error}");
    }
}

#[test]
fn bad_weights_of_eight_bits_are_refused() {
    load(&stored_as(|_| ())).expect("as it was");
    let scale = format!("{WEIGHT}.scale");
    let error = load(&stored_as(|stored| drop(stored.remove(&scale)))).unwrap_err();
    assert!(matches!(&error, WeightsError::NoScales { name } if name == WEIGHT), "{error}");
    // A scale too few; one for all.
    for channels in [1, 23] {
        let error =
            load(&stored_as(|stored| drop(stored.insert(scale.clone(), (Dtype::F16, vec![channels], vec![0; 2 * channels]))))).unwrap_err();
        assert!(matches!(&error, WeightsError::Scales { name, channels: 24, .. } if *name == scale), "{error}");
    }
    let infinite = [0x00, 0x7c].repeat(24);
    let error = load(&stored_as(|stored| drop(stored.insert(scale.clone(), (Dtype::F16, vec![24], infinite.clone()))))).unwrap_err();
    assert!(matches!(&error, WeightsError::NotFinite { name, index: 0 } if *name == scale), "{error}");
    // Scales of a tensor that is none of integers belong to nothing.
    let error = load(&stored_as(|stored| drop(stored.insert("scale_factor.scale".into(), (Dtype::F16, vec![1], vec![0; 2]))))).unwrap_err();
    assert!(matches!(&error, WeightsError::Unused { names, .. } if names == &["scale_factor.scale"]), "{error}");
    let error = load(&stored_as(|stored| drop(stored.insert("scale_factor".into(), (Dtype::U8, vec![1], vec![1]))))).unwrap_err();
    assert!(matches!(&error, WeightsError::ElementType { name, .. } if name == "scale_factor"), "{error}");
}

/// Files that draw only.
#[test]
fn without_the_encoder_maps_are_drawn_from_noise_alone() {
    let without = |tensors: &mut BTreeMap<String, HostTensor>| tensors.retain(|name, _| !is_encoder(name));
    let checkpoint = Checkpoint::parse(&nano_file(without)).expect("a sound file");
    assert!(checkpoint.draws_only());
    let engine = CountingEngine::default();
    let model = checkpoint.build(&engine).expect("what draws is there");
    let condition = vec![1, model.preset.condition.channels.len(), 256, 256];
    assert_eq!(block_on(sample_latent(&engine, &model, &condition, &SampleOptions::default())), model.latent_shape(1));
    let error =
        model.begin_from_map(&engine, (&vec![1, 1, 256, 256], &condition), 0.5, 1, &SampleOptions::default()).err().expect("no encoder");
    assert!(error.to_string().contains("no encoder"), "{error}");
    // Half an encoder is a damaged file.
    let half = |tensors: &mut BTreeMap<String, HostTensor>| tensors.retain(|name, _| !name.starts_with("first_stage_model.encoder."));
    let error = load(&nano_file(half)).unwrap_err();
    assert!(matches!(&error, WeightsError::Parameter(ParameterError::Missing { .. })), "{error}");
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
fn a_value_too_large_for_float16_is_not_written() {
    let (preset, mut tensors) = (nano(), BTreeMap::new());
    tensors.insert("scale_factor".to_owned(), HostTensor { shape: vec![2], values: vec![65_504.0, -1e6] });
    let error = serialize(&tensors, WeightsManifest::of(preset), Precision::F16).unwrap_err();
    assert!(matches!(&error, WeightsError::TooLarge { name, index: 1, .. } if name == "scale_factor"), "{error}");
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
    let cases: [(&str, Edit); 26] = [
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
            (p.unet.level_widths, p.unet.relation_windows, pyramid(p).stage_widths) = (vec![24], vec![4], vec![24]);
        }),
        // And one of 64 x 64, where they would take 69 MiB each.
        ("unet.level_widths", |p| {
            (p.autoencoder.multipliers, p.unet.latent_size, pyramid(p).stem_widths) = (vec![1, 2, 4], 64, vec![16]);
            (p.unet.level_widths, p.unet.relation_windows, pyramid(p).stage_widths) = (vec![24], vec![4], vec![24]);
        }),
        ("autoencoder.channels", |p| p.autoencoder.norm_groups = 3),
        ("autoencoder.multipliers", |p| p.autoencoder.multipliers[1] = 0),
        ("unet.level_widths", |p| p.unet.level_widths[1] = 30),
        ("condition.stage_widths", |p| pyramid(p).stage_widths.push(32)),
        ("condition.stage_widths", |p| pyramid(p).stage_widths[1] = 30),
        ("unet.relation_windows", |p| p.unet.relation_windows = vec![4]),
        ("unet.latent_channels", |p| p.unet.latent_channels = 3),
        ("autoencoder.multipliers", |p| p.autoencoder.multipliers = vec![1; 40]),
        ("unet.level_widths", |p| p.unet.level_widths = vec![24; 40]),
        ("condition.stem_widths", |p| pyramid(p).stem_widths = vec![16; 70]),
        // Features half the latent's size, which no relation layer can add to it.
        ("condition.stem_widths", |p| pyramid(p).stem_widths.push(24)),
        ("condition.channels", |p| p.condition.channels.clear()),
        ("condition.channels", |p| p.condition.channels = vec![p.condition.channels[0]; 17]),
        ("latent_scale", |p| p.latent_scale = f32::NAN),
        ("gray", |p| (p.gray.floor_db, p.gray.ceiling_db) = (f32::MIN, f32::MAX)),
        // Few parameters, and matrices of 84 GB between the middle's pixels.
        ("unet.heads", |p| (p.unet.heads, p.unet.head_width) = (4096, 1)),
        ("autoencoder.multipliers", |p| {
            (p.map_size, p.unet.latent_size, p.autoencoder.multipliers[1]) = (512, 64, 4096 / 8);
        }),
        ("unet.stem_kernel", |p| {
            (p.unet.stem_kernel, p.unet.width) = (15, 4096);
            pyramid(p).stage_widths[0] = 4096;
        }),
    ];
    for (field, edit) in cases {
        assert_refused(nano(), field, edit);
    }
    type SwinEdit = fn(&mut SwinPreset);
    let of_swin: [(&str, SwinEdit); 10] = [
        ("condition.heads", |s| s.depths.push(2)),
        ("condition.depths", |s| (s.depths, s.heads) = (vec![2; 5], vec![4; 5])),
        ("condition.depths", |s| s.depths = vec![1; 70]),
        ("condition.depths", |s| s.depths[0] = 0),
        ("condition.heads", |s| s.heads[2] = 15),
        ("condition.heads", |s| s.heads.truncate(3)),
        ("condition.width", |s| s.width = 1 << 63),
        ("condition.window", |s| s.window = 0),
        ("condition.window", |s| s.window = 64),
        ("condition.stochastic_depth", |s| s.stochastic_depth = 1.0),
    ];
    for (field, edit) in of_swin {
        assert_refused(named("paper"), field, |preset| {
            let EncoderPreset::Swin(swin) = &mut preset.condition.encoder else { unreachable!("the paper has a Swin transformer") };
            edit(swin);
        });
    }
    assert_refused(named("paper"), "condition.depths", |p| (p.unet.level_widths, p.unet.relation_windows) = (vec![128; 3], vec![8, 4, 2]));
    assert_refused(named("paper"), "autoencoder.channels", |p| p.autoencoder.channels = 100);
    // The Swin transformer's stages begin at a quarter of the map, whatever the autoencoder's depth.
    for (multipliers, latent_size, instead) in [
        (vec![1, 2, 4, 4], 32, "a pyramid whose stem_widths are 2 does"),
        (vec![1, 2], 80, "no encoder does before 1 / 4: give the autoencoder more multipliers"),
    ] {
        let reason = assert_refused(named("paper"), "condition.width", |p| {
            p.map_size = latent_size << (multipliers.len() - 1);
            (p.autoencoder.multipliers, p.unet.latent_size) = (multipliers, latent_size);
        });
        assert!(reason.ends_with(instead), "{reason}");
    }
}

#[track_caller]
fn assert_refused(mut preset: Preset, field: &str, edit: impl FnOnce(&mut Preset)) -> String {
    edit(&mut preset);
    let error = preset.validate().expect_err(field);
    assert_eq!(error.field, field, "{error}");
    error.to_string()
}

/// The encoder of nano.
fn pyramid(preset: &mut Preset) -> &mut PyramidPreset {
    match &mut preset.condition.encoder {
        EncoderPreset::Pyramid(pyramid) => pyramid,
        EncoderPreset::Swin(_) => unreachable!("nano has a pyramid"),
    }
}

/// Three levels of the first stage, so 64 x 64 pixels in its middle.
#[test]
fn the_sizes_of_the_paper_are_allowed() {
    let mut preset = nano();
    (preset.autoencoder.multipliers, preset.unet.latent_size, pyramid(&mut preset).stem_widths) = (vec![1, 2, 4], 64, vec![16]);
    preset.validate().expect("latents of 64 x 64 pixels");
    let (_, model, engine) = parameters_of(&preset);
    let condition = vec![1, preset.condition.channels.len(), 256, 256];
    assert_eq!(block_on(sample_latent(&engine, &model, &condition, &SampleOptions::default())), model.latent_shape(1));
}
