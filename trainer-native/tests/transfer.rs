//! Weights go from one run to another and to evaluation: out of files and checkpoints, raw or averaged, whole or frozen in part.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SWIN, Workshop, fails, strs, succeeds, text, trainer};
use radiodiff_core::weights::{Checkpoint, HostTensor};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;

fn weights(shop: &Workshop, file: &str) -> HashMap<String, HostTensor> {
    Checkpoint::parse(&fs::read(shop.path(file)).unwrap()).unwrap().tensors().clone()
}

#[test]
fn a_run_begins_with_anothers_weights_and_what_is_frozen_stays() {
    let shop = Workshop::new(&[3, 4]);
    shop.trains("autoencoder", "first", &["autoencoder.steps=4"]);
    let checkpoint = shop.path("first/autoencoder/checkpoints/step-00000004");
    let init = format!("autoencoder.init={checkpoint:?}");
    shop.trains("autoencoder", "second", &[&init, "autoencoder.freeze=[\"first_stage_model.encoder.\"]"]);
    let [first, second] = ["first", "second"].map(|run| weights(&shop, &format!("{run}/autoencoder.safetensors")));
    let same = |prefix: &str| first.iter().filter(|(name, _)| name.starts_with(prefix)).all(|(name, value)| second[name] == *value);
    assert!(same("first_stage_model.encoder."), "frozen, and the averages of the checkpoint");
    assert!(!same("first_stage_model.decoder."), "not frozen");
    fails(
        &strs(&shop.train("autoencoder", "third", &["autoencoder.freeze=[\"first_stage_model.\"]"])),
        &["autoencoder: all of its", "parameters are frozen"],
    );

    // The second stage takes a whole network, or of another denoiser the first stage.
    shop.trains("diffusion", "first", &[]);
    let init = format!("diffusion.init={:?}", shop.path("first/diffusion.safetensors"));
    let frozen = [&init, "diffusion.freeze=[\"model.\", \"first_stage_model.decoder.conv_in.\"]", "diffusion.steps=0"];
    shop.trains("diffusion", "fourth", &frozen);
    let [before, after] = ["first", "fourth"].map(|run| weights(&shop, &format!("{run}/diffusion.safetensors")));
    let moved = before.iter().filter(|(name, value)| name.starts_with("model.") && after[*name] != **value).map(|(name, _)| name);
    assert_eq!(moved.collect::<Vec<_>>(), Vec::<&String>::new(), "frozen, with its running statistics");
    assert!(before.iter().any(|(name, value)| name.starts_with("first_stage_model.decoder.") && after[name] != *value));
    fs::write(
        shop.path("other.toml"),
        SWIN.replace("small-swin", "other-swin").replace("level_widths = [8, 16]", "level_widths = [8, 24]"),
    )
    .unwrap();
    let preset = format!("preset={:?}", shop.path("other.toml"));
    let said = shop.trains("diffusion", "fifth", &[&preset, &init]);
    assert!(said.contains("its denoiser is another than other-swin's, so only its first stage is taken"), "{said}");

    fs::write(shop.path("wide.toml"), SWIN.replace("small-swin", "wide-swin").replace("channels = 8", "channels = 16")).unwrap();
    let preset = format!("preset={:?}", shop.path("wide.toml"));
    for stage in ["autoencoder", "diffusion"] {
        let init = format!("{stage}.init={:?}", shop.path("first/diffusion.safetensors"));
        let args = shop.train(stage, "sixth", &[&preset, &init]);
        fails(&strs(&args), &["holds weights of another preset: first_stage_model.", "[16] in small-swin and [32] in wide-swin"]);
    }
}

#[test]
fn weights_for_drawing_are_given_an_encoder_again() {
    let shop = Workshop::new(&[3, 4]);
    shop.trains("all", "first", &[]);
    let ships = shop.path("ships.safetensors");
    succeeds(&["export", "--weights", &shop.path("first/diffusion.safetensors"), "--out", &ships, "--precision", "f32"]);
    let shipped = weights(&shop, "ships.safetensors");

    let init = format!("diffusion.init={ships:?}");
    let advice = ["without the encoder", "trainer train autoencoder --from", "\"first_stage_model.post_quant_conv.\"]", "diffusion.init="];
    fails(&strs(&shop.train("diffusion", "second", &[&init])), &advice);

    let frozen = "autoencoder.freeze=[\"first_stage_model.decoder.\", \"first_stage_model.post_quant_conv.\"]";
    let said = shop.trains("autoencoder", "second", &[&format!("autoencoder.init={ships:?}"), frozen, "autoencoder.steps=2"]);
    assert!(said.contains("the encoder begins afresh"), "{said}");
    let same = |run: &HashMap<String, HostTensor>, part: &str| {
        let mut of_part = shipped.iter().filter(|(name, _)| name.starts_with(part)).peekable();
        assert!(of_part.peek().is_some(), "{part}");
        of_part.all(|(name, value)| run[name] == *value)
    };
    let first_stage = weights(&shop, "second/autoencoder.safetensors");
    assert!(same(&first_stage, "first_stage_model."), "the decoder stays as it ships");
    assert!(first_stage.keys().any(|name| name.starts_with("first_stage_model.encoder.")));

    shop.trains("diffusion", "second", &[&init, "diffusion.freeze=[\"model.\"]", "diffusion.steps=0", "diffusion.pixel.steps=1"]);
    let trained = weights(&shop, "second/diffusion.safetensors");
    assert!(same(&trained, "model."), "the denoiser begins as it ships");
    assert!(trained.iter().all(|(name, value)| !name.starts_with("first_stage_model.encoder.") || first_stage[name] == *value));
}

#[test]
fn a_network_of_quantiles_begins_with_anothers_weights() {
    let shop = Workshop::new(&[3, 4]);
    let few = ["quantiles.steps=3", "quantiles.whole_map_steps=0", "quantiles.crop=32"];
    shop.trains("quantiles", "first", &few);
    let still = [&few[..], &["quantiles.learning_rate=0.0"]].concat();
    for from in ["first/quantiles.safetensors", "first/quantiles/checkpoints/step-00000003"] {
        let init = format!("quantiles.init={:?}", shop.path(from));
        shop.trains("quantiles", "second", &[&still[..], &[&init]].concat());
        assert!(weights(&shop, "second/quantiles.safetensors") == weights(&shop, "first/quantiles.safetensors"), "{from}");
        fs::remove_dir_all(shop.path("second")).unwrap();
    }
    shop.trains("quantiles", "fresh", &still);
    assert!(weights(&shop, "fresh/quantiles.safetensors") != weights(&shop, "first/quantiles.safetensors"));
    shop.trains("autoencoder", "first", &["autoencoder.steps=1"]);
    let init = format!("quantiles.init={:?}", shop.path("first/autoencoder.safetensors"));
    fails(&strs(&shop.train("quantiles", "third", &[&init])), &["autoencoder.safetensors does not hold small-swin's network of quantiles"]);
}

#[test]
fn a_wider_network_of_quantiles_begins_as_the_narrow_one() {
    let shop = Workshop::new(&[3, 4]);
    let few = ["quantiles.steps=3", "quantiles.whole_map_steps=0", "quantiles.crop=32"];
    shop.trains("quantiles", "narrow", &few);
    let init = format!("quantiles.init={:?}", shop.path("narrow/quantiles.safetensors"));
    let wide = |name: &str, detail: &str| {
        let preset = SWIN
            .replace("small-swin", name)
            .replace("widths = [8, 12]\ndetail_width = 8", &format!("widths = [16, 24]\ndetail_width = {detail}"));
        fs::write(shop.path(&format!("{name}.toml")), preset).unwrap();
        format!("preset={:?}", shop.path(&format!("{name}.toml")))
    };
    let said = shop.trains("quantiles", "wide", &[&few[..], &["quantiles.learning_rate=0.0", &wide("wide-swin", "16"), &init]].concat());
    assert!(said.contains("every channel becomes two, [8, 12] become [16, 24]"), "{said}");
    score_alike(&shop, ["narrow", "wide"]);
    // Two halves of a channel are read unlike, or they would be trained alike.
    let head = &weights(&shop, "wide/quantiles.safetensors")["quantiles.head.weight"];
    let unlike = head.values.chunks(2).filter(|halves| halves[0] != 0.0).map(|halves| (halves[0] / halves[1] - 1.0).abs());
    assert!(unlike.fold(0.0_f32, f32::max) > 0.5, "{:?}", head.values);
    fails(
        &strs(&shop.train("quantiles", "other", &[&wide("uneven-swin", "8"), &init])),
        &["does not hold uneven-swin's network of quantiles", "expected shape [16], found [8]"],
    );
}

#[test]
fn a_network_of_quantiles_that_is_told_more_begins_as_before() {
    let shop = Workshop::new(&[3, 4]);
    let few = ["quantiles.steps=3", "quantiles.whole_map_steps=0", "quantiles.crop=32"];
    shop.trains("quantiles", "before", &few);
    let init = format!("quantiles.init={:?}", shop.path("before/quantiles.safetensors"));
    let told = |name: &str, channels: &str, [before, after]: [&str; 2]| {
        let preset = SWIN.replace("small-swin", name).replace("[\"buildings\", \"transmitter\", \"buildings\"]", channels);
        fs::write(shop.path(&format!("{name}.toml")), preset.replace(before, after)).unwrap();
        format!("preset={:?}", shop.path(&format!("{name}.toml")))
    };
    let narrow = "widths = [8, 12]\ndetail_width = 8";
    let last = "[\"buildings\", \"transmitter\", \"buildings\", \"stated-roofs\"]";
    let preset = told("told-swin", last, [narrow, narrow]);
    let wide = told("told-wide-swin", last, [narrow, "widths = [16, 24]\ndetail_width = 16"]);
    let still = |run: &str, preset: &str| {
        let args = shop.train("quantiles", run, &[&few[..], &["quantiles.learning_rate=0.0", preset, &init]].concat());
        let output = trainer(&strs(&args));
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    };
    for (run, preset) in [("still", &preset), ("wide", &wide)] {
        let said = still(run, preset);
        assert!(said.contains("[StatedRoofs] are new to it, and are not read at first") && !said.contains("other channels"), "{said}");
        score_alike(&shop, ["before", run]);
    }
    let other = told("other-swin", "[\"buildings\", \"stated-roofs\", \"buildings\", \"transmitter\"]", [narrow, narrow]);
    let said = still("other", &other);
    assert!(said.contains("where it read Transmitter, it is told StatedRoofs now"), "{said}");
    shop.trains("quantiles", "told", &[&few[..], &[&preset, &init]].concat());
    for (name, inputs) in [("quantiles.stem.weight", 4), ("quantiles.detail.weight", 12)] {
        let weight = &weights(&shop, "told/quantiles.safetensors")[name];
        assert_eq!(weight.shape[1], inputs, "{name}");
        let taps = weight.shape[2] * weight.shape[3];
        assert!(
            weight.values.chunks(inputs * taps).any(|of_output| of_output[(inputs - 1) * taps..].iter().any(|&value| value != 0.0)),
            "{name}"
        );
    }
}

/// Networks of quantiles of two runs say the same.
fn score_alike(shop: &Workshop, runs: [&str; 2]) {
    let [one, other] = runs.map(|run| scores(shop, &format!("{run}/quantiles.safetensors"), &[])["scores"].clone());
    for (name, value) in one.as_object().unwrap() {
        let [one, other] = [value, &other[name]].map(|score| score.as_f64().unwrap());
        assert!((one - other).abs() <= 1e-5 * one.abs(), "{name}: {one} and {other} of {runs:?}");
    }
}

/// The figures of the network's row.
fn scores(shop: &Workshop, weights: &str, more: &[&str]) -> Value {
    let (weights, json) = (shop.path(weights), shop.path("scores.json"));
    let data = shop.path("data");
    let args = ["evaluate", "--weights", &weights, "--data", &data, "--network-only", "--out", &json];
    succeeds(&[&args, more].concat());
    let evaluation: Value = serde_json::from_str(&shop.read("scores.json")).unwrap();
    evaluation["rows"][0].clone()
}

#[test]
fn a_checkpoint_is_evaluated_with_its_average_or_raw() {
    let shop = Workshop::new(&[3, 4]);
    let sets = ["diffusion.steps=6", "diffusion.pixel.steps=0", "diffusion.learning_rate=1e-2", "diffusion.optimizer.warmup=1"];
    shop.trains("all", "run", &sets);
    let checkpoint = "run/diffusion/checkpoints/step-00000006";
    let [shipped, averaged] = ["run/diffusion.safetensors", checkpoint].map(|weights| scores(&shop, weights, &[]));
    assert_eq!(shipped, averaged, "what ships is the average");
    let raw = scores(&shop, checkpoint, &["--raw"]);
    assert_eq!(raw["method"], "small-swin, raw weights");
    assert_ne!(raw["scores"], averaged["scores"]);
    let (file, data) = (shop.path("run/diffusion.safetensors"), shop.path("data"));
    fails(&["evaluate", "--weights", &file, "--data", &data, "--raw"], &["is a file, which has one kind of weights", "checkpoints/step-"]);

    // Validation measures what evaluation does, but for a map's way through dB.
    let log = shop.read("run/diffusion/metrics.jsonl");
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    for name in ["nmse", "rmse", "ssim", "psnr_db", "rmse_db"] {
        let [logged, evaluated] = [&last[format!("val/{name}")], &shipped["scores"][name]].map(|value| value.as_f64().unwrap());
        assert!((logged - evaluated).abs() <= 1e-4 * evaluated.abs(), "{name}: {logged} in the log, {evaluated} evaluated");
    }
}

#[test]
fn a_curriculum_trains_and_resumes() {
    let shop = Workshop::new(&[3, 4, 5]);
    let sets = [
        "autoencoder.curriculum={ start = 0.4, epochs = 2 }",
        "autoencoder.crop=8",
        "autoencoder.crops=[{ from = 2, side = 16 }]",
        "autoencoder.steps=4",
    ];
    shop.trains("autoencoder", "run", &sets);
    let plain = shop.trains("autoencoder", "plain", &sets[1..]);
    assert!(plain.contains("4 steps"), "{plain}");
    let [taught, plain] = ["run", "plain"].map(|run| shop.read(&format!("{run}/autoencoder/metrics.jsonl")));
    assert_ne!(taught.lines().next(), plain.lines().next(), "other samples come first");
    let other = [&["autoencoder.curriculum={ start = 0.5, epochs = 2 }"], &sets[1..]].concat();
    let args = [shop.train("autoencoder", "run", &other), vec!["--resume".into()]].concat();
    fails(&strs(&args), &["autoencoder.curriculum.start = 0.4", "this one has 0.5"]);
}
