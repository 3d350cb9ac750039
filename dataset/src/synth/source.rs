//! Where the buildings of a map come from.

use super::cities::CityFootprints;
use super::procedural::{self, Kind};
use crate::random::Random;
use geo::Polygon;
use radiodiff_radio::scene::Grid;

/// Built share of a procedural map and of a window of a city.
const PROCEDURAL_BUILT: std::ops::RangeInclusive<f64> = 0.13..=0.42;
const OLD_TOWN_BUILT: std::ops::RangeInclusive<f64> = 0.35..=0.75;
const CITY_BUILT: std::ops::RangeInclusive<f64> = 0.10..=0.75;

/// A source of maps.
pub enum SceneSource<'a> {
    Procedural(Kind),
    City(&'a CityFootprints),
}

impl SceneSource<'_> {
    /// Footprints in metres in the grid's frame; they may overlap and reach over the map's edge.
    pub fn footprints(&self, grid: Grid, north_up: bool, random: &mut Random) -> Vec<Polygon<f64>> {
        match self {
            Self::Procedural(kind) => procedural::footprints(*kind, grid, random),
            Self::City(city) => city.window(grid, north_up, random),
        }
    }

    /// Built share of a map that is kept.
    pub fn built(&self) -> std::ops::RangeInclusive<f64> {
        match self {
            Self::Procedural(Kind::OldTown) => OLD_TOWN_BUILT,
            Self::Procedural(_) => PROCEDURAL_BUILT,
            Self::City(_) => CITY_BUILT,
        }
    }

    /// Its name in `dataset.csv`.
    pub fn label(&self) -> &str {
        match self {
            Self::Procedural(kind) => kind.name(),
            Self::City(city) => &city.name,
        }
    }

    /// Its name in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Procedural(kind) => format!("procedural maps of kind {}", kind.name()),
            Self::City(city) => format!("the city {}", city.name),
        }
    }
}
