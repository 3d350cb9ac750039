//! The dataset's six simulations, each a folder of `gain`.

use anyhow::{Error, bail};
use std::str::FromStr;

/// What simulated the maps, and whether cars stood in the streets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    Dpm,
    Irt2,
    Irt4,
    CarsDpm,
    CarsIrt2,
    CarsIrt4,
}

impl Variant {
    pub const ALL: [Self; 6] = [Self::Dpm, Self::Irt2, Self::Irt4, Self::CarsDpm, Self::CarsIrt2, Self::CarsIrt4];

    /// The folder's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpm => "DPM",
            Self::Irt2 => "IRT2",
            Self::Irt4 => "IRT4",
            Self::CarsDpm => "carsDPM",
            Self::CarsIrt2 => "carsIRT2",
            Self::CarsIrt4 => "carsIRT4",
        }
    }

    /// Whether `png/cars/{map}.png` says where cars stand.
    pub fn has_cars(self) -> bool {
        matches!(self, Self::CarsDpm | Self::CarsIrt2 | Self::CarsIrt4)
    }

    /// Transmitters a map in RadioMapSeer: the first of the map's 80.
    pub fn transmitters_per_map(self) -> usize {
        if matches!(self, Self::Irt4 | Self::CarsIrt4) { 2 } else { 80 }
    }
}

impl FromStr for Variant {
    type Err = Error;

    /// By its folder's name, upper or lower case.
    fn from_str(name: &str) -> Result<Self, Error> {
        match Self::ALL.into_iter().find(|variant| variant.name().eq_ignore_ascii_case(name)) {
            Some(variant) => Ok(variant),
            None => bail!("there is no simulation {name:?}; RadioMapSeer has {}", Self::ALL.map(Self::name).join(", ")),
        }
    }
}
