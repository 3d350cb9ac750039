//! Careless presets: the known ones with numbers changed and lists cut or lengthened, in one place or in several at once. Each is
//! either refused with a reason or draws a map on the counting engine. Then every shape fits, no product overflows, and no tensor is
//! larger than a 32-bit machine can address.

use pollster::block_on;
use radiodiff_core::diffusion::{RadioDiff, SampleOptions};
use radiodiff_core::engine::CountingEngine;
use radiodiff_core::model::Preset;
use radiodiff_core::parameters::{ParameterRecorder, VarBuilder};
use radiodiff_core::pipeline::draw_on_device;
use radiodiff_tests::rule::rule_values;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An allocation of 32-bit machines is below 2 GiB.
fn assert_addressable(elements: usize) {
    assert!(elements < (2 << 30) / size_of::<f32>(), "a tensor of {elements} elements");
}

/// JSON pointers of all numbers and lists below `value`.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    if value.is_number() || value.is_array() {
        found.push(pointer.to_owned());
    }
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| places(item, &format!("{pointer}/{i}"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| places(field, &format!("{pointer}/{name}"), found)),
        _ => (),
    }
}

/// What a number or a list may become.
fn variants(value: &Value) -> Vec<Value> {
    if let Some(items) = value.as_array() {
        let longer = |n: usize| items.iter().chain(items.last().into_iter().cycle().take(n)).cloned().collect::<Vec<_>>();
        let shorter = items[..items.len().saturating_sub(1)].to_vec();
        return vec![json!([]), json!(shorter), json!(longer(1)), json!(longer(7)), json!(longer(70))];
    }
    let near = value.as_u64().map(|n| [n / 2, n.saturating_add(1), n.saturating_mul(2), n.saturating_mul(8)]);
    let far = [0, 1, 3, 7, 64, 320, 4096, u64::MAX / 2, u64::MAX].map(|n| json!(n));
    let odd = [json!(-1), json!(0.5), json!(1e300)];
    near.into_iter().flatten().map(|n| json!(n)).chain(far).chain(odd).collect()
}

/// Draws a map by the preset, unless it is refused.
fn accepted(preset: &Value) -> bool {
    let Ok(preset) = serde_json::from_value::<Preset>(preset.clone()) else { return false };
    if let Err(error) = preset.validate() {
        assert!(!error.field.is_empty() && !error.found.is_empty() && !error.expected.is_empty(), "{error}");
        return false;
    }
    let engine = CountingEngine::default();
    let recorder = ParameterRecorder::default();
    let model = RadioDiff::new(&preset, &VarBuilder::new(&engine, &recorder)).expect("the preset is valid");
    recorder.take().values().for_each(|spec| assert_addressable(spec.shape.iter().product()));
    let (side, channels) = (preset.map_size, preset.condition.channels.len());
    assert_eq!(model.first_stage.encode(&engine, &vec![1, 1, side, side]).mean, model.latent_shape(1));
    let options = SampleOptions { split_last_step: true, ..SampleOptions::default() };
    let gray = block_on(draw_on_device(&engine, &model, &vec![1, channels, side, side], &options));
    assert_eq!(gray, [1, 1, side, side]);
    assert_addressable(engine.take().largest_tensor);
    true
}

/// How many of the presets work.
///
/// # Panics
/// When one fails without having been refused.
#[track_caller]
fn try_all(presets: impl Iterator<Item = (String, Value)>) -> usize {
    let (mut count, mut failures) = (0, Vec::new());
    for (changes, preset) in presets {
        match catch_unwind(AssertUnwindSafe(|| accepted(&preset))) {
            Ok(accepted) => count += usize::from(accepted),
            Err(reason) => {
                let reason = reason.downcast_ref::<String>().map_or("a panic", String::as_str);
                failures.push(format!("{changes}: {reason}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} presets slipped through:\n{}", failures.len(), failures.join("\n"));
    count
}

fn known() -> impl Iterator<Item = Value> {
    let named = Preset::NAMES.iter().map(|name| Preset::named(name).expect("it has a name"));
    named.chain([radiodiff_tests::seeing_scene()]).map(|preset| serde_json::to_value(preset).expect("a preset is data"))
}

/// Changes one place.
fn change(preset: &mut Value, pointer: &str, to: Value) -> String {
    let place = preset.pointer_mut(pointer).expect("the place was found there");
    let change = format!("{pointer} {place} -> {to}");
    *place = to;
    change
}

#[test]
fn one_wrong_number_is_refused_or_works() {
    let presets = known().flat_map(|preset| {
        let mut found = Vec::new();
        places(&preset, "", &mut found);
        found.into_iter().flat_map(move |pointer| {
            let original = preset.clone();
            variants(&preset.pointer(&pointer).expect("the place was found there").clone()).into_iter().map(move |to| {
                let mut preset = original.clone();
                let change = change(&mut preset, &pointer, to);
                (format!("{} {change}", preset["name"]), preset)
            })
        })
    });
    let accepted = try_all(presets);
    assert!(accepted > 100, "only {accepted} of all presets work: the changes are too wild");
}

/// Half of them are made to fit together again where one number follows from others, so that they reach the later checks.
fn several_wrong_numbers(seed: u64, count: usize) {
    let known: Vec<Value> = known().collect();
    let mut random = rule_values(seed, "presets", 20 * count).map(|u| (u + 1.0) / 2.0);
    let mut below = move |n: usize| (random.next().expect("twenty a preset") * n as f64) as usize;
    let presets = (0..count).map(|_| {
        let mut preset = known[below(known.len())].clone();
        let mut changes = preset["name"].to_string();
        for _ in 0..=below(4) {
            let mut found = Vec::new();
            places(&preset, "", &mut found);
            let pointer = &found[below(found.len())];
            let variants = variants(preset.pointer(pointer).expect("the place was found there"));
            changes += &format!(", {}", change(&mut preset, pointer, variants[below(variants.len())].clone()));
        }
        if below(2) == 0 {
            changes += ", made to fit";
            preset["unet"]["latent_channels"] = preset["autoencoder"]["latent_channels"].clone();
            let levels = preset["autoencoder"]["multipliers"].as_array().map_or(0, Vec::len);
            let side = preset["map_size"].as_u64().unwrap_or(0);
            preset["unet"]["latent_size"] = json!(side >> levels.saturating_sub(1).min(63));
        }
        (changes, preset)
    });
    let accepted = try_all(presets);
    println!("{accepted} of {count} presets work");
    assert!(accepted * 20 > count, "only {accepted} of {count} presets work: the changes are too wild");
}

#[test]
fn several_wrong_numbers_are_refused_or_work() {
    several_wrong_numbers(1, 500);
}

#[test]
#[ignore = "slow: twenty thousand presets take minutes"]
fn many_presets_of_several_wrong_numbers_are_refused_or_work() {
    several_wrong_numbers(2, 20_000);
}
