//! One map: drafts of a scene until one can be used, its transmitters, its cars and its gains.

use super::source::SceneSource;
use super::{cars, outlines, transmitters};
use crate::folder::{MapFiles, Writer};
use crate::random::Random;
use crate::simulate::{Simulator, gray_levels};
use anyhow::{Result, bail};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::propagation::weakened_by_cars;
use radiodiff_radio::scene::{BUILDING_HEIGHT_M, Building, Grid, LinkEnds, RoofHeights, Scene, buildings_from_json, buildings_to_json};

/// Drafts of a map before its source counts as unusable.
const DRAFTS: u32 = 200;

/// What every map of a dataset has in common.
#[derive(Clone, Copy, Debug)]
pub struct MapOptions {
    pub grid: Grid,
    pub seed: u64,
    /// Whether windows of cities are not turned.
    pub north_up: bool,
    /// Smallest built share, 0 to 1, beside the source's own.
    pub least_built: f64,
    pub transmitters: usize,
    pub cars: u32,
    /// The lowest and the highest building, whole metres; `None` leaves all at 25 m.
    pub roofs_m: Option<[u8; 2]>,
    /// What readers are told of the buildings' heights; `None` tells all.
    pub stated_roofs: Option<StatedRoofs>,
    /// The lowest and the highest antenna, metres; `None` leaves all at 1.5 m.
    pub antennas_m: Option<[f64; 2]>,
    /// Computes the gains, before cars weaken them.
    pub simulator: Simulator,
}

/// Heights that are told to readers, where not all are.
#[derive(Clone, Copy, Debug)]
pub struct StatedRoofs {
    /// The least and the greatest share of a map's buildings that have one.
    pub shares: [f64; 2],
    /// The share of itself by which one is off at most.
    pub error: f64,
}

impl StatedRoofs {
    /// What is told of a map's buildings.
    fn of(&self, grid: Grid, buildings: &[Building], random: &mut Random) -> RoofHeights {
        let share = random.between(self.shares[0], self.shares[1]);
        let told = buildings.iter().filter_map(|building| {
            let (is_told, error) = (random.chance(share), random.between(-self.error, self.error));
            // Readers get whole metres from an image.
            let stated_m = |height_m: f64| (height_m * (1.0 + error)).clamp(1.0, f64::from(u8::MAX));
            is_told.then(|| Building { height_m: building.height_m.map(stated_m), ..building.clone() })
        });
        RoofHeights::of_buildings(grid, &told.collect::<Vec<_>>(), BUILDING_HEIGHT_M)
    }
}

/// Drafts scenes until one has enough buildings, but not too many, and room for its transmitters; writes that.
///
/// # Errors
/// A source that gives no such scene; a disk that cannot be written.
pub fn make(map: u32, source: &SceneSource, options: &MapOptions, writer: &Writer) -> Result<()> {
    let mut random = Random::new(options.seed, u64::from(map));
    let grid = options.grid;
    for _ in 0..DRAFTS {
        // The scene is the one that a reader of the file gets.
        let outlines = buildings_to_json(&outlines::on_the_map(&source.footprints(grid, options.north_up, &mut random), grid));
        let mut buildings = buildings_from_json(&outlines)?;
        if let Some([low_m, high_m]) = options.roofs_m {
            // Readers get whole metres from the image.
            let mut height_m = || f64::from(low_m) + random.below(usize::from(high_m - low_m) + 1) as f64;
            buildings.iter_mut().for_each(|building| building.height_m = Some(height_m()));
        }
        let scene = Scene::from_polygons(grid, buildings);
        let built = scene.mask.pixels.iter().filter(|&&inside| inside != 0).count() as f64 / grid.pixels() as f64;
        if !source.built().contains(&built) || built < options.least_built {
            continue;
        }
        let Some(mut placed) = transmitters::place(&scene, options.simulator, options.transmitters, options.antennas_m, &mut random)?
        else {
            continue;
        };
        let cars = if options.cars > 0 {
            let pixels: Vec<(usize, usize)> = placed.iter().map(|transmitter| transmitter.pixel).collect();
            let placed_cars = cars::place(&scene, &pixels, options.cars, &mut random)?;
            // The cars, too, are those that a reader of the file gets.
            let prepared = PreparedScene::new(&scene.clone().with_cars(placed_cars.read_back.clone()));
            for transmitter in &mut placed {
                let ends = LinkEnds {
                    height_m: transmitter.height_m,
                    ..LinkEnds::at(grid.pixel_center(transmitter.pixel.0, transmitter.pixel.1))
                };
                transmitter.path_gain = weakened_by_cars(transmitter.path_gain.clone(), &prepared, &ends)?;
            }
            Some(placed_cars)
        } else {
            None
        };
        let cars = cars.as_ref().map(|cars| (&cars.mask, cars.outlines.as_str()));
        let transmitters: Vec<_> = placed.iter().map(|transmitter| (transmitter.pixel, gray_levels(&transmitter.path_gain))).collect();
        if options.roofs_m.is_some() {
            let stated = options.stated_roofs.map(|stated| stated.of(grid, &scene.buildings, &mut random));
            writer.write_heights(map, grid.size, stated.as_ref().unwrap_or(&scene.roofs))?;
        }
        if options.antennas_m.is_some() {
            writer.write_antenna_heights(map, &placed.iter().map(|transmitter| transmitter.height_m).collect::<Vec<_>>())?;
        }
        return writer.write_map(map, &MapFiles { mask: &scene.mask, outlines: Some(&outlines), cars, transmitters: &transmitters });
    }
    let built = source.built();
    bail!(
        "{DRAFTS} drafts from {} gave no map that is {:.0} to {:.0} % built and has room for {} transmitters",
        source.name(),
        100.0 * built.start().max(options.least_built),
        100.0 * built.end(),
        options.transmitters
    )
}
