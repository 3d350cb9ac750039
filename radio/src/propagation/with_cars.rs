//! The loss by cars, added to another model's map.
//!
//! Fitted to RadioMapSeer's carsDPM and carsIRT2 of map 419 (docs/measurements/irt.md): behind one car a pixel in sight is 4.3 dB
//! darker, behind n cars 4.3 + 0.5 (n - 1) dB (4.3, 4.8, 5.3, ...). The loss depends neither on the distance to the car nor on the
//! way inside it. WinProp leads the path over the cars; round them it would turn, and cost more behind broad sides than behind narrow
//! ones.

use super::model::{PropagationError, PropagationModel};
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::LinkEnds;
use geo::Coord;

/// Loss of the first car that a leg crosses, and of each further one, dB.
const FIRST_CAR_DB: f64 = 4.3;
const FURTHER_CAR_DB: f64 = 0.5;

/// Loss in dB of a leg that crosses a number of cars; 0 for none.
pub fn car_loss_db(crossed: usize) -> f64 {
    crossed.checked_sub(1).map_or(0.0, |further| FIRST_CAR_DB + FURTHER_CAR_DB * further as f64)
}

/// A model whose maps the scene's cars weaken: in line of sight by the cars that the straight line crosses. Pixels out of sight keep
/// the inner model's gain. In a scene without cars, and of an antenna on a roof, whose rays come down over cars, the map is the inner
/// model's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WithCars<M>(pub M);

impl<M: PropagationModel> PropagationModel for WithCars<M> {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        if stands_on_roof(prepared, ends) {
            return self.0.path_gain(prepared, ends);
        }
        weakened_by_cars(self.0.path_gain(prepared, ends)?, prepared, ends.position)
    }
}

fn stands_on_roof(prepared: &PreparedScene, ends: &LinkEnds) -> bool {
    prepared.outdoor_pixel(ends.position).is_err() && prepared.antenna_pixel(ends).is_ok()
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
