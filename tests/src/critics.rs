//! The critics of the first stage, discriminator and LPIPS, compared with the public code's.

use crate::rule::RuleSource;
use crate::{relative_error, shared_data};
use radiodiff_core::engine::{Engine, EngineError};
use radiodiff_core::model::discriminator::{Discriminator, DiscriminatorPreset};
use radiodiff_core::model::lpips::Lpips;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::weights::read_tensors;

/// Relative errors, by name, of both networks at full size with weights by rule, on the real map and the reconstruction in
/// the goldens of the reference data.
///
/// # Errors
/// Those of reading results from the engine.
///
/// # Panics
/// When the goldens are absent or damaged.
pub async fn critic_errors<E: Engine>(e: &E) -> Result<Vec<(&'static str, f64)>, EngineError> {
    let file = shared_data().join("goldens/upstream-seed1.safetensors");
    let goldens = read_tensors(&std::fs::read(file).expect("the goldens are there"), "").expect("the goldens are sound");
    let golden = |name: &str| e.tensor(&goldens[name].values, &goldens[name].shape);
    let (real, drawn) = (golden("input.gain"), golden("vae.reconstruction"));
    let source = RuleSource { seed: 1 };
    let p = VarBuilder::new(e, &source).pp("loss");
    let discriminator = Discriminator::new(&p.pp("discriminator"), &DiscriminatorPreset::PAPER).expect("the rule has every parameter");
    let lpips = Lpips::new(&p.pp("perceptual_loss")).expect("the rule has every parameter");
    let results = [
        ("discriminator.logits_real", discriminator.forward(e, &real)),
        ("discriminator.logits_fake", discriminator.forward(e, &drawn)),
        ("lpips.distance", lpips.distance(e, &real, &drawn, 0.0)),
    ];
    let mut errors = Vec::new();
    for (name, result) in results {
        errors.push((name, relative_error(&e.read(&result).await?, &goldens[name].values)));
    }
    Ok(errors)
}
