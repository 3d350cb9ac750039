//! What JavaScript asks for, as one typed request that has been checked.
//!
//! In comes a plain object, read by serde into an [`Input`]; out goes a [`PredictRequest`], a [`SceneRequest`], a [`SitesRequest`], a
//! [`ProfileRequest`] or a [`CellRequest`] with every default filled in, or the error of one field. Nothing after this module asks again whether a field
//! is there or is a number. The module knows nothing of wasm, so its tests run natively. [`radiodiff_planning::request`] has the rule of
//! defaults and of numbers as text.

pub mod cell;
pub mod coverage;
pub mod profile;
pub mod scene;
pub mod sites;

pub use cell::CellRequest;
pub use profile::ProfileRequest;
pub use scene::SceneRequest;
pub use sites::SitesRequest;

use coverage::CoverageRequest;
use radiodiff_core::diffusion::{MAX_STEPS, MIN_TIME};
use radiodiff_planning::request::{FieldError, Fields, Input, numbered};
use radiodiff_radio::propagation::MAX_INTERACTIONS;
use radiodiff_radio::scene::{MAX_DECIBELS, Transmitter, WallMaterial};
use serde_json::Value;
use std::rc::Rc;

/// The largest whole number that JavaScript has exactly, 2^53 - 1.
const MAX_SEED: u64 = 9_007_199_254_740_991;
/// More maps take minutes, and change their mean by less than they differ.
const MAX_SAMPLES: u64 = 1000;

/// How the map is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Network,
    DominantPath,
    Rays,
}

impl Method {
    const ALL: [Self; 3] = [Self::Network, Self::DominantPath, Self::Rays];

    /// The method's name in JavaScript.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::DominantPath => "dominant-path",
            Self::Rays => "rays",
        }
    }

    /// The method of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// A map that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictRequest {
    /// At least one.
    pub transmitters: Vec<TransmitterRequest>,
    /// `None` leaves the choice to the engine.
    pub method: Option<Method>,
    /// Steps of the sampler, 1 to [`MAX_STEPS`]; `None` leaves them to the weights.
    pub steps: Option<usize>,
    /// Seed of the sampler's noise.
    pub seed: u64,
    /// The sampler's time to begin at: 1 is noise alone, below it the dominant path's map shines through.
    pub start: f32,
    /// Maps that are drawn with one seed after the other, 1 to [`MAX_SAMPLES`].
    pub samples: usize,
    pub rays: RayRequest,
    pub plan: CoverageRequest,
}

/// How rays are traced. `None` leaves a field to the ray tracer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RayRequest {
    /// The most reflections and diffractions of a path together, 0 to [`MAX_INTERACTIONS`].
    pub interactions: Option<usize>,
    /// The material of walls that the file says nothing of.
    pub walls: Option<WallMaterial>,
}

impl RayRequest {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            interactions: fields.whole("interactions", 0..=MAX_INTERACTIONS as u64)?.map(|most| most as usize),
            walls: choice(fields, "walls", WallMaterial::ALL, WallMaterial::name)?,
        })
    }

    /// The names of the fields that the request says.
    pub fn said(&self) -> impl Iterator<Item = &'static str> {
        let fields = [("interactions", self.interactions.is_some()), ("walls", self.walls.is_some())];
        fields.into_iter().filter_map(|(name, is_said)| is_said.then_some(name))
    }
}

/// A transmitter that is asked for, in degrees.
#[derive(Clone, Debug, PartialEq)]
pub struct TransmitterRequest {
    pub lng: f64,
    pub lat: f64,
    /// Above the ground.
    pub height_m: f64,
    pub power_dbm: f64,
    pub frequency_mhz: f64,
    /// In the antenna's strongest direction; the antenna's own `txg` comes before it.
    pub antenna_gain_dbi: f64,
    /// In CloudRF's words; `None` radiates equally in all directions.
    pub antenna: Option<Rc<Value>>,
    /// Fields that are not known and not used.
    pub warnings: Vec<String>,
}

impl TryFrom<Input> for PredictRequest {
    type Error = FieldError;

    fn try_from(input: Input) -> Result<Self, FieldError> {
        let mut fields = Fields::of(input, "", "request", "an object with transmitters")?;
        let transmitters = match fields.take("transmitters") {
            Input::List(items) if !items.is_empty() => items,
            found => return Err(fields.error("transmitters", "transmitter", &found, "an array of at least one transmitter")),
        };
        let transmitters = numbered("transmitters", transmitters).map(|(path, transmitter)| TransmitterRequest::read(&path, transmitter));
        let start = fields
            .number("start", "start", &format!("a number from {MIN_TIME} to 1"), |start| (MIN_TIME..=1.0).contains(&(start as f32)))?;
        Ok(Self {
            transmitters: transmitters.collect::<Result<_, _>>()?,
            method: choice(&mut fields, "method", Method::ALL, Method::name)?,
            steps: fields.whole("steps", 1..=MAX_STEPS as u64)?.map(|steps| steps as usize),
            seed: fields.whole("seed", 0..=MAX_SEED)?.unwrap_or(0),
            start: start.map_or(1.0, |start| start as f32),
            samples: fields.whole("samples", 1..=MAX_SAMPLES)?.unwrap_or(1) as usize,
            rays: RayRequest::read(&mut fields)?,
            plan: CoverageRequest::read(&mut fields)?,
        })
    }
}

/// One of several values by its name, `None` for the default.
fn choice<T: Copy, const N: usize>(
    fields: &mut Fields,
    field: &'static str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<Option<T>, FieldError> {
    let found = fields.take(field);
    let named = match &found {
        Input::Missing => return Ok(None),
        Input::Text(text) => all.into_iter().find(|&value| name(value) == text),
        _ => None,
    };
    let expected = || all.map(|value| format!("{:?}", name(value))).join(" or ");
    named.map(Some).ok_or_else(|| fields.error(field, field, &found, expected()))
}

impl TransmitterRequest {
    fn read(path: &str, input: Input) -> Result<Self, FieldError> {
        let Transmitter { height_m, power_dbm, frequency_mhz, antenna_gain_dbi, .. } = Transmitter::at(0.0, 0.0);
        let standard =
            Self { lng: 0.0, lat: 0.0, height_m, power_dbm, frequency_mhz, antenna_gain_dbi, antenna: None, warnings: Vec::new() };
        Self::read_like("transmitter", Fields::of(input, path, "transmitter", "an object with lng and lat")?, &standard)
    }

    /// Fields other than lng and lat default to those of `like`. An error of the place has the code `code`.
    fn read_like(code: &'static str, mut fields: Fields, like: &Self) -> Result<Self, FieldError> {
        let decibels = |value: f64| value.abs() <= MAX_DECIBELS;
        let lng = fields.required("lng", code, "a longitude in degrees")?;
        let lat = fields.required("lat", code, "a latitude in degrees")?;
        let expected = |unit: &str| format!("a number from {} to {MAX_DECIBELS} {unit}", -MAX_DECIBELS);
        let power_dbm = fields.number("powerDbm", "power", &expected("dBm"), decibels)?;
        let height_m = coverage::height(&mut fields)?;
        let antenna_gain_dbi = fields.number("antennaGainDbi", "antenna", &expected("dBi"), decibels)?;
        let frequency_mhz = fields.number("frequencyMHz", "frequency", "a frequency in MHz", |_| true)?;
        let antenna = match fields.take("antenna") {
            Input::Missing => like.antenna_of_gain(antenna_gain_dbi),
            found @ Input::Object(_) => Some(Rc::new(found.into())),
            found => return Err(fields.error("antenna", "antenna", &found, "an object with fields like txg, azi and hbw")),
        };
        Ok(Self {
            lng,
            lat,
            height_m: height_m.unwrap_or(like.height_m),
            power_dbm: power_dbm.unwrap_or(like.power_dbm),
            frequency_mhz: frequency_mhz.unwrap_or(like.frequency_mhz),
            antenna_gain_dbi: antenna_gain_dbi.unwrap_or(like.antenna_gain_dbi),
            antenna,
            warnings: fields.unknown().map(|field| format!("{field} is not known and not used.")).chain(like.warnings.clone()).collect(),
        })
    }

    /// The antenna for another transmitter; a gain that is given there comes before the antenna's own.
    fn antenna_of_gain(&self, gain_dbi: Option<f64>) -> Option<Rc<Value>> {
        let mut antenna = self.antenna.clone();
        if let Some(fields) = antenna.as_mut().filter(|_| gain_dbi.is_some()).and_then(|antenna| Rc::make_mut(antenna).as_object_mut()) {
            fields.remove("txg");
        }
        antenna
    }
}

#[cfg(test)]
mod tests;
