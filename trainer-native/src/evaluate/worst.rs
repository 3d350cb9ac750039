//! The maps a network draws worst, as a picture: truth, drawn map and error side by side; or truth, physical map, and the mean, the
//! deviation and the error of several samples, so that one sees whether the deviation is large where the error is.

use super::scores::Scores;
use crate::chart::{INK, Rgb, TextSide, number, picture};
use anyhow::Result;
use plotters::style::RGBColor;
use plotters::style::colors::colormaps::ViridisRGB;
use radiodiff_radio::metrics::{EnsembleScores, INTERVAL};

/// How many are kept.
const KEPT: usize = 8;
/// Signed errors of this and more have the full colour.
const FULL_ERROR_DB: f32 = 20.0;
/// Deviations and absolute errors of this and more have the full colour.
const FULL_SIZE_DB: f32 = 12.0;
const BUILDING: Rgb = Rgb(176, 176, 176);

/// A map and what was drawn of it.
pub struct WorstMap {
    pub name: String,
    pub scores: Scores,
    /// Of several samples.
    pub ensemble: Option<EnsembleScores>,
    pub side: usize,
    /// Above 0 inside buildings.
    pub inside: Vec<u8>,
    /// As many of every map.
    pub panels: Vec<Panel>,
}

/// One picture of a map, values row-major.
pub struct Panel {
    pub head: String,
    pub shade: Shade,
    pub values: Vec<f32>,
}

/// How values become colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shade {
    /// Gray levels in [0, 1].
    Level,
    /// Differences in dB: white at 0, red above and blue below.
    Error,
    /// Deviations and absolute errors in dB: white at 0 and darker above.
    Size,
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
        let panels = &self.0[0].1.panels;
        // Wide enough for the words above small maps.
        let column = (side as f64).max(230.0) + MARGIN;
        let row = side as f64 + LINE + MARGIN;
        let (width, height) = (panels.len() as f64 * column + MARGIN, 2.0 * LINE + row * self.0.len() as f64);
        let picture = picture(width as u32, height as u32, |canvas| {
            for (i, panel) in panels.iter().enumerate() {
                canvas.text(&(panel.head.clone() + &panel.shade.key()), (MARGIN + column * i as f64, LINE), 13.0, TextSide::Left, INK)?;
            }
            for (i, (_, map)) in self.0.iter().enumerate() {
                let top = 2.0 * LINE + row * i as f64;
                canvas.bold_text(&map.title(), (MARGIN, top), 14.0, TextSide::Left)?;
                for (j, panel) in map.panels.iter().enumerate() {
                    canvas.image((MARGIN + column * j as f64, top + LINE / 2.0), map.side, &panel.colors(&map.inside))?;
                }
            }
            Ok(())
        });
        picture.map(Some)
    }
}

impl WorstMap {
    fn title(&self) -> String {
        let mut text = format!("map {}: NMSE {}, RMSE outdoors {} dB", self.name, number(self.scores.nmse), number(self.scores.rmse_db));
        if let Some(EnsembleScores { crps_db, spread: Some(spread), .. }) = self.ensemble {
            let (percent, held) = (100.0 * INTERVAL, 100.0 * spread.coverage);
            text += &format!(", CRPS {} dB, {percent} % interval holds {held:.1} %", number(crps_db));
        }
        text
    }
}

impl Panel {
    fn colors(&self, inside: &[u8]) -> Vec<Rgb> {
        let pixel = |(&value, &inside): (&f32, &u8)| if inside > 0 { BUILDING } else { self.shade.color(value) };
        self.values.iter().zip(inside).map(pixel).collect()
    }
}

impl Shade {
    /// What the colours say, after a panel's head.
    fn key(self) -> String {
        match self {
            Self::Level => String::new(),
            Self::Error => format!(": red too high, blue too low by {FULL_ERROR_DB} dB"),
            Self::Size => format!(", darkest from {FULL_SIZE_DB} dB"),
        }
    }

    fn color(self, value: f32) -> Rgb {
        let pale = |full: f32| ((1.0 - (value.abs() / full).min(1.0)) * 255.0).round() as u8;
        match self {
            Self::Level => {
                let RGBColor(red, green, blue) = ViridisRGB::get_color(value.clamp(0.0, 1.0));
                Rgb(red, green, blue)
            }
            Self::Error if value > 0.0 => Rgb(255, pale(FULL_ERROR_DB), pale(FULL_ERROR_DB)),
            Self::Error => Rgb(pale(FULL_ERROR_DB), pale(FULL_ERROR_DB), 255),
            Self::Size => Rgb(pale(FULL_SIZE_DB) / 2 + 128, pale(FULL_SIZE_DB), pale(FULL_SIZE_DB)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_maps_are_kept_in_order() {
        let map = |name: usize| WorstMap {
            name: name.to_string(),
            scores: Scores::default(),
            ensemble: None,
            side: 1,
            inside: vec![0],
            panels: vec![Panel { head: String::from("truth"), shade: Shade::Level, values: vec![0.0] }],
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
