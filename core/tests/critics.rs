//! The discriminator and LPIPS at the paper's size: parameters, cost and output shapes.

use radiodiff_core::engine::CountingEngine;
use radiodiff_core::model::discriminator::{Discriminator, DiscriminatorPreset, Normalization};
use radiodiff_core::model::lpips::Lpips;
use radiodiff_core::parameters::{ParameterRecorder, VarBuilder};

/// The number of trained parameters that were asked for.
fn trained(recorder: &ParameterRecorder) -> usize {
    recorder.take().values().filter(|spec| spec.trainable).map(|spec| spec.shape.iter().product::<usize>()).sum()
}

#[test]
fn they_are_as_large_as_the_public_codes() {
    let (e, recorder) = (CountingEngine::default(), ParameterRecorder::default());
    let paper = DiscriminatorPreset::PAPER;
    assert_eq!(paper.check(256), Ok(()));
    let discriminator = Discriminator::new(&VarBuilder::new(&e, &recorder), &paper).expect("the recorder gives any");
    assert_eq!(trained(&recorder), 2_763_585);
    let map = vec![1, 1, 256, 256];
    e.take();
    assert_eq!(discriminator.forward(&e, &map), [1, 1, 30, 30]);
    assert!((e.take().macs as f64 / 1e9 - 3.11).abs() < 0.005);
    assert_eq!(discriminator.forward(&e, &vec![2, 1, 320, 320]), [2, 1, 38, 38]);

    let lpips = Lpips::new(&VarBuilder::new(&e, &recorder)).expect("the recorder gives any");
    assert_eq!(trained(&recorder), 14_716_160);
    e.take();
    assert_eq!(lpips.distance(&e, &map, &map, 0.0), [1, 1, 1, 1]);
    assert!((e.take().macs as f64 / 1e9 - 40.10).abs() < 0.005);
}

/// The smallest map that a preset admits gives one logit; the next smaller one is refused.
#[test]
fn maps_too_small_for_a_patch_are_refused() {
    let e = CountingEngine::default();
    for layers in 1..=4 {
        let preset = DiscriminatorPreset { channels: 2, layers, normalization: Normalization::ActNorm, spectral: true };
        let discriminator =
            Discriminator::new(&VarBuilder::new(&e, &ParameterRecorder::default()), &preset).expect("the recorder gives any");
        let least = 3 << layers;
        assert_eq!(preset.check(least), Ok(()));
        assert_eq!(discriminator.forward(&e, &vec![1, 1, least, least]), [1, 1, 1, 1]);
        let error = preset.check(least - 1).expect_err("too small").to_string();
        assert!(error.contains("expected at least 3"), "{error}");
        assert_eq!(discriminator.updates(&e, None).len(), 2 * (layers + 2), "a pair of vectors a convolution");
        let begun = discriminator.updates(&e, Some(&vec![2, 1, least, least]));
        assert!(begun.iter().all(|(stored, next)| stored == next), "{begun:?}");
        assert_eq!(begun.len(), 2 * (layers + 2) + 2 * layers);
    }
    let none = DiscriminatorPreset { channels: 0, layers: 3, normalization: Normalization::Batch, spectral: false };
    let error = none.check(256).expect_err("no channels").to_string();
    assert!(error.starts_with("channels is 0"), "{error}");
}
