//! The simulations, each a folder below `gain`: RadioMapSeer's six, and ray tracing from first principles by its interactions.

use std::str::FromStr;
use thiserror::Error;

/// What simulated the maps, and whether cars stood in the streets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Variant {
    /// Dominant path
    Dpm,
    /// Intelligent ray tracing, IRT2
    Irt2,
    /// Intelligent ray tracing, IRT4
    Irt4,
    /// Dominant path, with cars
    #[value(alias = "carsdpm")]
    CarsDpm,
    /// IRT2, with cars
    #[value(alias = "carsirt2")]
    CarsIrt2,
    /// IRT4, with cars
    #[value(alias = "carsirt4")]
    CarsIrt4,
    /// Ray tracing from first principles with one interaction
    Rays1,
    /// The same with two interactions
    Rays2,
    /// The same with three interactions
    Rays3,
    /// The same with four interactions
    Rays4,
}

/// A name that is none of [`Variant::ALL`].
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("there is no simulation {name:?}; there are {}", Variant::ALL.map(Variant::name).join(", "))]
pub struct UnknownVariant {
    pub name: String,
}

impl Variant {
    pub const ALL: [Self; 10] = [
        Self::Dpm,
        Self::Irt2,
        Self::Irt4,
        Self::CarsDpm,
        Self::CarsIrt2,
        Self::CarsIrt4,
        Self::Rays1,
        Self::Rays2,
        Self::Rays3,
        Self::Rays4,
    ];

    /// The folder's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpm => "DPM",
            Self::Irt2 => "IRT2",
            Self::Irt4 => "IRT4",
            Self::CarsDpm => "carsDPM",
            Self::CarsIrt2 => "carsIRT2",
            Self::CarsIrt4 => "carsIRT4",
            Self::Rays1 => "rays1",
            Self::Rays2 => "rays2",
            Self::Rays3 => "rays3",
            Self::Rays4 => "rays4",
        }
    }

    /// Whether cars, as `png/cars/{map}.png` says, stood in the streets.
    pub fn has_cars(self) -> bool {
        Some(self) == self.with_cars()
    }

    /// The same simulation with cars in the streets; `None` for one that does not know cars.
    pub fn with_cars(self) -> Option<Self> {
        match self {
            Self::Dpm | Self::CarsDpm => Some(Self::CarsDpm),
            Self::Irt2 | Self::CarsIrt2 => Some(Self::CarsIrt2),
            Self::Irt4 | Self::CarsIrt4 => Some(Self::CarsIrt4),
            Self::Rays1 | Self::Rays2 | Self::Rays3 | Self::Rays4 => None,
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
