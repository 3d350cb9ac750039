//! Shadows whose edges go over within a few pixels, as the real maps have them.
//!
//! In flows every pixel's power as a share of what the law in sight has there; out flows its mean over the pixels around that a path
//! reaches, weighted by a Gaussian. What no path reaches stays dark: where a map has a value is for the paths to say.

/// The window ends at this many deviations.
const DEVIATIONS: f64 = 3.0;

/// Means of `shares`, row-major (N, N), 0 in buildings and where no path leads.
pub fn smoothed(shares: &[f64], size: usize, deviation_pixels: f64) -> Vec<f64> {
    let reach = (DEVIATIONS * deviation_pixels).ceil().max(0.0) as usize;
    let beside = (1..=reach).map(|step| libm::exp(-0.5 * libm::pow(step as f64 / deviation_pixels, 2.0)));
    let weights: Vec<f64> = std::iter::once(1.0).chain(beside).collect();
    let reached: Vec<f64> = shares.iter().map(|&share| f64::from(u8::from(share > 0.0))).collect();
    let [sums, weight] = [shares, &reached].map(|field| {
        let along_rows = weighted(field, size, 1, &weights);
        weighted(&along_rows, size, size, &weights)
    });
    let mean = |i: usize| if shares[i] > 0.0 { sums[i] / weight[i] } else { 0.0 };
    (0..shares.len()).map(mean).collect()
}

/// Weighted sums along rows (`stride` 1) or columns (`stride` `size`); `weights` begin with a pixel's own, 1. Pixels off the map
/// count nothing.
fn weighted(field: &[f64], size: usize, stride: usize, weights: &[f64]) -> Vec<f64> {
    let sum = |i: usize| {
        let place = i / stride % size;
        let beside = weights.iter().enumerate().skip(1).map(|(step, weight)| {
            let before = if step <= place { field[i - step * stride] } else { 0.0 };
            let after = if step + place < size { field[i + step * stride] } else { 0.0 };
            weight * (before + after)
        });
        field[i] + beside.sum::<f64>()
    };
    (0..field.len()).map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_even_stays_beside_the_dark_and_the_border() {
        let size = 16;
        let powers: Vec<f64> = (0..size * size).map(|i| if i % size == 8 { 0.0 } else { 10.0 }).collect();
        let soft = smoothed(&powers, size, 1.0);
        assert!(powers.iter().zip(soft).all(|(power, mean)| (power - mean).abs() < 1e-12));
    }

    #[test]
    fn a_step_goes_over_within_three_deviations() {
        let size = 32;
        let powers: Vec<f64> = (0..size * size).map(|i| if i % size < 16 { 1.0 } else { 0.1 }).collect();
        let row = &smoothed(&powers, size, 1.0)[16 * size..17 * size];
        assert!(row.windows(2).all(|pair| pair[0] > pair[1] - 1e-12), "{row:?}");
        assert!((row[12] - 1.0).abs() < 1e-12 && (row[19] - 0.1).abs() < 1e-12 && (row[15] + row[16] - 1.1).abs() < 1e-12, "{row:?}");
        // Half a pixel before the step of a Gaussian of one pixel.
        assert!((row[15] - (0.1 + 0.9 * 0.69)).abs() < 0.02, "{row:?}");
    }
}
