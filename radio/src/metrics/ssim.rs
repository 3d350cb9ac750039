//! Structural similarity (Wang et al., 2004).

const RADIUS: usize = 5;
/// Side of the window in pixels. Maps must be at least this large.
pub const SSIM_WINDOW: usize = 2 * RADIUS + 1;
const SIGMA: f64 = 1.5;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// Mean SSIM of two `size` x `size` maps with range 1: Gaussian window of 11 x 11, sigma 1.5, biased moments. As in scikit-image, the
/// mean is taken over the pixels whose window lies inside the map.
///
/// # Panics
/// When a map is not `size` x `size` or smaller than the window.
pub fn ssim(a: &[f32], b: &[f32], size: usize) -> f64 {
    assert!(size >= SSIM_WINDOW && a.len() == size * size && b.len() == size * size, "two maps of {size} x {size}, at least 11 x 11");
    let weights: Vec<f64> = (0..=2 * RADIUS).map(|i| (-(i as f64 - RADIUS as f64).powi(2) / (2.0 * SIGMA * SIGMA)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let weights: Vec<f64> = weights.iter().map(|w| w / total).collect();
    let inner = size - 2 * RADIUS;
    // Weighted means of f(a, b) over every window, columns first, then rows.
    let means = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        let values: Vec<f64> = a.iter().zip(b).map(|(&a, &b)| f(f64::from(a), f64::from(b))).collect();
        let along_rows: Vec<f64> = (0..size * inner)
            .map(|i| weights.iter().enumerate().map(|(k, w)| w * values[i / inner * size + i % inner + k]).sum())
            .collect();
        (0..inner * inner)
            .map(|i| weights.iter().enumerate().map(|(k, w)| w * along_rows[(i / inner + k) * inner + i % inner]).sum())
            .collect()
    };
    let (mean_a, mean_b) = (means(&|a, _| a), means(&|_, b| b));
    let (square_a, square_b, product) = (means(&|a, _| a * a), means(&|_, b| b * b), means(&|a, b| a * b));
    let at = |i: usize| {
        let (ma, mb) = (mean_a[i], mean_b[i]);
        let (va, vb, cov) = (square_a[i] - ma * ma, square_b[i] - mb * mb, product[i] - ma * mb);
        (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2))
    };
    (0..inner * inner).map(at).sum::<f64>() / (inner * inner) as f64
}
