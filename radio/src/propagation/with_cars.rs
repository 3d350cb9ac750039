//! The loss by cars, added to another model's map.
//!
//! RadioMapSeer's maps with cars lie halfway, in dB, between its maps without cars and maps on which cars are walls
//! (docs/measurements/irt.md). A path out of sight that turns round a car loses half of what the turn would cost at a building. In sight,
//! half of what the laws in and out of sight differ by comes on top. Paths also go over cars, with one turn by a small angle before the
//! first of them and one behind each; out of sight, where it is not known how many a path meets, with two. The paths are dominant paths,
//! whatever the other model is: WinProp's IRT loses the same by cars.

use super::dominant_path::DominantPath;
use super::law::DominantPathLaw;
use super::model::{PropagationError, PropagationModel};
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::LinkEnds;
use geo::{Coord, Distance, Euclidean};

/// The share of what walls in the place of the cars would cost.
const SHARE: f64 = 0.5;

/// A model whose maps the scene's cars weaken, as [`weakened_by_cars`] does. Without cars the map is the inner model's. So it is for an
/// antenna on a roof: its rays come down over cars.
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

/// A map that a model without cars drew of a transmitter at `position`, weakened by the scene's cars as if all antennas were at 1.5 m
/// and below all roofs.
///
/// # Errors
/// A position off the map or inside a building.
pub fn weakened_by_cars(mut map: RadioMap, prepared: &PreparedScene, position: Coord<f64>) -> Result<RadioMap, PropagationError> {
    if !prepared.cars().is_empty() {
        let losses_db = losses_db(prepared, position)?;
        map.values.iter_mut().zip(losses_db).for_each(|(gain_db, loss_db)| *gain_db -= loss_db as f32);
    }
    Ok(map)
}

/// What the cars cost at each pixel, dB, row-major.
fn losses_db(prepared: &PreparedScene, position: Coord<f64>) -> Result<Vec<f64>, PropagationError> {
    let (model, ends, grid) = (DominantPath::level(), LinkEnds::at(position), prepared.grid());
    let without = model.path_gain(prepared, &ends)?;
    let walled = prepared.with_cars_as_walls();
    // A transmitter inside a car has no path round it.
    let inside = prepared.cars().contain(position) || walled.outdoor_pixel(position).is_err();
    let round = (!inside).then(|| model.path_gain(walled, &ends)).transpose()?;
    let (sight, cars) = (prepared.in_plane_sight(position), prepared.cars().seen_from(position));
    let loss_db = |pixel: usize| {
        let (receiver, direct_db) = (grid.pixel_center(pixel / grid.size, pixel % grid.size), -f64::from(without.values[pixel]));
        let length_m = sight.contains(pixel).then(|| Euclidean.distance(position, receiver));
        let crossed = if length_m.is_some() { cars.crossed(receiver) } else { 1 };
        if crossed == 0 || direct_db.is_nan() {
            return 0.0;
        }
        let on_car = walled.mask().pixels[pixel] != 0;
        let over_db = over_cars_db(&model.law, direct_db, length_m, if on_car { 1 } else { crossed + 1 });
        let round_db = round.as_ref().map_or(f64::INFINITY, |round| -f64::from(round.values[pixel]));
        // In sight, a car that the way round does not notice is one without a pixel's centre, which has no walls.
        let only_over = on_car || (length_m.is_some() && round_db <= direct_db);
        let with_cars_db = if only_over { over_db } else { round_db.min(over_db) };
        SHARE * (with_cars_db - direct_db).max(0.0)
    };
    Ok((0..grid.pixels()).map(loss_db).collect())
}

/// Loss in dB of a path with this number of turns by small angles more: of a straight one of `length_m` in sight, else of one that has
/// lost `direct_db` without them.
fn over_cars_db(law: &DominantPathLaw, direct_db: f64, length_m: Option<f64>, turns: usize) -> f64 {
    let turns_db = turns as f64 * law.turn_offset_db;
    length_m.map_or(direct_db + turns_db, |length_m| law.loss_db(length_m, turns_db))
}
