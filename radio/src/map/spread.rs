//! The spread of several maps of one place, the samples of a network.

/// Moves maps of one grid away from their mean by a factor, pixel by pixel: deviations of 2 dB are 6 dB after a factor of 3. With less
/// than 1 they come nearer. NaN stays.
///
/// # Panics
/// When the maps have not the same number of pixels.
pub fn widen<'a>(maps: impl IntoIterator<Item = &'a mut [f32]>, factor: f32) {
    let mut maps: Vec<&mut [f32]> = maps.into_iter().collect();
    let pixels = maps.first().map_or(0, |map| map.len());
    assert!(maps.iter().all(|map| map.len() == pixels), "maps of one grid");
    if factor == 1.0 {
        return;
    }
    for pixel in 0..pixels {
        // Relative to the first, so that maps that agree stay as they are.
        let first = maps[0][pixel];
        let mean = first + maps.iter().map(|map| map[pixel] - first).sum::<f32>() / maps.len() as f32;
        for map in &mut maps {
            map[pixel] = mean + factor * (map[pixel] - mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_grow_and_the_mean_stays() {
        let drawn = [vec![-80.0, f32::NAN, -90.1], vec![-84.0, f32::NAN, -90.1]];
        let mut maps = drawn.clone();
        widen(maps.iter_mut().map(Vec::as_mut_slice), 3.0);
        assert_eq!((maps[0][0], maps[1][0]), (-76.0, -88.0));
        assert!(maps.iter().all(|map| map[1].is_nan() && map[2] == -90.1), "{maps:?}");
        let mut alone = [drawn[0].clone()];
        widen(alone.iter_mut().map(Vec::as_mut_slice), 3.0);
        assert_eq!(alone[0][0], -80.0);
        widen([], 3.0);
    }
}
