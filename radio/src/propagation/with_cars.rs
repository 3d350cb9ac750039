//! The loss by cars, added to another model's map.
//!
//! RadioMapSeer's maps with cars lie halfway, in dB, between its maps without cars and maps on which cars are walls
//! (docs/measurements/irt.md). A path out of sight that turns round a car loses half of what the turn would cost at a building. In sight,
//! half of what the laws in and out of sight differ by comes on top. Paths also go over cars, with one turn by a small angle before the
//! first of them and one behind each; out of sight, where it is not known how many a path meets, with two. The paths are dominant paths,
//! whatever the other model is: WinProp's IRT loses the same by cars.
//!
//! Those maps have both antennas at 1.5 m. A path between higher ones passes above the cars, so it keeps the part of the loss that a knife
//! edge as high as a car, [`CAR_HEIGHT_M`], takes from it. No map with cars and higher antennas is known.

use super::dominant_path::DominantPath;
use super::frequency::LAW_WAVELENGTH_M;
use super::knife_edge::knife_edge_db;
use super::law::DominantPathLaw;
use super::model::{PropagationError, PropagationModel};
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::{ANTENNA_HEIGHT_M, LinkEnds};
use geo::{Distance, Euclidean};

/// The share of what walls in the place of the cars would cost.
const SHARE: f64 = 0.5;
/// Height of a car, metres: a passenger car's, and that of the antennas which the loss was found for.
pub const CAR_HEIGHT_M: f64 = ANTENNA_HEIGHT_M;
/// Places along a path out of sight where a car may stand, evenly spaced: which of them is taken is not known.
const PLACES: usize = 8;

/// A model whose maps the scene's cars weaken, as [`weakened_by_cars`] does. Without cars the map is the inner model's. So it is for an
/// antenna on a roof: its rays come down over cars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WithCars<M>(pub M);

impl<M: PropagationModel> PropagationModel for WithCars<M> {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        if stands_on_roof(prepared, ends) {
            return self.0.path_gain(prepared, ends);
        }
        weakened_by_cars(self.0.path_gain(prepared, ends)?, prepared, ends)
    }
}

fn stands_on_roof(prepared: &PreparedScene, ends: &LinkEnds) -> bool {
    prepared.outdoor_pixel(ends.position).is_err() && prepared.antenna_pixel(ends).is_ok()
}

/// A map that a model without cars drew of these links, weakened by the scene's cars.
///
/// # Errors
/// A transmitter off the map or inside a building.
pub fn weakened_by_cars(mut map: RadioMap, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
    if !prepared.cars().is_empty() {
        let losses_db = losses_db(prepared, ends)?;
        map.values.iter_mut().zip(losses_db).for_each(|(gain_db, loss_db)| *gain_db -= loss_db as f32);
    }
    Ok(map)
}

/// What the cars cost at each pixel, dB, row-major.
fn losses_db(prepared: &PreparedScene, ends: &LinkEnds) -> Result<Vec<f64>, PropagationError> {
    let (model, position, grid) = (DominantPath::level(), ends.position, prepared.grid());
    let level = LinkEnds::at(position);
    let without = model.path_gain(prepared, &level)?;
    let walled = prepared.with_cars_as_walls();
    // A transmitter inside a car has no path round it.
    let inside = prepared.cars().contain(position) || walled.outdoor_pixel(position).is_err();
    let round = (!inside).then(|| model.path_gain(walled, &level)).transpose()?;
    let (sight, cars) = (prepared.in_plane_sight(position), prepared.cars().seen_from(position));
    let loss_db = |pixel: usize| {
        let (receiver, direct_db) = (grid.pixel_center(pixel / grid.size, pixel % grid.size), -f64::from(without.values[pixel]));
        let distance_m = Euclidean.distance(position, receiver);
        let length_m = sight.contains(pixel).then_some(distance_m);
        let (crossed, met) = match length_m {
            Some(_) => met_in_sight(ends, distance_m, cars.crossings(receiver)),
            None => (1, met_out_of_sight(ends, distance_m)),
        };
        if crossed == 0 || direct_db.is_nan() {
            return 0.0;
        }
        let on_car = walled.mask().pixels[pixel] != 0;
        let over_db = over_cars_db(&model.law, direct_db, length_m, if on_car { 1 } else { crossed + 1 });
        let round_db = round.as_ref().map_or(f64::INFINITY, |round| -f64::from(round.values[pixel]));
        // In sight, a car that the way round does not notice is one without a pixel's centre, which has no walls.
        let only_over = on_car || (length_m.is_some() && round_db <= direct_db);
        let with_cars_db = if only_over { over_db } else { round_db.min(over_db) };
        SHARE * met * (with_cars_db - direct_db).max(0.0)
    };
    Ok((0..grid.pixels()).map(loss_db).collect())
}

/// How many cars a straight path crosses, and the largest part of the loss that one of them takes.
fn met_in_sight(ends: &LinkEnds, length_m: f64, crossings: impl Iterator<Item = [f64; 2]>) -> (usize, f64) {
    crossings.fold((0, 0.0), |(count, most), crossing| {
        let lowest = crossing.map(|along| met(ends, length_m, along)).into_iter().fold(most, f64::max);
        (count + 1, lowest)
    })
}

/// The part of the loss that a car somewhere on a path takes, on average over its places. The path is longer than this distance, which
/// makes little of it.
fn met_out_of_sight(ends: &LinkEnds, distance_m: f64) -> f64 {
    (0..PLACES).map(|place| met(ends, distance_m, (place as f64 + 0.5) / PLACES as f64)).sum::<f64>() / PLACES as f64
}

/// The part of the loss that a car takes from a path which passes above it at this share of its way from the transmitter: what a knife
/// edge as high as the car would take, of what it would take at grazing incidence (ITU-R P.526, equation 31). 1 for two antennas no
/// higher than a car; else nothing at an antenna's own place, on a car's roof.
fn met(ends: &LinkEnds, length_m: f64, along: f64) -> f64 {
    if ends.height_m.max(ends.receiver_height_m) <= CAR_HEIGHT_M {
        return 1.0;
    }
    if along <= 0.0 || along >= 1.0 {
        return 0.0;
    }
    let above_m = ends.height_m + along * (ends.receiver_height_m - ends.height_m) - CAR_HEIGHT_M;
    let v = -above_m * (2.0 / (LAW_WAVELENGTH_M * length_m * along * (1.0 - along))).sqrt();
    (knife_edge_db(v) / knife_edge_db(0.0)).min(1.0)
}

/// Loss in dB of a path with this number of turns by small angles more: of a straight one of `length_m` in sight, else of one that has
/// lost `direct_db` without them.
fn over_cars_db(law: &DominantPathLaw, direct_db: f64, length_m: Option<f64>, turns: usize) -> f64 {
    let turns_db = turns as f64 * law.turn_offset_db;
    length_m.map_or(direct_db + turns_db, |length_m| law.loss_db(length_m, turns_db))
}
