//! Test machinery for every crate: weights by rule, reference values, the suite of layers, and maps to compare engines by.
//!
//! Nothing that ships depends on this crate. It takes any engine and gives results in host memory, so that engines of different
//! programs (the trainer's libtorch too) are compared alike. [`rule`] makes weights, [`small`] and [`goldens`] hold networks to
//! PyTorch, [`layers`] compares them layer by layer, and [`MapCase`] compares whole maps.

mod critics;
pub mod golden_maker;
#[cfg(feature = "golden-program")]
pub mod golden_program;
pub mod goldens;
pub mod layers;
pub mod rule;
pub mod small;

pub use critics::critic_errors;
pub use radiodiff_radio::metrics::relative_error;

use geo::Coord;
use radiodiff_core::diffusion::{RadioDiff, SampleOptions};
use radiodiff_core::engine::{Engine, EngineError};
use radiodiff_core::model::Preset;
use radiodiff_core::model::preset::ResidualPreset;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::pipeline::{MapRequest, Pipeline, PipelineError, QuantilePipeline, no_hook, sample_latent};
use radiodiff_core::weights::Checkpoint;
use radiodiff_radio::features::condition;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::scene::{self, BuildingMask, GeoBounds, Grid, ImportOptions, LinkEnds, LocalFrame, Scene, Transmitter};
use serde::Deserialize;
use std::convert::Infallible;
use std::path::PathBuf;

/// Steps in which the shipped weights draw a sample.
pub const SHIPPED_STEPS: usize = 5;

/// Where the networks' parameters come from.
enum CaseWeights {
    /// By rule, from a seed.
    Rule(u64),
    /// A weights file's bytes.
    File(Vec<u8>),
}

/// One map to be drawn.
pub struct MapCase {
    pub name: String,
    weights: CaseWeights,
    options: SampleOptions,
    preset: Preset,
    scene: PreparedScene,
    /// Where the transmitter stands, metres in the grid's frame, and how high.
    ends: LinkEnds,
}

/// An entry of www/scenes/index.json.
#[derive(Deserialize)]
struct DemoScene {
    file: String,
    bounds: GeoBounds,
    /// Of a place that is larger than a network's own map.
    #[serde(rename = "metersPerPixel")]
    meters_per_pixel: Option<f64>,
    /// Longitude and latitude.
    transmitter: [f64; 2],
}

/// A case's map on an engine, before it is clamped.
pub struct RawMap {
    /// (Z, h, w)
    pub latent: Vec<f32>,
    /// Gray levels (H, W), not clamped to [0, 1]: with weights by rule much of a map lies outside, and clamping would hide differences.
    pub gray: Vec<f32>,
}

/// The distance of two engines' maps of the same case.
#[derive(Debug)]
pub struct MapDifference {
    /// ||a - b|| / ||b|| of the latents.
    pub latent: f64,
    /// ||a - b|| / ||b|| of the gray levels.
    pub gray: f64,
    /// Share of outdoor pixels that are within 1 dB.
    pub within_1_db: f64,
    /// The largest difference of an outdoor pixel, in dB.
    pub largest_db: f32,
}

fn repository_file(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// The folder of the reference data, which is not part of the repository: what RADIODIFF_SHARED names, else `shared` beside the
/// repository. A test that asks for it carries
/// `#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]` (see tests/reference_data.rs), and is
/// counted as skipped where the folder is absent.
///
/// # Panics
/// When the folder was absent as the tests were built.
pub fn shared_data() -> PathBuf {
    let folder = option_env!("RADIODIFF_SHARED_FOLDER");
    folder.expect("the reference data is not there; a test that needs it carries cfg_attr(not(reference_data), ignore)").into()
}

/// nano as a network that draws the difference to the dominant path map, with a decoder that sees the scene.
///
/// # Panics
/// When nano is no preset.
pub fn seeing_scene() -> Preset {
    use radiodiff_radio::features::ConditionChannel::{
        Buildings, DetourGain, DominantPathGain, Irt2Gain, LineOfSight, LogDistanceGain, Transmitter, WallDistance,
    };
    let mut preset = Preset::named("nano").expect("nano is a preset");
    preset.condition.channels =
        vec![Buildings, Transmitter, LineOfSight, LogDistanceGain, DetourGain, WallDistance, DominantPathGain, Irt2Gain];
    preset.autoencoder.scene_channels = preset.condition.channels.len();
    preset.residual = Some(ResidualPreset { physical: DominantPathGain, range_db: 30.0 });
    preset
}

/// A scene with one building of 40 x 40 m in the middle.
pub fn one_building() -> PreparedScene {
    let grid = Grid::default();
    let mut mask = BuildingMask { size: grid.size, pixels: vec![0; grid.pixels()] };
    for row in 108..148 {
        mask.pixels[row * grid.size + 108..row * grid.size + 148].fill(1);
    }
    PreparedScene::new(&Scene::from_mask(grid, mask))
}

/// The weights of the network of quantiles that ship, with which the page draws.
pub const SHIPPED_QUANTILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/quantiles.safetensors");
/// The weights that ship of the network that draws samples.
pub const SHIPPED_WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/nano.safetensors");
/// The weights that shipped first, of a preset with a name, in float16 and with an encoder: for tests whose numbers are pinned, and of
/// files, imports and starts from a map.
pub const FIRST_WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/nano.safetensors");

/// The preset and the bytes of a weights file of the repository.
fn weights_of(path: &str) -> (Preset, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("the weights {path}: {error}"));
    let preset = Checkpoint::parse(&bytes).unwrap_or_else(|error| panic!("the weights {path}: {error}")).manifest().preset.clone();
    (preset, bytes)
}

impl MapCase {
    /// Every case: two by rule, one of them with several steps, the first weights, and the shipped ones.
    ///
    /// # Panics
    /// When the repository's scenes or weights are not there.
    pub fn all() -> Vec<Self> {
        let (preset, bytes) = weights_of(SHIPPED_WEIGHTS);
        let options = SampleOptions { steps: SHIPPED_STEPS, seed: 4, ..SampleOptions::default() };
        let shipped = Self::new("munich-old-town.geojson", None, "the shipped weights", preset, CaseWeights::File(bytes), options);
        Self::pinned().into_iter().take(3).chain([shipped]).collect()
    }

    /// The cases whose maps must not change: two by rule, and two of the first weights, whose file's name they bear.
    ///
    /// # Panics
    /// When the repository's scenes or weights are not there.
    pub fn pinned() -> Vec<Self> {
        let nano = || Preset::named("nano").expect("nano is a preset");
        let options = |steps, seed| SampleOptions { steps, seed, ..SampleOptions::default() };
        let (first, bytes) = weights_of(FIRST_WEIGHTS);
        let file = |bytes: &Vec<u8>| CaseWeights::File(bytes.clone());
        let page = Self::places().remove(0);
        vec![
            Self::new("munich-old-town.geojson", None, "rule 1", nano(), CaseWeights::Rule(1), options(1, 1)),
            // More than one step takes the U-Net's second decoder too.
            Self::new("helsinki-center.geojson", None, "rule 2", nano(), CaseWeights::Rule(2), options(3, 2)),
            Self::new("paris-etoile.geojson", None, "nano.safetensors", first.clone(), file(&bytes), options(1, 3)),
            Self::new(&page.file, Some(&page), "nano.safetensors", first, file(&bytes), options(1, 42)),
        ]
    }

    /// The map of the page's first place, by the shipped weights, seed 42 and one step.
    ///
    /// # Panics
    /// When the repository's scenes or weights are not there.
    pub fn of_the_page() -> Self {
        let (preset, bytes) = weights_of(SHIPPED_WEIGHTS);
        let (page, options) = (Self::places().remove(0), SampleOptions { seed: 42, ..SampleOptions::default() });
        Self::new(&page.file, Some(&page), "the shipped weights", preset, CaseWeights::File(bytes), options)
    }

    /// Twenty scenes for the shipped weights, of three cities: every place is moved by up to a quarter of a map, the transmitter stands
    /// elsewhere, 1.5 to 40 m high, and each has noise of its own.
    ///
    /// # Panics
    /// When the repository's scenes or weights are not there.
    pub fn twenty() -> Vec<Self> {
        let (preset, bytes) = weights_of(SHIPPED_WEIGHTS);
        let places: Vec<DemoScene> = Self::places().into_iter().filter(|place| place.meters_per_pixel.is_none()).collect();
        let case = |number: usize| {
            let place = &places[number % places.len()];
            // Two sequences that fill the unit interval evenly.
            let share = |step: f64| (number as f64 * step).fract();
            let (east, north) = (share(0.618_034), share(0.414_214));
            let GeoBounds { west, south, east: most_east, north: most_north } = place.bounds;
            let (width, height) = (most_east - west, most_north - south);
            let (right, up) = ((east - 0.5) * width / 2.0, (north - 0.5) * height / 2.0);
            let bounds = GeoBounds { west: west + right, south: south + up, east: most_east + right, north: most_north + up };
            let transmitter = [bounds.west + (0.2 + 0.6 * north) * width, bounds.south + (0.2 + 0.6 * east) * height];
            let moved = DemoScene { file: place.file.clone(), bounds, meters_per_pixel: None, transmitter };
            let options = SampleOptions { steps: SHIPPED_STEPS, seed: number as u64, ..SampleOptions::default() };
            let name = format!("the shipped weights, case {number}");
            let mut case = Self::new(&moved.file, Some(&moved), &name, preset.clone(), CaseWeights::File(bytes.clone()), options);
            case.ends.height_m = 1.5 + 38.5 * share(0.754_878);
            case
        };
        (0..20).map(case).collect()
    }

    /// Asserts that two engines say the same quantiles of the case's place by the shipped network: to 1 dB on 99.9 % of the pixels.
    ///
    /// # Panics
    /// When they do not, or an engine fails.
    pub async fn assert_same_quantiles(&self, one: &impl Engine, other: &impl Engine) {
        let bytes = std::fs::read(SHIPPED_QUANTILES).expect("the shipped weights");
        let weights = Checkpoint::parse(&bytes).expect("they are whole");
        let (expected, found) = (self.quantiles(one, &weights).await, self.quantiles(other, &weights).await);
        let pairs = expected.iter().zip(&found).flat_map(|(a, b)| a.values.iter().zip(&b.values));
        let outdoors: Vec<f32> = pairs.filter(|(a, _)| !a.is_nan()).map(|(a, b)| (a - b).abs()).collect();
        // A value that is not a number is not within anything.
        let within = outdoors.iter().filter(|difference| **difference <= 1.0).count() as f64 / outdoors.len() as f64;
        println!("{}: {within} of the quantiles within 1 dB, worst {:?} dB", self.name, outdoors.iter().copied().fold(0.0, f32::max));
        assert!(within >= 0.999, "{}: {within} of the quantiles are within 1 dB", self.name);
    }

    /// The quantiles of the case's place by a network that says them, lowest first.
    ///
    /// # Panics
    /// When the weights are of another kind or an engine fails.
    pub async fn quantiles<E: Engine>(&self, e: &E, weights: &Checkpoint) -> Vec<RadioMap> {
        let network = weights.build_quantiles(e).expect("the weights of a network of quantiles");
        QuantilePipeline::new(network).draw(e, &self.scene, &self.ends).await.expect("the place has quantiles")
    }

    /// The page's places, at least one.
    fn places() -> Vec<DemoScene> {
        let index = std::fs::read_to_string(repository_file("www/scenes/index.json")).expect("the page's places are there");
        let places: Vec<DemoScene> = serde_json::from_str(&index).expect("the page's places are sound");
        assert!(!places.is_empty(), "the page opens with a place");
        places
    }

    /// A transmitter of a scene of the page: the place's, or one in the middle.
    fn new(
        file: &str,
        place: Option<&DemoScene>,
        weights_name: &str,
        preset: Preset,
        weights: CaseWeights,
        options: SampleOptions,
    ) -> Self {
        let geojson = std::fs::read_to_string(repository_file("www/scenes").join(file)).expect("the page's scene is there");
        let placing = ImportOptions { bounds: place.map(|place| place.bounds), ..ImportOptions::default() };
        let scene = scene::import(geojson.as_bytes(), &placing).expect("the page's scene is sound").scene;
        let middle = Coord { x: scene.grid.extent_m() / 2.0, y: scene.grid.extent_m() / 2.0 };
        let position = place.map_or(middle, |place| LocalFrame::of_bounds(place.bounds, scene.grid).to_meters(place.transmitter.into()));
        let placement = scene.place_transmitter(Transmitter::at(position.x, position.y)).expect("there is an outdoor pixel");
        let (scene, ends) = (PreparedScene::new(&scene), LinkEnds::at(placement.transmitter.position));
        Self { name: format!("{file} with {weights_name}"), weights, options, preset, scene, ends }
    }

    fn model<E: Engine>(&self, e: &E) -> RadioDiff<E> {
        match &self.weights {
            CaseWeights::Rule(seed) => {
                RadioDiff::new(&self.preset, &VarBuilder::new(e, &rule::RuleSource { seed: *seed })).expect("nano is valid")
            }
            CaseWeights::File(bytes) => Checkpoint::parse(bytes).and_then(|file| file.build(e)).expect("the shipped weights are sound"),
        }
    }

    /// The case's map as a user gets it: path gain in dB, NaN inside buildings.
    ///
    /// # Errors
    /// Those of reading results from the engine.
    pub async fn map<E: Engine>(&self, e: &E) -> Result<RadioMap, PipelineError<Infallible>> {
        let request = MapRequest { scene: &self.scene, ends: self.ends, start: 1.0, options: self.options };
        Pipeline::new(self.model(e)).draw_map(e, &request, no_hook).await
    }

    /// The case's latent and the gray levels before they are clamped.
    ///
    /// # Errors
    /// Those of reading results from the engine.
    ///
    /// # Panics
    /// When the transmitter is not outdoors.
    pub async fn draw<E: Engine>(&self, e: &E) -> Result<RawMap, EngineError> {
        let (model, channels, side) = (self.model(e), &self.preset.condition.channels, self.preset.map_size);
        let condition = condition(&self.scene, &self.ends, channels, &self.preset.gray).expect("a placed transmitter is outdoors");
        let condition = e.tensor(&condition, &[1, channels.len(), side, side]);
        let latent = sample_latent(e, &model, &condition, &self.options).await;
        let map = model.decode_map(e, &latent, &condition);
        Ok(RawMap { latent: e.read(&latent).await?, gray: e.read(&e.affine(&map, 0.5, 0.5)).await? })
    }

    /// Draws the case on an engine and asserts that the drawing agrees with `expected`, which another engine made. `rounding` is the
    /// relative error that the engine's arithmetic may leave in a latent or a gray map after some hundred operations.
    ///
    /// # Panics
    /// When the drawing differs, or the engine does not read.
    pub async fn assert_drawn_as(&self, engine_name: &str, engine: &impl Engine, expected: &RawMap, rounding: f64) {
        let found = self.draw(engine).await.unwrap_or_else(|error| panic!("{} on {engine_name}: {error}", self.name));
        let difference = self.difference(&found, expected);
        println!("{} on {engine_name}: {difference:?}", self.name);
        let same = difference.within_1_db >= 0.999 && difference.latent <= rounding && difference.gray <= rounding;
        assert!(same, "{} on {engine_name} differs: {difference:?}", self.name);
    }

    /// How far `found` is from `expected`.
    pub fn difference(&self, found: &RawMap, expected: &RawMap) -> MapDifference {
        let gray = self.preset.gray;
        let outdoors = self.scene.mask().pixels.iter().zip(found.gray.iter().zip(&expected.gray)).filter(|(inside, _)| **inside == 0);
        let (mut pixels, mut near, mut largest_db) = (0_u32, 0_u32, 0.0_f32);
        for (_, (found, expected)) in outdoors {
            pixels += 1;
            let difference_db = (gray.decode(*found) - gray.decode(*expected)).abs();
            near += u32::from(difference_db <= 1.0);
            largest_db = largest_db.max(difference_db);
        }
        MapDifference {
            latent: relative_error(&found.latent, &expected.latent),
            gray: relative_error(&found.gray, &expected.gray),
            within_1_db: f64::from(near) / f64::from(pixels),
            largest_db,
        }
    }
}
