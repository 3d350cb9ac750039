//! A sample as networks are given it.

use crate::folder::Sample;
use anyhow::{Context, Result, ensure};
use half::f16;
use radiodiff_radio::features::{ConditionChannel, TurnError, TurnedPlane, condition, turned_planes};
use radiodiff_radio::geometry::{PreparedScene, Symmetry};
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::scene::Grid;

/// What a network asks of its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleFormat {
    /// Pixels a side, N.
    pub size: usize,
    /// The smallest and the largest side of a pixel, metres.
    pub pixels_m: [f64; 2],
    /// The condition's channels; none where only the maps are wanted.
    pub channels: Vec<ConditionChannel>,
    /// The scale of channels that are gray levels of a gain.
    pub gray: GrayCodec,
}

/// A sample's condition and map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreparedSample {
    /// (C, N, N) in [-1, 1].
    pub condition: Vec<f16>,
    /// (N, N) gray levels of path gain on the files' scale, 0 inside buildings and where the map is not known.
    pub truth: Vec<u8>,
    /// (N, N), 1 outdoors, 0 inside buildings and where the map is not known.
    pub outdoors: Vec<u8>,
}

impl PreparedSample {
    /// Computes the condition of a sample that was read from a folder.
    ///
    /// # Errors
    /// A map of another size than the format's.
    pub fn compute(sample: &Sample, format: &SampleFormat) -> Result<Self> {
        format.check(sample.scene.grid)?;
        let channels = if format.channels.is_empty() {
            Vec::new()
        } else {
            condition(&PreparedScene::new(&sample.scene), &sample.ends(), &format.channels, &format.gray)?
        };
        Ok(Self {
            condition: channels.into_iter().map(f16::from_f32).collect(),
            truth: match &sample.known {
                None => sample.truth.clone(),
                Some(known) => sample.truth.iter().zip(known).map(|(&level, &known)| if known != 0 { level } else { 0 }).collect(),
            },
            outdoors: sample.known_outdoors(),
        })
    }

    /// Memory it takes.
    pub fn bytes(&self) -> usize {
        size_of_val(self.condition.as_slice()) + self.truth.len() + self.outdoors.len()
    }
}

impl SampleFormat {
    /// # Errors
    /// Maps on another grid.
    pub fn check(&self, grid: Grid) -> Result<()> {
        let [least_m, most_m] = self.pixels_m;
        let pixels = if least_m == most_m { format!("{least_m} m") } else { format!("{least_m} to {most_m} m") };
        ensure!(
            grid.size == self.size && (least_m..=most_m).contains(&grid.meters_per_pixel),
            "it has {} pixels of {} m a side; the network wants {} of {pixels}",
            grid.size,
            grid.meters_per_pixel,
            self.size
        );
        Ok(())
    }

    pub fn pixels(&self) -> usize {
        self.size * self.size
    }

    /// For each symmetry, by its number, the planes that a turned condition is made of.
    ///
    /// # Errors
    /// A component of a vector without the other one.
    pub fn turned_planes(&self) -> Result<Vec<Vec<TurnedPlane>>> {
        let planes = Symmetry::all().map(|symmetry| turned_planes(symmetry, &self.channels));
        planes.collect::<Result<_, TurnError>>().context("the preset's channels cannot be turned")
    }
}
