//! The loss by cars, added to another model's map.
//!
//! Antennas stand at 1.5 m and a car's roof is about as high, so a roof in the way is a knife edge at grazing incidence: it halves
//! the field, 6 dB, at any distance and frequency (ITU-R P.526-15, equation 31: J(0) = 6.03 dB). Of n edges of one height, evenly
//! spaced, the field keeps 1/(n + 1) (Lee, 1978, "Path integrals for solving some electromagnetic edge diffraction problems"), so a
//! leg that crosses n cars loses 20 log10(n + 1) dB: 6.0, 9.5, 12.0, ...
//!
//! This is an **assumption**: it was not fitted to RadioMapSeer's `cars*` variants. One car lies between the means that
//! 3GPP TR 37.885 (section 6.2.1) adds for a vehicle in the way: 5 dB where one antenna is above its roof, 9 dB where none is.

use super::model::{PropagationError, PropagationModel};
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::LinkEnds;
use geo::Coord;

/// Loss in dB of a leg that crosses a number of cars; 0 for none.
pub fn car_loss_db(crossed: usize) -> f64 {
    20.0 * libm::log10(crossed as f64 + 1.0)
}

/// A model whose maps the scene's cars weaken: in line of sight by the cars that the straight line crosses. Pixels out of sight keep
/// the inner model's gain. In a scene without cars the map is the inner model's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WithCars<M>(pub M);

impl<M: PropagationModel> PropagationModel for WithCars<M> {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        weakened_by_cars(self.0.path_gain(prepared, ends)?, prepared, ends.position)
    }
}

/// A map that a model without cars drew of a transmitter at `position`, weakened by the scene's cars as [`WithCars`] does.
///
/// # Errors
/// A position off the map or inside a building.
pub fn weakened_by_cars(mut map: RadioMap, prepared: &PreparedScene, position: Coord<f64>) -> Result<RadioMap, PropagationError> {
    let (cars, grid) = (prepared.cars().seen_from(position), prepared.grid());
    for (i, &seen) in prepared.line_of_sight(position)?.iter().enumerate() {
        if seen != 0 {
            map.values[i] -= car_loss_db(cars.crossed(grid.pixel_center(i / grid.size, i % grid.size))) as f32;
        }
    }
    Ok(map)
}
