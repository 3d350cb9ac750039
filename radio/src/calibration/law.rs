//! The law of a cell's received power, its constants and what is known of them before any measurement.
//!
//! power = offset - 10 exponent log10(d / 100 m) - sector(azimuth) - sector(elevation)
//!         - over-roof share x knife edges - diffraction share x dominant path's excess - building loss x length below roofs
//!         + open ground x ln(distance to a wall) - indoor loss, dBm,
//!
//! with d the length of the straight way through the air. Every constant has a Gaussian prior. The prior is wide where cells differ
//! (offset, azimuth, beamwidths) and narrow where physics or other measurements know the answer; docs/calibration.md lists them, and
//! docs/measurements/calibration.md says how they were found.
//!
//! Knife edges count with a share, not in full: between real buildings energy also comes from reflections, trees and side streets, so
//! shadows are lighter than P.526 alone makes them.

use super::link::Link;
use crate::arithmetic;
use crate::propagation::knife_edge::{PlanePoint, VerticalPlane};
use crate::propagation::wavelength_m;
use crate::scene::{ANTENNA_HEIGHT_M, LEAST_ANTENNA_HEIGHT_M, MOST_ANTENNA_HEIGHT_M};

/// The law's offset is the power at this distance, metres.
const REFERENCE_M: f64 = 100.0;
/// Longer ways below roofs count as this one, metres.
const MOST_BUILT_M: f64 = 150.0;

/// Names the law's constants; the discriminant is the constant's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstantName {
    Offset,
    Exponent,
    Azimuth,
    Beamwidth,
    FrontToBack,
    Downtilt,
    VerticalBeamwidth,
    SideLobes,
    AntennaHeight,
    RoofHeight,
    OverRoof,
    Diffraction,
    Building,
    OpenGround,
    Indoor,
}

/// How many constants the law has.
pub const CONSTANTS: usize = 15;

/// Values of the constants, by [`ConstantName`].
pub type Constants = [f64; CONSTANTS];

/// A constant's meaning, prior and range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    pub name: ConstantName,
    pub label: &'static str,
    pub unit: &'static str,
    pub mean: f64,
    pub deviation: f64,
    /// Fits stay in this range.
    pub least: f64,
    pub most: f64,
}

impl Prior {
    const fn new(
        name: ConstantName,
        label: &'static str,
        unit: &'static str,
        [mean, deviation]: [f64; 2],
        [least, most]: [f64; 2],
    ) -> Self {
        Self { name, label, unit, mean, deviation, least, most }
    }
}

/// The priors of a cell of which only the place, the frequency and roughly the azimuth and the height are known. The azimuth's mean
/// and the height's are the cell's own.
pub const PRIORS: [Prior; CONSTANTS] = [
    Prior::new(ConstantName::Offset, "power at 100 m", "dBm", [-80.0, 15.0], [-200.0, 60.0]),
    Prior::new(ConstantName::Exponent, "path-loss exponent", "", [2.6, 0.6], [1.0, 6.0]),
    Prior::new(ConstantName::Azimuth, "azimuth", "deg", [0.0, 8.0], [-720.0, 720.0]),
    Prior::new(ConstantName::Beamwidth, "horizontal beamwidth", "deg", [75.0, 22.0], [30.0, 250.0]),
    Prior::new(ConstantName::FrontToBack, "front-to-back ratio", "dB", [28.0, 6.0], [5.0, 45.0]),
    Prior::new(ConstantName::Downtilt, "downtilt", "deg", [8.0, 5.0], [-10.0, 30.0]),
    Prior::new(ConstantName::VerticalBeamwidth, "vertical beamwidth", "deg", [20.0, 7.0], [5.0, 90.0]),
    Prior::new(ConstantName::SideLobes, "vertical side-lobe level", "dB", [14.0, 5.0], [3.0, 30.0]),
    Prior::new(ConstantName::AntennaHeight, "antenna height", "m", [20.0, 4.0], [LEAST_ANTENNA_HEIGHT_M, MOST_ANTENNA_HEIGHT_M]),
    Prior::new(ConstantName::RoofHeight, "roofs without a stated height", "m", [16.0, 4.0], [3.0, 100.0]),
    Prior::new(ConstantName::OverRoof, "over-roof loss, share of P.526", "", [0.12, 0.08], [0.0, 1.5]),
    Prior::new(ConstantName::Diffraction, "diffraction loss, share of the dominant path", "", [0.05, 0.07], [0.0, 1.5]),
    Prior::new(ConstantName::Building, "loss by buildings on the way", "dB / 50 m", [2.5, 1.5], [-5.0, 20.0]),
    Prior::new(ConstantName::OpenGround, "gain by open ground", "dB / e-fold", [1.0, 1.0], [-5.0, 8.0]),
    Prior::new(ConstantName::Indoor, "loss indoors", "dB", [2.0, 2.0], [-5.0, 30.0]),
];

/// The law of a cell at one carrier frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellLaw {
    pub frequency_mhz: f64,
}

impl CellLaw {
    /// Received power at a link's far end, dBm.
    pub fn power_dbm(&self, constants: &Constants, link: &Link) -> f64 {
        self.with_over_roof(constants, link, self.over_roof_db(constants, link))
    }

    /// Knife-edge loss over the roofs on the straight way, dB: P.526 at the constants' heights, in full.
    fn over_roof_db(&self, constants: &Constants, link: &Link) -> f64 {
        if link.edges.is_empty() {
            return 0.0;
        }
        let default_m = constants[ConstantName::RoofHeight as usize];
        let edges: Vec<PlanePoint> = link
            .edges
            .iter()
            .map(|edge| PlanePoint { distance_m: edge.distance_m, height_m: edge.stated_m.unwrap_or(default_m) })
            .collect();
        let plane = VerticalPlane {
            from: PlanePoint { distance_m: 0.0, height_m: constants[ConstantName::AntennaHeight as usize] },
            to: PlanePoint { distance_m: link.distance_m.max(1.0), height_m: ANTENNA_HEIGHT_M },
            wavelength_m: wavelength_m(self.frequency_mhz),
        };
        plane.loss_db(&edges)
    }

    fn with_over_roof(&self, constants: &Constants, link: &Link, over_roof_db: f64) -> f64 {
        let value = |name: ConstantName| constants[name as usize];
        let rise_m = value(ConstantName::AntennaHeight) - ANTENNA_HEIGHT_M;
        let length_m = arithmetic::length(link.distance_m, rise_m).max(1.0);
        let depression_deg = libm::atan2(rise_m, link.distance_m).to_degrees();
        let vertical_db =
            lobe_db(depression_deg - value(ConstantName::Downtilt), value(ConstantName::VerticalBeamwidth), value(ConstantName::SideLobes));
        let turn_deg = shortest_turn_deg(link.bearing_deg - value(ConstantName::Azimuth));
        let horizontal_db = lobe_db(turn_deg, value(ConstantName::Beamwidth), value(ConstantName::FrontToBack));
        value(ConstantName::Offset)
            - 10.0 * value(ConstantName::Exponent) * libm::log10(length_m / REFERENCE_M)
            - horizontal_db
            - vertical_db
            - value(ConstantName::OverRoof) * over_roof_db
            - value(ConstantName::Diffraction) * link.excess_db
            - value(ConstantName::Building) * link.built_m.min(MOST_BUILT_M) / 50.0
            + value(ConstantName::OpenGround) * open_ground(link)
            - value(ConstantName::Indoor) * f64::from(u8::from(link.indoors))
    }

    /// Power and its derivatives by the constants, each over its prior's deviation: dB per deviation.
    pub fn linearised(&self, constants: &Constants, priors: &[Prior; CONSTANTS], link: &Link) -> (f64, Constants) {
        /// Differences are taken over this part of a deviation.
        const PART: f64 = 0.02;
        /// Of heights over more: the loss over roofs jumps by some decibels where another roof becomes the main edge, and a slope across
        /// a jump that is taken over a hair says anything.
        const PART_OF_HEIGHTS: f64 = 0.5;
        let over_roof_db = self.over_roof_db(constants, link);
        let power_dbm = self.with_over_roof(constants, link, over_roof_db);
        let slopes = std::array::from_fn(|i| {
            let mut moved = *constants;
            let roofs_move = matches!(priors[i].name, ConstantName::AntennaHeight | ConstantName::RoofHeight);
            let part = if roofs_move { PART_OF_HEIGHTS } else { PART };
            moved[i] += part * priors[i].deviation;
            let moved_db = if roofs_move { self.over_roof_db(&moved, link) } else { over_roof_db };
            (self.with_over_roof(&moved, link, moved_db) - power_dbm) / part
        });
        (power_dbm, slopes)
    }
}

/// A lobe's attenuation, dB: 3GPP's parabola near the axis (TR 38.901, table 7.3-1), which bends smoothly to its largest value instead
/// of breaking there. A fit needs the slope.
fn lobe_db(angle_deg: f64, beamwidth_deg: f64, most_db: f64) -> f64 {
    let ratio = angle_deg / beamwidth_deg;
    most_db * (1.0 - libm::exp(-12.0 * ratio * ratio / most_db))
}

pub(super) fn shortest_turn_deg(angle_deg: f64) -> f64 {
    angle_deg - 360.0 * arithmetic::round(angle_deg / 360.0)
}

/// The logarithm of the distance to a wall, 0 at 10 m.
fn open_ground(link: &Link) -> f64 {
    libm::log((link.clearance_m + 2.0) / 12.0)
}
