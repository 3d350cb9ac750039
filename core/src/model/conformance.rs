//! The suite of layers: each with weights by rule at awkward sizes, on one engine against another, and for gradients.
//!
//! [`cases`] builds every layer on an engine as a function of one input; [`check`] compares two engines' outputs. What the
//! layers mean is held to the public code by [`crate::goldens`].

use super::attention::{FullAttention, LinearAttention};
use super::autoencoder::Autoencoder;
use super::fourier::AdaptiveFourier;
use super::preset::{AutoencoderPreset, SwinPreset};
use super::relation::{RelationLayer, RelationShape};
use super::swin::SwinEncoder;
use super::{Denoiser, Preset};
use crate::engine::{Engine, EngineError};
use crate::metrics::relative_error;
use crate::weights::{ParameterError, Parameters, ReproducibleSource, reproducible_values};

type Layer<E> = Box<dyn Fn(&E, &<E as Engine>::Tensor) -> <E as Engine>::Tensor>;

/// A layer as a function of one tensor.
pub struct Case<E: Engine> {
    pub name: &'static str,
    /// Of the input.
    pub shape: Vec<usize>,
    pub run: Layer<E>,
}

/// The rule's values for a named input.
pub fn input(name: &str, shape: &[usize]) -> Vec<f32> {
    reproducible_values(13, name, shape.iter().product()).map(|u| (1.5 * u) as f32).collect()
}

/// Every layer, built on an engine.
pub fn cases<E: Engine>(e: &E) -> Result<Vec<Case<E>>, ParameterError>
where
    E::Tensor: 'static,
{
    let source = ReproducibleSource { seed: 3 };
    let p = Parameters::new(e, &source);
    let mut cases: Vec<Case<E>> = Vec::new();
    let mut add = |name, shape: &[usize], run: Layer<E>| cases.push(Case { name, shape: shape.to_vec(), run });

    let linear = LinearAttention::new(&p.at("linear"), 24, 4, 8)?;
    add("linear attention", &[2, 24, 5, 9], Box::new(move |e, x| linear.forward(e, x)));
    let full = FullAttention::new(&p.at("full"), 24, 3, 5)?;
    add("full attention", &[2, 24, 7, 6], Box::new(move |e, x| full.forward(e, x)));
    for (name, side) in [("adaptive Fourier, even", 8), ("adaptive Fourier, odd", 5)] {
        let fourier = AdaptiveFourier::new(&p.at(name), 16, side, 4)?;
        add(name, &[2, 16, side, side], Box::new(move |e, x| fourier.forward(e, x)));
    }
    // Sides that are no multiple of the window, and a condition of another size.
    let shape = RelationShape { condition: 8, feature: 16, embedding: 16, window: 4, groups: 4 };
    let relation = RelationLayer::new(&p.at("relation"), shape)?;
    let condition = e.tensor(&input("relation condition", &[2, 8, 9, 9]), &[2, 8, 9, 9]);
    add("relation", &[2, 16, 10, 10], Box::new(move |e, x| relation.forward(e, &condition, x)));

    // 9 x 9 tokens in windows of 4: padded to 12, shifted by 2; then 5 x 5 after padding an odd side, in windows of 4.
    let swin = SwinPreset { width: 16, depths: vec![2, 2], heads: vec![2, 4], window: 4, stochastic_depth: 0.2, public_leftovers: false };
    let swin = SwinEncoder::new(&p.at("swin"), 3, &swin)?;
    let joined = move |e: &E, x: &E::Tensor| {
        let flat: Vec<E::Tensor> = swin.forward(e, x).iter().map(|s| e.reshape(s, &[e.shape(s).iter().product()])).collect();
        e.concat(&flat.iter().collect::<Vec<_>>(), 0)
    };
    add("Swin transformer", &[2, 3, 36, 36], Box::new(joined));

    let preset = AutoencoderPreset { channels: 8, multipliers: vec![1, 2, 2], residual_blocks: 1, latent_channels: 2, norm_groups: 4 };
    let autoencoder = Autoencoder::new(&p.at("first_stage"), &preset)?;
    let there_and_back = move |e: &E, x: &E::Tensor| autoencoder.decode(e, &autoencoder.encode(e, x).mean);
    add("autoencoder", &[1, 1, 20, 20], Box::new(there_and_back));

    let nano = Preset::named("nano").ok_or_else(|| ParameterError::Invalid { name: "nano".into(), reason: "no such preset".into() })?;
    let denoiser = Denoiser::new(&p.at("denoiser"), &nano)?;
    let shape = [1, nano.condition.channels.len(), nano.map_size, nano.map_size];
    let condition = denoiser.encode_condition(e, &e.tensor(&input("scene", &shape), &shape));
    let both = move |e: &E, x: &E::Tensor| {
        let prediction = denoiser.predict(e, x, &[0.4], &condition);
        e.concat(&[&prediction.drift, &prediction.noise], 1)
    };
    add("denoiser of nano", &[1, 8, 32, 32], Box::new(both));
    Ok(cases)
}

/// Runs every case on both engines; one line for each whose relative L2 difference exceeds `tolerance`.
pub async fn check<E: Engine, R: Engine>(engine: &E, reference: &R, tolerance: f64) -> Result<Vec<String>, EngineError>
where
    E::Tensor: 'static,
    R::Tensor: 'static,
{
    let failed = |error: ParameterError| EngineError::Failed { reason: error.to_string() };
    let mut failures = Vec::new();
    for (case, expected) in cases(engine).map_err(failed)?.iter().zip(&cases(reference).map_err(failed)?) {
        let values = input(case.name, &case.shape);
        let found = (case.run)(engine, &engine.tensor(&values, &case.shape));
        let expected = (expected.run)(reference, &reference.tensor(&values, &case.shape));
        let shapes = (engine.shape(&found), reference.shape(&expected));
        let (found, expected) = (engine.read(&found).await?, reference.read(&expected).await?);
        let error = if shapes.0 == shapes.1 { relative_error(&found, &expected) } else { f64::NAN };
        if error.is_nan() || error > tolerance {
            failures.push(format!("{}: off by {error:.2e}, shapes {shapes:?}", case.name));
        }
    }
    Ok(failures)
}
