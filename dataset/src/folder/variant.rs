//! RadioMapSeer's six simulations, each a folder below `gain`.

use std::str::FromStr;
use thiserror::Error;

/// What simulated the maps, and whether cars stood in the streets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Variant {
    /// Dominant path
    Dpm,
    /// Ray tracing with two interactions
    Irt2,
    /// Ray tracing with four interactions
    Irt4,
    /// Dominant path, with cars
    #[value(alias = "carsdpm")]
    CarsDpm,
    /// Ray tracing with two interactions, with cars
    #[value(alias = "carsirt2")]
    CarsIrt2,
    /// Ray tracing with four interactions, with cars
    #[value(alias = "carsirt4")]
    CarsIrt4,
}

/// A name that is none of the six.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("there is no simulation {name:?}; RadioMapSeer has {}", Variant::ALL.map(Variant::name).join(", "))]
pub struct UnknownVariant {
    pub name: String,
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

    /// Whether cars, as `png/cars/{map}.png` says, stood in the streets.
    pub fn has_cars(self) -> bool {
        self == self.with_cars()
    }

    /// The same simulation with cars in the streets.
    pub fn with_cars(self) -> Self {
        match self {
            Self::Dpm | Self::CarsDpm => Self::CarsDpm,
            Self::Irt2 | Self::CarsIrt2 => Self::CarsIrt2,
            Self::Irt4 | Self::CarsIrt4 => Self::CarsIrt4,
        }
    }

    /// Transmitters of each map in RadioMapSeer: the first of the map's 80.
    pub fn transmitters_per_map(self) -> usize {
        if matches!(self, Self::Irt4 | Self::CarsIrt4) { 2 } else { 80 }
    }
}

impl FromStr for Variant {
    type Err = UnknownVariant;

    /// By its folder's name, in upper or lower case.
    fn from_str(name: &str) -> Result<Self, UnknownVariant> {
        let named = |variant: &Self| variant.name().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownVariant { name: name.to_owned() })
    }
}
