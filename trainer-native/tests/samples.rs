//! What training is given: cars where the simulation had some, vectors that turn with their maps, and gray levels on the preset's
//! scale.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SIZE, SWIN};
use radiodiff_core::model::Preset;
use radiodiff_dataset::folder::{MapFiles, Writer};
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::geometry::Symmetry;
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::scene::BuildingMask;
use std::path::Path;
use tch::{Device, Tensor};
use trainer::data::{DataConfig, DatasetConfig, OrderedSample, TrainingData};

const TRANSMITTER: (usize, usize) = (21, 9);

/// The small preset with these channels.
fn preset(channels: &[ConditionChannel]) -> Preset {
    let mut preset: Preset = toml::from_str(SWIN).unwrap();
    preset.condition.channels = channels.to_vec();
    preset
}

/// Buildings, cars and gain of a scene that no symmetry leaves as it is.
fn images() -> [Vec<u8>; 3] {
    let image = |level: &dyn Fn(usize, usize) -> u8| (0..SIZE * SIZE).map(|i| level(i / SIZE, i % SIZE)).collect::<Vec<u8>>();
    let inside = |row: usize, column: usize| (5..12).contains(&row) && (14..28).contains(&column) || (24..30).contains(&row) && column > 20;
    let buildings = image(&|row, column| u8::from(inside(row, column)));
    let cars = image(&|row, column| u8::from((16..18).contains(&row) && (3..7).contains(&column)));
    let gain = image(&|row, column| if inside(row, column) { 0 } else { (40 + 3 * row + 4 * column) as u8 });
    [buildings, cars, gain]
}

/// Writes the scene, turned, as map 0 of carsDPM.
fn write(folder: &Path, symmetry: Symmetry) {
    let [buildings, cars, gain] = images().map(|image| {
        let mut turned = vec![0; SIZE * SIZE];
        symmetry.turn(SIZE, &image, &mut turned);
        turned
    });
    let [buildings, cars] = [buildings, cars].map(|pixels| BuildingMask { size: SIZE, pixels });
    let transmitters = [(symmetry.pixel(SIZE, TRANSMITTER), gain)];
    let files = MapFiles { mask: &buildings, outlines: None, cars: Some((&cars, "[]")), transmitters: &transmitters };
    Writer::create(folder, "carsDPM", true).unwrap().write_map(0, &files).unwrap();
}

fn open(folder: &Path, preset: &Preset) -> anyhow::Result<TrainingData> {
    let settings: DataConfig = toml::from_str("train = []\nvalid = []\nmethod = \"carsDPM\"\nbuilding_weight = 0.05").unwrap();
    TrainingData::open(&[DatasetConfig::folder(folder)], &settings, (preset, [preset.meters_per_pixel; 2]), true, Device::Cpu)
}

fn load(folder: &Path, preset: &Preset) -> TrainingData {
    open(folder, preset).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(&tensor.contiguous().view(-1)).unwrap()
}

#[test]
fn the_channel_of_cars_has_cars() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), Symmetry::default());
    let samples = load(folder.path(), &preset(&[ConditionChannel::Cars]));
    let cars: Vec<f32> = images()[1].iter().map(|&lit| if lit != 0 { 1.0 } else { -1.0 }).collect();
    let batch = samples.sample(0).unwrap();
    assert_eq!(values(&batch.condition), cars);
}

#[test]
fn a_turned_sample_is_the_sample_of_the_turned_scene() {
    let folder = tempfile::tempdir().unwrap();
    // A raster does not say where in a pixel a wall stands, and its outlines are read by RadioMapSeer's convention, which no turn
    // keeps: the dominant path of the turned raster is another one. Of turned footprints it is the same (radio/tests/features.rs).
    // The walls of intelligent ray tracing are those outlines too.
    let by_outlines = {
        use ConditionChannel::{DominantPathGain, DominantPathGainAtHeight, DominantPathGainOfStatedRoofs, Irt2Gain, Irt3Gain, Irt4Gain};
        [DominantPathGain, DominantPathGainAtHeight, DominantPathGainOfStatedRoofs, Irt2Gain, Irt3Gain, Irt4Gain]
    };
    let channels: Vec<_> = ConditionChannel::ALL.into_iter().filter(|channel| !by_outlines.contains(channel)).collect();
    let preset = preset(&channels);
    write(&folder.path().join("plain"), Symmetry::default());
    let plain = load(&folder.path().join("plain"), &preset);
    for (i, symmetry) in Symmetry::all().enumerate() {
        let path = folder.path().join(i.to_string());
        write(&path, symmetry);
        let found = plain.batch(&[OrderedSample { index: 0, symmetry }]).unwrap();
        let expected = load(&path, &preset).sample(0).unwrap();
        assert_eq!(values(&found.truth), values(&expected.truth), "{symmetry:?}");
        assert_eq!(values(&found.outdoors), values(&expected.outdoors), "{symmetry:?}");
        let [found, expected] = [found, expected].map(|batch| values(&batch.condition));
        for (channel, (found, expected)) in channels.iter().zip(found.chunks(SIZE * SIZE).zip(expected.chunks(SIZE * SIZE))) {
            let error = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // Conditions are kept in half precision.
            assert!(error <= 1e-3, "{channel:?} is off by {error} under {symmetry:?}");
        }
    }
}

#[test]
fn a_vector_that_lacks_a_component_cannot_be_turned() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), Symmetry::default());
    let preset = preset(&[ConditionChannel::AngleToTransmitterSin]);
    let refused = open(folder.path(), &preset).err().map(|error| format!("{error:#}"));
    assert!(refused.as_ref().is_some_and(|error| error.contains("lack AngleToTransmitterCos")), "{refused:?}");
}

#[test]
fn gray_levels_are_on_the_presets_scale() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), Symmetry::default());
    let mut preset = preset(&[ConditionChannel::Buildings]);
    let [buildings, _, gain] = images();
    for gray in [GrayCodec::default(), GrayCodec { floor_db: -180.0, ceiling_db: -40.0 }] {
        preset.gray = gray;
        let truth = values(&load(folder.path(), &preset).sample(0).unwrap().truth);
        for ((&found, &level), &inside) in truth.iter().zip(&gain).zip(&buildings) {
            let gain_db = GrayCodec::default().decode(f32::from(level) / 255.0);
            let expected = if inside != 0 { -1.0 } else { 2.0 * gray.encode(gain_db) - 1.0 };
            assert!((found - expected).abs() < 1e-5, "{found}, expected {expected}");
        }
    }
}
