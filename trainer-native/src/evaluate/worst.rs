//! The maps a network draws worst, as a picture: truth, drawn map and error side by side.

use super::scores::Scores;
use crate::chart::{INK, Rgb, TextSide, number, picture};
use anyhow::Result;
use radiodiff_radio::map::GrayCodec;

/// How many are kept.
const KEPT: usize = 8;
/// Errors of this and more have the full colour.
const FULL_ERROR_DB: f32 = 20.0;
const BUILDING: Rgb = Rgb(176, 176, 176);

/// A map and what was drawn of it; gray levels in [0, 1], row-major.
pub struct WorstMap {
    pub name: String,
    pub scores: Scores,
    pub side: usize,
    /// Above 0 inside buildings.
    pub inside: Vec<u8>,
    pub truth: Vec<f32>,
    pub drawn: Vec<f32>,
}

/// The maps of the largest errors that were offered, the worst first.
#[derive(Default)]
pub struct WorstMaps(Vec<(f64, WorstMap)>);

impl WorstMaps {
    /// Keeps the map if its error is among the largest.
    pub fn offer(&mut self, error: f64, map: impl FnOnce() -> WorstMap) {
        let place = self.0.partition_point(|(kept, _)| *kept >= error);
        if place < KEPT {
            self.0.insert(place, (error, map()));
            self.0.truncate(KEPT);
        }
    }

    /// The picture as a PNG; `None` where no map was offered.
    pub fn picture(&self) -> Result<Option<Vec<u8>>> {
        const MARGIN: f64 = 20.0;
        const LINE: f64 = 30.0;
        let Some(side) = self.0.iter().map(|(_, map)| map.side).max() else { return Ok(None) };
        // Wide enough for the words above small maps.
        let column = (side as f64).max(230.0) + MARGIN;
        let row = side as f64 + LINE + MARGIN;
        let (width, height) = (3.0 * column + MARGIN, 2.0 * LINE + row * self.0.len() as f64);
        let picture = picture(width as u32, height as u32, |canvas| {
            let heads = [String::from("truth"), String::from("drawn"), format!("error: red too high, blue too low by {FULL_ERROR_DB} dB")];
            for (i, head) in heads.iter().enumerate() {
                canvas.text(head, (MARGIN + column * i as f64, LINE), 13.0, TextSide::Left, INK)?;
            }
            for (i, (_, map)) in self.0.iter().enumerate() {
                let top = 2.0 * LINE + row * i as f64;
                let text = format!("map {}: NMSE {}, RMSE outdoors {} dB", map.name, number(map.scores.nmse), number(map.scores.rmse_db));
                canvas.bold_text(&text, (MARGIN, top), 14.0, TextSide::Left)?;
                for (j, pixels) in map.pictures().iter().enumerate() {
                    canvas.image((MARGIN + column * j as f64, top + LINE / 2.0), map.side, pixels)?;
                }
            }
            Ok(())
        });
        picture.map(Some)
    }
}

impl WorstMap {
    /// Truth, drawn map and error.
    fn pictures(&self) -> [Vec<Rgb>; 3] {
        let outdoors = |color: &dyn Fn(usize) -> Rgb| {
            let pixel = |i: usize| if self.inside[i] > 0 { BUILDING } else { color(i) };
            (0..self.inside.len()).map(pixel).collect::<Vec<_>>()
        };
        let gray = |level: f32| Rgb::gray((level.clamp(0.0, 1.0) * 255.0).round() as u8);
        let range_db = GrayCodec::default().range_db();
        [
            outdoors(&|i| gray(self.truth[i])),
            outdoors(&|i| gray(self.drawn[i])),
            outdoors(&|i| error_color((self.drawn[i] - self.truth[i]) * range_db)),
        ]
    }
}

/// White at 0, red above and blue below.
fn error_color(error_db: f32) -> Rgb {
    let pale = ((1.0 - (error_db.abs() / FULL_ERROR_DB).min(1.0)) * 255.0).round() as u8;
    if error_db > 0.0 { Rgb(255, pale, pale) } else { Rgb(pale, pale, 255) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_maps_are_kept_in_order() {
        let map = |name: usize| WorstMap {
            name: name.to_string(),
            scores: Scores::default(),
            side: 1,
            inside: vec![0],
            truth: vec![0.0],
            drawn: vec![0.0],
        };
        let mut worst = WorstMaps::default();
        assert!(worst.picture().expect("nothing to draw").is_none());
        for i in (0..20).chain(20..40).map(|i| i * 7 % 40) {
            worst.offer(i as f64, || map(i));
        }
        let names: Vec<String> = worst.0.iter().map(|(_, map)| map.name.clone()).collect();
        assert_eq!(names, ["39", "38", "37", "36", "35", "34", "33", "32"]);
        assert!(worst.picture().expect("a picture").is_some());
    }
}
