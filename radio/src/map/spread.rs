//! The spread of several maps of one place, the samples of a network.

use super::RadioMap;

impl RadioMap {
    /// Moves maps of one grid away from their mean by a factor, pixel by pixel: deviations of 2 dB are 6 dB after a factor of 3. With
    /// less than 1 they come nearer. NaN stays.
    ///
    /// # Panics
    /// When the maps have not the same number of pixels.
    pub fn widen(maps: &mut [Self], factor: f32) {
        let Some(pixels) = maps.first().map(|map| map.values.len()) else { return };
        assert!(maps.iter().all(|map| map.values.len() == pixels), "maps of one grid");
        if factor == 1.0 {
            return;
        }
        for pixel in 0..pixels {
            // Relative to the first, so that maps that agree stay as they are.
            let first = maps[0].values[pixel];
            let mean = first + maps.iter().map(|map| map.values[pixel] - first).sum::<f32>() / maps.len() as f32;
            for map in &mut *maps {
                let value = &mut map.values[pixel];
                *value = mean + factor * (*value - mean);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Quantity;
    use crate::scene::Grid;

    #[test]
    fn deviations_grow_and_the_mean_stays() {
        let map = |values: [f32; 3]| RadioMap { grid: Grid::default(), quantity: Quantity::PathGainDb, values: values.to_vec() };
        let drawn = [map([-80.0, f32::NAN, -90.1]), map([-84.0, f32::NAN, -90.1])];
        let mut maps = drawn.clone();
        RadioMap::widen(&mut maps, 3.0);
        assert_eq!((maps[0].values[0], maps[1].values[0]), (-76.0, -88.0));
        assert!(maps.iter().all(|map| map.values[1].is_nan() && map.values[2] == -90.1));
        let mut alone = drawn[..1].to_vec();
        RadioMap::widen(&mut alone, 3.0);
        assert_eq!(alone[0].values[0], -80.0);
        RadioMap::widen(&mut [], 3.0);
    }
}
