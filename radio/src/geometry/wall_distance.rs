//! The distance to the nearest building: the exact Euclidean distance transform (Felzenszwalb and Huttenlocher, 2012, "Distance
//! transforms of sampled functions"). It takes the lower envelope of parabolas along columns, then along rows, in linear time.

use crate::scene::BuildingMask;

/// Distances in pixels, row-major (N, N), from every pixel's centre to the nearest building pixel's centre: 0 inside buildings,
/// infinite on a map without buildings.
pub fn wall_distance(mask: &BuildingMask) -> Vec<f64> {
    let size = mask.size;
    let mut squared: Vec<f64> = mask.pixels.iter().map(|&inside| if inside != 0 { 0.0 } else { f64::INFINITY }).collect();
    let mut line = Line::new(size);
    for column in 0..size {
        line.transform(&mut squared, column, size);
    }
    for row in 0..size {
        line.transform(&mut squared, row * size, 1);
    }
    squared.into_iter().map(f64::sqrt).collect()
}

/// From every pixel to the nearest building pixel in steps to any of eight neighbours, row-major (N, N): 0 inside buildings, at most 255.
/// Two passes over the map (Rosenfeld and Pfaltz, 1966).
pub fn steps_to_building(mask: &BuildingMask) -> Vec<u8> {
    let size = mask.size;
    let mut steps: Vec<u8> = mask.pixels.iter().map(|&inside| if inside != 0 { 0 } else { u8::MAX }).collect();
    for _ in 0..2 {
        for pixel in 0..steps.len() {
            let (above, column) = (pixel.wrapping_sub(size), pixel % size);
            let mut least = steps[pixel];
            if column > 0 {
                least = least.min(steps[pixel - 1].saturating_add(1));
            }
            if pixel >= size {
                let near = above - usize::from(column > 0)..=above + usize::from(column + 1 < size);
                least = steps[near].iter().fold(least, |least, &other| least.min(other.saturating_add(1)));
            }
            steps[pixel] = least;
        }
        // The second pass is the first from the other end.
        steps.reverse();
    }
    steps
}

/// The transform of one row or column, with its work space.
struct Line {
    /// The line's values before the transform.
    values: Vec<f64>,
    /// The vertices of the envelope's parabolas, left to right, and where each begins to be the lowest.
    vertices: Vec<usize>,
    starts: Vec<f64>,
}

impl Line {
    fn new(size: usize) -> Self {
        Self { values: vec![0.0; size], vertices: Vec::with_capacity(size), starts: Vec::with_capacity(size) }
    }

    /// Replaces f(p) by min over q of (p - q)^2 + f(q), for the values from `first` on, `stride` apart.
    fn transform(&mut self, grid: &mut [f64], first: usize, stride: usize) {
        let Self { values, vertices, starts } = self;
        vertices.clear();
        starts.clear();
        for (q, value) in values.iter_mut().enumerate() {
            *value = grid[first + q * stride];
        }
        let raised = |q: usize| values[q] + (q * q) as f64;
        for q in (0..values.len()).filter(|&q| values[q].is_finite()) {
            // Parabolas that the new one undercuts where they begin are never the lowest.
            let start = loop {
                let Some(&last) = vertices.last() else { break f64::NEG_INFINITY };
                let meet = (raised(q) - raised(last)) / (2 * (q - last)) as f64;
                if meet > starts[vertices.len() - 1] {
                    break meet;
                }
                vertices.pop();
                starts.pop();
            };
            vertices.push(q);
            starts.push(start);
        }
        let mut lowest = 0;
        for p in 0..values.len() {
            while lowest + 1 < vertices.len() && starts[lowest + 1] < p as f64 {
                lowest += 1;
            }
            grid[first + p * stride] = vertices.get(lowest).map_or(f64::INFINITY, |&q| {
                let apart = p.abs_diff(q) as f64;
                apart * apart + values[q]
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_nearest_building_pixel() {
        for (size, above) in [(1, 0.0), (17, 0.9), (40, 0.97), (40, 0.3)] {
            let mut random = fastrand::Rng::with_seed(7);
            let pixels: Vec<u8> = (0..size * size).map(|_| u8::from(random.f64() > above)).collect();
            let mask = BuildingMask { size, pixels };
            let built: Vec<usize> = (0..size * size).filter(|&i| mask.pixels[i] != 0).collect();
            for (i, &found) in wall_distance(&mask).iter().enumerate() {
                let apart = |&j: &usize| (i / size).abs_diff(j / size).pow(2) + (i % size).abs_diff(j % size).pow(2);
                let expected = built.iter().map(apart).min().map_or(f64::INFINITY, |d| (d as f64).sqrt());
                assert_eq!(found, expected, "pixel {i} of {size} x {size}");
            }
        }
    }
}
