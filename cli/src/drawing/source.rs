//! What gives the path gain: a propagation model, or a network.

use super::area::StandardGrid;
#[cfg(feature = "network")]
use super::network::{Backend, Network, NetworkOptions, STEP_PERCENT};
use anyhow::{Context, Result, ensure};
use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::propagation::{
    DominantPath, LogDistance, LogDistanceLaw, MAX_INTERACTIONS, Material, PropagationModel, RayOptions, RayTracing, RoofsOfRays, WithCars,
};
use radiodiff_radio::scene::{Transmitter, WallMaterial};
#[cfg(feature = "network")]
use std::path::PathBuf;

/// What draws the maps
#[derive(clap::Args, Clone, Debug)]
pub struct SourceArgs {
    #[command(flatten)]
    pub model: ModelArgs,
    /// Draw with a network instead of a propagation model: its weights
    #[cfg(feature = "network")]
    #[arg(long, value_name = "FILE", conflicts_with = "method")]
    pub weights: Option<PathBuf>,
    /// Steps of the network's sampler [default: 1, of several maps as many as the weights were calibrated with]
    #[cfg(feature = "network")]
    #[arg(long, value_name = "N", requires = "weights",
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=radiodiff_core::diffusion::MAX_STEPS as u64))]
    pub steps: Option<usize>,
    /// Maps that a network draws by sampling, of which the mean is written, or what --quantity says of their spread
    #[cfg(feature = "network")]
    #[arg(long, value_name = "N", requires = "weights", default_value_t = 1,
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_SAMPLES))]
    pub samples: usize,
    /// Seed of the sampler's noise; further maps have the numbers after it
    #[cfg(feature = "network")]
    #[arg(long, value_name = "N", requires = "weights", default_value_t = 0)]
    pub seed: u64,
    /// Of a network that says quantiles: draw what each place exceeds with this probability, one of 5, 10, ... 95 % [default: its mean]
    #[cfg(feature = "network")]
    #[arg(long, value_name = "PERCENT", requires = "weights", value_parser = reliability)]
    pub reliability: Option<u32>,
    /// What the network runs on
    #[cfg(feature = "network")]
    #[arg(long, value_enum, requires = "weights", default_value = "cpu")]
    pub backend: Backend,
}

#[cfg(feature = "network")]
const MAX_SAMPLES: u64 = 256;

#[cfg(feature = "network")]
fn reliability(text: &str) -> Result<u32, String> {
    let percent = text.parse().ok().filter(|percent: &u32| percent.is_multiple_of(STEP_PERCENT) && (STEP_PERCENT..100).contains(percent));
    percent.ok_or_else(|| format!("expected one of {STEP_PERCENT}, {}, ... {} percent", 2 * STEP_PERCENT, 100 - STEP_PERCENT))
}

/// A propagation model and the options of ray tracing
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct ModelArgs {
    /// Propagation model
    #[arg(long, value_enum, default_value = "dominant-path")]
    method: ModelChoice,
    /// Most reflections and diffractions of a ray together, 0 to 4, of which two at most diffract; each more takes several times as long
    /// [default: 2]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(0..=MAX_INTERACTIONS as u64))]
    interactions: Option<usize>,
    /// What walls are made of that the file says nothing of, for rays [default: brick]
    #[arg(long, value_name = "MATERIAL", value_parser = wall_material())]
    walls: Option<WallMaterial>,
    /// Let the ground reflect rays, as this material does [default: no ground]
    #[arg(long, value_enum)]
    ground: Option<GroundChoice>,
}

fn wall_material() -> impl TypedValueParser<Value = WallMaterial> {
    let named = |name: String| WallMaterial::from_tag(&name).ok_or("no such material");
    PossibleValuesParser::new(WallMaterial::ALL.map(WallMaterial::name)).try_map(named)
}

impl ModelArgs {
    /// # Errors
    /// An option of ray tracing beside another model.
    pub fn check(&self) -> Result<()> {
        let of_rays = [("interactions", self.interactions.is_some()), ("walls", self.walls.is_some()), ("ground", self.ground.is_some())];
        for (option, given) in of_rays {
            ensure!(!given || self.method == ModelChoice::Rays, "--{option} is for --method rays: nothing else traces rays");
        }
        Ok(())
    }

    /// Ray tracing over the scene's roofs.
    fn ray_options(&self, frequency_mhz: f64) -> RayOptions {
        let default = RayOptions::at_frequency(frequency_mhz);
        RayOptions {
            roofs: RoofsOfRays::Scene,
            interactions: self.interactions.unwrap_or(default.interactions),
            material: self.walls.map_or(default.material, Material::of_wall),
            ground: self.ground.map(GroundChoice::material),
            ..default
        }
    }
}

/// The propagation models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ModelChoice {
    /// The path of least loss round corners and over roofs
    DominantPath,
    /// All paths of a few reflections and diffractions, and the direct line over roofs
    Rays,
    /// The distance alone, as if there were no buildings
    LogDistance,
}

/// What the ground is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum GroundChoice {
    Concrete,
    /// Medium dry ground of ITU-R P.2040
    Soil,
}

impl GroundChoice {
    fn material(self) -> Material {
        match self {
            Self::Concrete => Material::CONCRETE,
            Self::Soil => Material::MEDIUM_DRY_GROUND,
        }
    }
}

/// A source of path gain maps.
pub enum MapSource {
    Model(ModelArgs),
    #[cfg(feature = "network")]
    Network(Box<Network>),
}

impl MapSource {
    /// # Errors
    /// Weights that cannot be read; an option of ray tracing for a network or another model.
    pub fn new(args: &SourceArgs) -> Result<Self> {
        args.model.check()?;
        #[cfg(feature = "network")]
        if let Some(weights) = &args.weights {
            let &SourceArgs { backend, samples, steps, seed, reliability, .. } = args;
            let options = NetworkOptions { backend, samples, steps, seed, reliability };
            return Ok(Self::Network(Box::new(Network::read(weights, options)?)));
        }
        Ok(Self::Model(args.model))
    }

    /// Whether its maps are those of the transmitter's own frequency. Others are of 5.9 GHz and scaled.
    pub fn knows_frequency(&self) -> bool {
        matches!(self, Self::Model(ModelArgs { method: ModelChoice::Rays, .. }))
    }

    /// The grid that it draws unless another is asked for.
    pub fn grid(&self) -> StandardGrid {
        match self {
            Self::Model(_) => StandardGrid::default(),
            #[cfg(feature = "network")]
            Self::Network(network) => network.grid(),
        }
    }

    /// Path gain in dB at gray levels 0 and 1.
    pub fn range_db(&self) -> (f64, f64) {
        let codec = match self {
            Self::Model(_) => GrayCodec::default(),
            #[cfg(feature = "network")]
            Self::Network(network) => network.codec(),
        };
        (f64::from(codec.floor_db), f64::from(codec.ceiling_db))
    }

    /// Its name in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Model(model) => String::from(match model.method {
                ModelChoice::DominantPath => "the dominant path model",
                ModelChoice::Rays => "ray tracing",
                ModelChoice::LogDistance => "the log-distance law",
            }),
            #[cfg(feature = "network")]
            Self::Network(network) => network.name(),
        }
    }

    /// The warning that heights of antennas are not used, of a source that does not use them.
    pub fn unused_heights(&self) -> Option<String> {
        let unused = match self {
            Self::Model(ModelArgs { method: ModelChoice::LogDistance, .. }) => "no heights: those of antennas, receivers and roofs are",
            Self::Model(_) => return None,
            #[cfg(feature = "network")]
            Self::Network(network) => match (network.knows_heights(), network.knows_roofs()) {
                (true, true) => "heights of transmitters and those of roofs that are stated: those of receivers are",
                (true, false) => "heights of transmitters alone: those of receivers and roofs are",
                (false, true) => "heights of roofs that are stated alone: those of antennas and receivers are",
                (false, false) => "no heights: those of antennas, receivers and roofs are",
            },
        };
        Some(format!("{} knows {unused} not used for path gain", self.name()))
    }

    /// Warnings about a network that is used in other ways than it was trained and calibrated for.
    #[cfg_attr(not(feature = "network"), expect(unused_variables, reason = "only networks have limits that a height may exceed"))]
    pub fn warnings(&self, height_m: f64) -> Vec<String> {
        match self {
            Self::Model(_) => Vec::new(),
            #[cfg(feature = "network")]
            Self::Network(network) => [network.uncalibrated(), network.unlearnt_height(height_m)].into_iter().flatten().collect(),
        }
    }

    /// Whether the materials of walls change what it draws.
    pub fn knows_materials(&self) -> bool {
        matches!(self, Self::Model(ModelArgs { method: ModelChoice::Rays, .. }))
    }

    /// Whether cars on the map weaken what it draws.
    pub fn knows_cars(&self) -> bool {
        match self {
            Self::Model(model) => model.method == ModelChoice::DominantPath,
            #[cfg(feature = "network")]
            Self::Network(network) => network.knows_cars(),
        }
    }

    /// How many maps it draws of a transmitter; the spread of several says how sure they are.
    pub fn maps(&self) -> usize {
        match self {
            Self::Model(_) => 1,
            #[cfg(feature = "network")]
            Self::Network(network) => network.maps(),
        }
    }

    /// The maps that [`Self::path_gain`] is the mean of.
    ///
    /// # Errors
    /// Those of [`Self::path_gain`].
    pub fn path_gains(&self, scene: &PreparedScene, transmitter: &Transmitter, receiver_height_m: f64) -> Result<Vec<RadioMap>> {
        match self {
            Self::Model(_) => Ok(vec![self.path_gain(scene, transmitter, receiver_height_m)?]),
            #[cfg(feature = "network")]
            Self::Network(network) => network.path_gains(scene, &transmitter.links(receiver_height_m)),
        }
    }

    /// Path gain in dB of a transmitter outdoors, NaN inside buildings.
    ///
    /// # Errors
    /// Those of the model or of the network's engine; none is expected outdoors.
    pub fn path_gain(&self, scene: &PreparedScene, transmitter: &Transmitter, receiver_height_m: f64) -> Result<RadioMap> {
        let ends = transmitter.links(receiver_height_m);
        let model = match self {
            Self::Model(model) => model,
            #[cfg(feature = "network")]
            Self::Network(network) => return network.path_gain(scene, &ends),
        };
        let map = match model.method {
            ModelChoice::DominantPath => WithCars(DominantPath::of_maps()).path_gain(scene, &ends),
            ModelChoice::Rays => RayTracing { options: model.ray_options(transmitter.frequency_mhz) }.path_gain(scene, &ends),
            ModelChoice::LogDistance => {
                let line_of_sight = LogDistanceLaw::LINE_OF_SIGHT;
                LogDistance { in_sight: line_of_sight, out_of_sight: line_of_sight }.path_gain(scene, &ends)
            }
        };
        map.context("computing the map")
    }
}
