//! A layer in the tiles of web maps (XYZ, EPSG:3857): zoom level z has 2^z x 2^z tiles of 256 x 256 pixels, y from the north.

use super::look::Look;
use super::projection::mercator_latitude;
use crate::raster::GeoRaster;
use geo::Coord;
use radiodiff_radio::scene::GeoBounds;
use std::f64::consts::PI;

/// Pixels along a tile's side.
pub const TILE_PIXELS: usize = 256;
/// Beyond this zoom level a tile would be smaller than a metre.
const MAX_ZOOM: u32 = 24;

/// A tile's place in the pyramid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TileAddress {
    zoom: u32,
    x: u32,
    y: u32,
}

impl TileAddress {
    /// `None` where the pyramid has no such tile; levels go to 24.
    pub fn new(zoom: u32, x: u32, y: u32) -> Option<Self> {
        (zoom <= MAX_ZOOM && x < 1 << zoom && y < 1 << zoom).then_some(Self { zoom, x, y })
    }

    /// Longitude and latitude of a point of the tile, in pixels from its north-western corner.
    pub fn degrees(&self, column: f64, row: f64) -> Coord<f64> {
        let tiles = f64::from(1_u32 << self.zoom);
        let share = |tile: u32, pixel: f64| (f64::from(tile) + pixel / TILE_PIXELS as f64) / tiles;
        Coord { x: share(self.x, column) * 360.0 - 180.0, y: mercator_latitude(PI * (1.0 - 2.0 * share(self.y, row))) }
    }

    pub fn bounds(&self) -> GeoBounds {
        let side = TILE_PIXELS as f64;
        let (north_west, south_east) = (self.degrees(0.0, 0.0), self.degrees(side, side));
        GeoBounds { west: north_west.x, south: south_east.y, east: south_east.x, north: north_west.y }
    }
}

/// A tile's pixels as red, green, blue, alpha: (256, 256, 4) row-major. Each has the colour of the value at its centre, transparent off
/// the map. `None` where the tile lies off the map altogether.
pub fn tile_rgba(raster: &GeoRaster, look: &Look, tile: TileAddress) -> Option<Vec<u8>> {
    let (here, map) = (tile.bounds(), raster.bounds);
    if here.west >= map.east || here.east <= map.west || here.south >= map.north || here.north <= map.south {
        return None;
    }
    let color = |pixel: usize| {
        let center = tile.degrees((pixel % TILE_PIXELS) as f64 + 0.5, (pixel / TILE_PIXELS) as f64 + 0.5);
        raster.at(center).map_or([0; 4], |value| look.rgba(raster.quantity, value))
    };
    Some((0..TILE_PIXELS * TILE_PIXELS).flat_map(color).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_pyramid() {
        assert!(TileAddress::new(0, 0, 0).is_some() && TileAddress::new(24, (1 << 24) - 1, 0).is_some());
        for (zoom, x, y) in [(0, 1, 0), (3, 0, 8), (25, 0, 0), (u32::MAX, 0, 0)] {
            assert_eq!(TileAddress::new(zoom, x, y), None);
        }
        // By the pyramid's definition (floor of 2^16 times the share of the globe) this tile holds Munich's Marienplatz.
        let bounds = TileAddress::new(16, 34_875, 22_743).expect("it exists").bounds();
        assert!((bounds.west..bounds.east).contains(&11.5755) && (bounds.south..bounds.north).contains(&48.1374), "{bounds:?}");
        let world = TileAddress::new(0, 0, 0).expect("it exists").bounds();
        assert!((world.north - 85.051_128_78).abs() < 1e-6 && (world.west, world.east) == (-180.0, 180.0));
    }
}
