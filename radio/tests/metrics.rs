//! The metrics against scikit-image (goldens/metrics.py) and against formulas.

use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::metrics::{nmse, psnr, rmse, rmse_db, ssim};

fn maps(size: usize) -> (Vec<f32>, Vec<f32>) {
    let pixels = (0..size * size).map(|i| ((i / size) as f64, (i % size) as f64));
    let truth: Vec<f32> = pixels.clone().map(|(r, c)| (0.5 + 0.4 * (r / 7.0).sin() * (c / 5.0).cos()) as f32).collect();
    let prediction = pixels.zip(&truth).map(|((r, c), &t)| (f64::from(t) + 0.1 * (r * c / 31.0).sin()) as f32).collect();
    (prediction, truth)
}

#[test]
fn equal_to_scikit_image() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("goldens/metrics.json")).expect("a JSON object");
    let size = golden["size"].as_u64().expect("a size") as usize;
    let (prediction, truth) = maps(size);
    let found = [
        ("nmse", nmse(&prediction, &truth)),
        ("rmse", rmse(&prediction, &truth)),
        ("psnr", psnr(&prediction, &truth)),
        ("ssim", ssim(&prediction, &truth, size)),
    ];
    for (name, value) in found {
        let expected = golden[name].as_f64().expect(name);
        assert!((value - expected).abs() < 1e-6 * expected.abs(), "{name}: {value}, scikit-image says {expected}");
    }
}

#[test]
fn a_constant_offset_outdoors_is_its_own_error_in_db() {
    let codec = GrayCodec::default();
    let truth: Vec<f32> = (0..256).map(|i| codec.encode(-120.0 + i as f32 / 8.0)).collect();
    let mask: Vec<u8> = (0..256).map(|i| u8::from(i % 4 == 0)).collect();
    let prediction: Vec<f32> =
        truth.iter().zip(&mask).map(|(&t, &inside)| if inside != 0 { 1.0 } else { t + 3.0 / codec.range_db() }).collect();
    assert!((rmse_db(&prediction, &truth, &mask, &codec) - 3.0).abs() < 1e-4);
}
