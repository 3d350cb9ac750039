//! The figures of one map and of many.

use super::connected::connected_buildings;
use radiodiff_radio::geometry::wall_distance;
use radiodiff_radio::scene::BuildingMask;
use serde::Serialize;

/// The 10th, 50th and 90th percentile of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
}

impl Quantiles {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values.get((share * values.len() as f64) as usize).copied().unwrap_or(f64::NAN);
        Self { p10: at(0.1), p50: at(0.5), p90: at(0.9) }
    }
}

/// The maps of one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    pub source: String,
    pub maps: usize,
    pub built_share: Quantiles,
    pub buildings_per_map: Quantiles,
    pub building_area_m2: Quantiles,
    pub street_width_m: Quantiles,
}

/// The figures of one map.
pub struct Measured {
    built_share: f64,
    areas_m2: Vec<f64>,
    buildings: usize,
    streets_m: Vec<f64>,
}

/// Measures one map, whose pixels are so many metres wide.
pub fn measure(mask: &BuildingMask, meters_per_pixel: f64) -> Measured {
    let buildings = connected_buildings(mask);
    let built: usize = buildings.iter().map(|(pixels, _)| pixels).sum();
    Measured {
        built_share: built as f64 / mask.pixels.len() as f64,
        buildings: buildings.len(),
        areas_m2: buildings.iter().filter(|(_, at_edge)| !at_edge).map(|&(pixels, _)| pixels as f64 * meters_per_pixel.powi(2)).collect(),
        streets_m: street_widths(mask).into_iter().map(|pixels| pixels * meters_per_pixel).collect(),
    }
}

/// In pixels.
fn street_widths(mask: &BuildingMask) -> Vec<f64> {
    let (size, distance) = (mask.size, wall_distance(mask));
    let mut widths = Vec::new();
    for row in 1..size.saturating_sub(1) {
        for column in 1..size - 1 {
            let here = distance[row * size + column];
            let to_edge = [row, column, size - 1 - row, size - 1 - column].into_iter().min().unwrap_or(0) as f64;
            let ridge = || (row - 1..=row + 1).all(|r| (column - 1..=column + 1).all(|c| distance[r * size + c] <= here));
            if here > 0.0 && here <= to_edge && ridge() {
                // The wall begins half a pixel before its pixel's centre.
                widths.push(2.0 * here - 1.0);
            }
        }
    }
    widths
}

/// The distributions over the maps of a source.
pub fn summary(source: &str, maps: &[&Measured]) -> Statistics {
    let each = |value: fn(&Measured) -> f64| Quantiles::of(maps.iter().map(|m| value(m)).collect());
    let pooled = |values: fn(&Measured) -> &Vec<f64>| Quantiles::of(maps.iter().flat_map(|m| values(m).iter().copied()).collect());
    Statistics {
        source: source.into(),
        maps: maps.len(),
        built_share: each(|m| m.built_share),
        buildings_per_map: each(|m| m.buildings as f64),
        building_area_m2: pooled(|m| &m.areas_m2),
        street_width_m: pooled(|m| &m.streets_m),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_street_between_two_walls_has_its_width() {
        let inside = |i: usize| u8::from(!(20..34).contains(&(i / 64)));
        let widths = street_widths(&BuildingMask { size: 64, pixels: (0..64 * 64).map(inside).collect() });
        assert!(!widths.is_empty() && widths.iter().all(|&w| (13.0..=14.0).contains(&w)), "{widths:?}");
    }

    #[test]
    fn quantiles_of_a_uniform_list() {
        let found = Quantiles::of((0..100).rev().map(f64::from).collect());
        assert_eq!(found, Quantiles { p10: 10.0, p50: 50.0, p90: 90.0 });
        assert!(Quantiles::of(Vec::new()).p50.is_nan());
    }
}
