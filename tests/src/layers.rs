//! The suite of layers and losses: each with weights by rule and at awkward sizes, to compare engines and to check gradients.
//!
//! [`cases`] builds all of them on an engine, each as a function of one tensor; [`check`] compares the outputs of two engines. The
//! meaning of the layers is held to the public code by [`crate::goldens`].

use crate::rule::{RuleSource, rule_values};
use radiodiff_core::diffusion::{Denoiser, LossOptions, Prediction, noised, step, training_loss};
use radiodiff_core::engine::{Engine, EngineError};
use radiodiff_core::layers::{
    AdaptiveFourier, BatchNorm, ChannelNorm, Conv2d, FullAttention, GroupNorm, LayerNorm, Linear, LinearAttention, ModulatedResnetBlock,
    PatchMerging, RelationLayer, RelationShape, ResnetBlock, TimeEmbedding, WeightStandardizedConv2d,
};
use radiodiff_core::model::autoencoder::{Autoencoder, Posterior};
use radiodiff_core::model::condition::{ConditionEncoder, SwinEncoder};
use radiodiff_core::model::discriminator::{Discriminator, DiscriminatorPreset, Normalization};
use radiodiff_core::model::first_stage_loss::{AdversarialLoss, generator_loss, kl_term, negative_log_likelihood, pixel_error};
use radiodiff_core::model::lpips::{Lpips, MIN_SIDE, UPSTREAM_DROPOUT};
use radiodiff_core::model::preset::{
    AutoencoderPreset, ConditionPreset, EncoderPreset, PyramidPreset, QUANTILES, QuantilesPreset, ResidualPreset, SwinPreset, UnetPreset,
};
use radiodiff_core::model::quantiles::{QuantileNet, QuantilesError, ROOT, quantile_loss};
use radiodiff_core::model::residual::MapCoding;
use radiodiff_core::model::{Compat, Preset};
use radiodiff_core::parameters::{Initializer, ParameterError, ParameterSource, ParameterSpec, VarBuilder};
use radiodiff_radio::features::ConditionChannel::{Buildings, LogDistanceGain};
use radiodiff_radio::metrics::relative_error;
use std::rc::Rc;

type Layer<E> = Box<dyn Fn(&E, &<E as Engine>::Tensor) -> <E as Engine>::Tensor>;

/// A layer or a loss as a function of one tensor.
pub struct LayerCase<E: Engine> {
    /// Names of the parameters trained in it begin with this and a dot.
    pub name: &'static str,
    /// The input's shape.
    pub shape: Vec<usize>,
    pub run: Layer<E>,
}

/// The rule's values for a named input.
pub fn input(name: &str, shape: &[usize]) -> Vec<f32> {
    rule_values(13, name, shape.iter().product()).map(|u| (1.5 * u) as f32).collect()
}

/// Every layer and every loss, built on an engine.
pub fn cases<E: Engine + 'static>(e: &E, source: &dyn ParameterSource<E>) -> Result<Vec<LayerCase<E>>, ParameterError> {
    let mut suite = Suite { vb: VarBuilder::new(e, source), source, cases: Vec::new() };
    suite.shared_layers()?;
    suite.layers_of_the_unet()?;
    suite.condition_encoders()?;
    suite.first_stage()?;
    suite.adversary()?;
    suite.losses()?;
    suite.denoisers()?;
    suite.quantiles()?;
    Ok(suite.cases)
}

struct Suite<'a, E: Engine> {
    vb: VarBuilder<'a, E>,
    source: &'a dyn ParameterSource<E>,
    cases: Vec<LayerCase<E>>,
}

/// Makes the vectors of the spectral normalisation ten times as long as the rule does; with the rule's, features would grow a hundredfold
/// in every layer.
struct LongVectors<'a, E: Engine>(&'a dyn ParameterSource<E>);

impl<E: Engine> ParameterSource<E> for LongVectors<'_, E> {
    fn parameter(&self, e: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError> {
        let parameter = self.0.parameter(e, spec)?;
        let is_vector = ["weight_u", "weight_v"].iter().any(|name| spec.name.ends_with(name));
        Ok(if is_vector { e.affine(&parameter, 10.0, 0.0) } else { parameter })
    }
}

/// Adds a layer whose `forward` takes one tensor, built from the parameters under its name.
macro_rules! layer {
    ($suite:ident, $name:expr, $shape:expr, $p:ident => $new:expr) => {{
        let $p = &$suite.vb.pp($name);
        let layer = $new?;
        $suite.add($name, &$shape, move |e, x| layer.forward(e, x));
    }};
}

impl<E: Engine> Suite<'_, E>
where
    E: 'static,
{
    fn add(&mut self, name: &'static str, shape: &[usize], run: impl Fn(&E, &E::Tensor) -> E::Tensor + 'static) {
        self.cases.push(LayerCase { name, shape: shape.to_vec(), run: Box::new(run) });
    }

    fn shared_layers(&mut self) -> Result<(), ParameterError> {
        layer!(self, "convolution", [2, 3, 7, 6], p => Conv2d::halving(p, 3, 5));
        layer!(self, "weight-standardised convolution", [2, 5, 6, 9], p => WeightStandardizedConv2d::new(p, 5, 7));
        layer!(self, "linear", [2, 3, 7], p => Linear::new(p, 7, 5));
        layer!(self, "linear without bias", [2, 3, 7], p => Linear::transformer(p, 7, 5, false));
        layer!(self, "group norm", [2, 6, 3, 5], p => GroupNorm::new(p, 6, 3, 1e-5));
        layer!(self, "layer norm", [2, 3, 7], p => LayerNorm::new(p, 7));
        layer!(self, "batch norm", [3, 5, 2, 7], p => BatchNorm::new(p, 5, Initializer::Constant(1.0), 0.03, 1e-3));
        layer!(self, "channel norm", [2, 6, 3, 5], p => ChannelNorm::new(p, 6));
        Ok(())
    }

    fn layers_of_the_unet(&mut self) -> Result<(), ParameterError> {
        layer!(self, "linear attention", [2, 24, 5, 9], p => LinearAttention::new(p, 24, 4, 8));
        layer!(self, "full attention", [2, 24, 7, 6], p => FullAttention::new(p, 24, 3, 5));
        layer!(self, "adaptive Fourier, even", [2, 16, 8, 8], p => AdaptiveFourier::new(p, 16, 8, 4));
        layer!(self, "adaptive Fourier, odd", [2, 16, 5, 5], p => AdaptiveFourier::new(p, 16, 5, 4));
        // Sides that are no multiple of the window, and a condition of another size; then neither.
        for (name, window, side, condition_side) in [("relation", 4, 10, 9), ("relation of pixels", 1, 4, 4)] {
            let shape = RelationShape { condition: 8, feature: 16, embedding: 16, window, groups: 4 };
            let relation = RelationLayer::new(&self.vb.pp(name), shape)?;
            self.add(name, &[2, 24, side, side], move |e, x| {
                let condition = e.narrow(&e.narrow(&channels(e, x, 0, 8), 2, 0, condition_side), 3, 0, condition_side);
                relation.forward(e, &condition, &channels(e, x, 8, 16))
            });
        }
        let preset = small_unet();
        let time = TimeEmbedding::new(&self.vb.pp("time embedding"), preset.time_frequencies, preset.time_width)?;
        let embedded = move |e: &E, x: &E::Tensor| e.mul(x, &time.forward(e, &[1.0, 0.4, 1e-4]));
        self.add("time embedding", &[3, preset.time_width], embedded);
        let block = ModulatedResnetBlock::new(&self.vb.pp("modulated block"), preset.time_width, 8, preset.time_width, preset.norm_groups)?;
        self.add("modulated block", &[2, preset.time_width, 5, 3], move |e, x| {
            let time = e.reshape(&e.mean_from(x, 2), &[2, e.shape(x)[1]]);
            block.forward(e, x, &time)
        });
        Ok(())
    }

    fn condition_encoders(&mut self) -> Result<(), ParameterError> {
        layer!(self, "patch merging", [2, 5, 3, 4], p => PatchMerging::new(p, 4));
        // Tokens 9 x 9 in windows of 4, padded to 12 and shifted by 2, then 5 x 5 from an odd side; and 3 x 10, which is one window
        // high, so that the shift is along one side only.
        for (name, [height, width]) in [("Swin transformer", [36, 36]), ("Swin transformer, one window", [12, 40])] {
            let preset =
                SwinPreset { width: 16, depths: vec![2, 2], heads: vec![2, 4], window: 4, stochastic_depth: 0.2, public_leftovers: false };
            let swin = SwinEncoder::new(&self.vb.pp(name), 3, &preset)?;
            self.add(name, &[2, 3, height, width], move |e, x| joined(e, &swin.forward(e, x)));
        }
        let encoder = EncoderPreset::Pyramid(PyramidPreset { stem_widths: vec![8, 12], stage_widths: vec![8, 12], norm_groups: 4 });
        let preset = ConditionPreset { channels: small_preset()?.condition.channels, encoder };
        let pyramid = ConditionEncoder::new(&self.vb.pp("pyramid"), &preset)?;
        self.add("pyramid", &[2, preset.channels.len(), 16, 32], move |e, x| joined(e, &pyramid.forward(e, x)));
        Ok(())
    }

    fn first_stage(&mut self) -> Result<(), ParameterError> {
        layer!(self, "residual block", [2, 4, 5, 3], p => ResnetBlock::new(p, 4, 8, 2));
        let preset = AutoencoderPreset {
            channels: 8,
            multipliers: vec![1, 2, 2],
            residual_blocks: 1,
            latent_channels: 2,
            norm_groups: 4,
            scene_channels: 0,
        };
        let autoencoder = Rc::new(Autoencoder::new(&self.vb.pp("autoencoder"), &preset)?);
        let noise = self.by_rule("noise", &[1, 2, 5, 3]);
        let parts = autoencoder.clone();
        self.add("autoencoder", &[1, 1, 20, 12], move |e, x| parts.decode(e, &parts.encode(e, x).sample(e, &noise), None));
        self.first_stage_with_scene(&preset)?;

        // As functions of the moments; 45 times the rule's values exceed both bounds of the log-variance.
        let (shape, noise) = ([2, 4, 3, 5], self.by_rule("noise", &[2, 2, 3, 5]));
        let parts = autoencoder.clone();
        self.add("posterior's moments", &shape, move |e, x| {
            let Posterior { mean, log_variance } = parts.posterior(e, &e.affine(x, 45.0, 0.0));
            e.concat(&[&mean, &log_variance], 1)
        });
        let parts = autoencoder.clone();
        self.add("posterior's sample", &shape, move |e, x| parts.posterior(e, x).sample(e, &noise));
        self.add("posterior's divergence", &shape, move |e, x| autoencoder.posterior(e, x).kl(e));
        Ok(())
    }

    /// As functions of map and condition, whose second channel is the physical map. The range clips a part of the differences.
    fn first_stage_with_scene(&mut self, preset: &AutoencoderPreset) -> Result<(), ParameterError> {
        let scene_channels = 4;
        let preset = AutoencoderPreset { scene_channels, ..preset.clone() };
        let autoencoder = Autoencoder::new(&self.vb.pp("autoencoder with a scene"), &preset)?;
        self.add("autoencoder with a scene", &[1, 5, 20, 12], move |e, x| {
            let scene = channels(e, x, 1, scene_channels);
            autoencoder.decode(e, &autoencoder.encode(e, &channels(e, x, 0, 1)).mean, Some(&scene))
        });
        let residual = Some(ResidualPreset { physical: LogDistanceGain, range_db: 40.0 });
        let condition = ConditionPreset { channels: vec![Buildings, LogDistanceGain], ..small_preset()?.condition };
        let coding = MapCoding::of(&Preset { residual, condition, ..small_preset()? });
        self.add("difference to a physical map", &[2, 3, 6, 5], move |e, x| {
            let (map, condition) = (channels(e, x, 0, 1), channels(e, x, 1, 2));
            let coded = coding.code(e, &map, &condition);
            e.concat(&[&coded, &coding.map(e, &map, &condition), &coding.map_within_range(e, &map, &condition)], 1)
        });
        Ok(())
    }

    fn adversary(&mut self) -> Result<(), ParameterError> {
        let preset = |normalization, spectral| DiscriminatorPreset { channels: 3, layers: 2, normalization, spectral };
        let shape = [2, 1, 16, 20];
        for (name, preset) in [
            ("discriminator", preset(Normalization::Batch, false)),
            ("discriminator, spectral", preset(Normalization::Batch, true)),
            ("discriminator by ActNorm", preset(Normalization::ActNorm, false)),
            ("discriminator by ActNorm, spectral", preset(Normalization::ActNorm, true)),
        ] {
            let source = LongVectors(self.source);
            let discriminator = Discriminator::new(&VarBuilder::new(self.vb.engine(), &source).pp(name), &preset)?;
            self.add(name, &shape, move |e, x| discriminator.forward(e, x));
        }
        let discriminator = Discriminator::new(&self.vb.pp("set and not trained"), &preset(Normalization::ActNorm, true))?;
        self.add("discriminator's updates at its first batch", &shape, move |e, x| {
            let next: Vec<E::Tensor> = discriminator.updates(e, Some(x)).into_iter().map(|(_, next)| next).collect();
            joined(e, &next)
        });
        let lpips = Lpips::new(&self.vb.pp("never trained"))?;
        self.add("LPIPS", &[1, 2, MIN_SIDE, MIN_SIDE], move |e, x| {
            lpips.distance(e, &channels(e, x, 0, 1), &channels(e, x, 1, 1), UPSTREAM_DROPOUT)
        });
        Ok(())
    }

    /// Each as a function of all its tensors, which are channels of the input.
    fn losses(&mut self) -> Result<(), ParameterError> {
        for (name, compat) in [("likelihood and divergence", Compat::Corrected), ("upstream's likelihood", Compat::Upstream)] {
            let log_variance = self.vb.pp(name).param("logvar", &[], Initializer::Constant(0.0))?;
            self.add(name, &[2, 4, 4, 5], move |e, x| {
                let [truth, drawn, weights, kl] = [0, 1, 2, 3].map(|channel| channels(e, x, channel, 1));
                let likelihood = negative_log_likelihood(e, compat, &pixel_error(e, &truth, &drawn), &log_variance, Some(&weights));
                e.add(&likelihood, &kl_term(e, compat, &e.mean_from(&kl, 0), 0.3, &e.shape(&truth)))
            });
        }
        for (name, loss) in [("hinge loss", AdversarialLoss::Hinge), ("vanilla loss", AdversarialLoss::Vanilla)] {
            self.add(name, &[2, 2, 3, 5], move |e, x| {
                let [real, drawn] = [0, 1].map(|channel| e.affine(&channels(e, x, channel, 1), 3.0, 0.0));
                loss.of_discriminator(e, &real, &drawn)
            });
        }
        self.add("generator's loss", &[2, 1, 3, 5], |e, x| generator_loss(e, x));
        let all = LossOptions::default();
        for (name, options) in [
            ("diffusion loss", all),
            ("diffusion loss of squares", LossOptions { l1: false, ..all }),
            ("diffusion loss, absolute", LossOptions { l2: false, ..all }),
            ("diffusion loss without weights", LossOptions { weighted: false, ..all }),
        ] {
            self.add(name, &[2, 12, 3, 5], move |e, x| {
                let [drift, noise, x0, epsilon] = [0, 3, 6, 9].map(|first| channels(e, x, first, 3));
                training_loss(e, &Prediction { drift, noise }, &x0, &epsilon, &[0.3, 0.9], options)
            });
        }
        self.add("noising and a step back", &[2, 12, 3, 5], |e, x| {
            let [drift, noise, x0, epsilon] = [0, 3, 6, 9].map(|first| channels(e, x, first, 3));
            let x_t = noised(e, &x0, &epsilon, &[0.6, 0.6]);
            step(e, &x_t, (0.6, 0.2), &Prediction { drift, noise }, Some(&epsilon))
        });
        Ok(())
    }

    fn denoisers(&mut self) -> Result<(), ParameterError> {
        self.denoiser("denoiser", &self.vb.pp("denoiser"), &small_preset()?)?;
        // No parameter of these is trained in the gradients' checks: there are too many.
        for (name, stage, denoiser) in
            [("nano", "first stage of nano", "denoiser of nano"), ("edge", "first stage of edge", "denoiser of edge")]
        {
            let preset = of_small_maps(known(name)?, 64);
            let vb = self.vb.pp("whole networks").pp(name);
            let autoencoder = Autoencoder::new(&vb, &preset.autoencoder)?;
            self.add(stage, &[1, 1, 64, 64], move |e, x| autoencoder.decode(e, &autoencoder.encode(e, x).mean, None));
            self.denoiser(denoiser, &vb, &preset)?;
        }
        Ok(())
    }

    /// Both parts at two times, in one of which the second decoder counts for nothing.
    fn denoiser(&mut self, name: &'static str, vb: &VarBuilder<E>, preset: &Preset) -> Result<(), ParameterError> {
        let denoiser = Denoiser::new(vb, preset)?;
        let scenes = self.by_rule("scenes", &[2, preset.condition.channels.len(), preset.map_size, preset.map_size]);
        let unet = &preset.unet;
        self.add(name, &[2, unet.latent_channels, unet.latent_size, unet.latent_size], move |e, x| {
            let prediction = denoiser.predict(e, x, &[0.4, 1.0], &denoiser.encode_condition(e, &scenes));
            e.concat(&[&prediction.drift, &prediction.noise], 1)
        });
        Ok(())
    }

    /// The network on a condition that the input is, and its loss.
    fn quantiles(&mut self) -> Result<(), ParameterError> {
        let preset = Preset {
            residual: Some(ResidualPreset { physical: LogDistanceGain, range_db: 40.0 }),
            quantiles: Some(QuantilesPreset { widths: vec![8, 12], detail_width: 8, norm_groups: 4, pixels_m: None }),
            ..of_small_maps(known("nano")?, 32)
        };
        let failed = |error: QuantilesError| ParameterError::Invalid { name: ROOT.into(), reason: error.to_string() };
        let network = QuantileNet::new(&preset, &self.vb.pp("whole networks").pp("small")).map_err(failed)?;
        let shape = [2, preset.condition.channels.len(), 32, 32];
        self.add("network of quantiles", &shape, move |e, x| network.maps(e, x));
        self.add("loss of quantiles", &[2, QUANTILES + 2, 3, 5], |e, x| {
            let [truth, weights] = [0, 1].map(|channel| channels(e, x, QUANTILES + channel, 1));
            quantile_loss(e, &channels(e, x, 0, QUANTILES), &truth, &weights)
        });
        Ok(())
    }

    fn by_rule(&self, name: &str, shape: &[usize]) -> E::Tensor {
        self.vb.engine().tensor(&input(name, shape), shape)
    }
}

fn channels<E: Engine>(e: &E, x: &E::Tensor, first: usize, count: usize) -> E::Tensor {
    e.narrow(x, 1, first, count)
}

/// All values of all tensors, one after the other.
fn joined<E: Engine>(e: &E, tensors: &[E::Tensor]) -> E::Tensor {
    let flat: Vec<E::Tensor> = tensors.iter().map(|t| e.reshape(t, &[e.shape(t).iter().product()])).collect();
    e.concat(&flat.iter().collect::<Vec<_>>(), 0)
}

fn known(name: &str) -> Result<Preset, ParameterError> {
    Preset::named(name).ok_or_else(|| ParameterError::Invalid { name: name.into(), reason: "no such preset".into() })
}

fn of_small_maps(preset: Preset, map_size: usize) -> Preset {
    let latent_size = map_size / preset.autoencoder.reduction();
    Preset { map_size, unet: UnetPreset { latent_size, ..preset.unet }, ..preset }
}

/// Two levels, few enough parameters to check the gradient by each.
fn small_unet() -> UnetPreset {
    UnetPreset {
        latent_channels: 3,
        latent_size: 8,
        width: 8,
        level_widths: vec![8, 16],
        stem_kernel: 3,
        norm_groups: 4,
        heads: 2,
        head_width: 4,
        time_frequencies: 6,
        time_width: 12,
        relation_windows: vec![4, 2],
        adaptive_fourier: true,
    }
}

fn small_preset() -> Result<Preset, ParameterError> {
    let nano = known("nano")?;
    let encoder = EncoderPreset::Pyramid(PyramidPreset { stem_widths: vec![8], stage_widths: vec![8, 12], norm_groups: 4 });
    Ok(Preset { map_size: 32, condition: ConditionPreset { encoder, ..nano.condition }, unet: small_unet(), ..nano })
}

/// Runs every case on both engines; returns a line for each whose relative L2 difference exceeds `tolerance`.
pub async fn check<E: Engine + 'static, R: Engine + 'static>(
    engine: &E,
    reference: &R,
    tolerance: f64,
) -> Result<Vec<String>, EngineError> {
    let failed = |error: ParameterError| EngineError::Failed { reason: error.to_string() };
    let source = RuleSource { seed: 3 };
    let mut failures = Vec::new();
    let cases = cases(engine, &source).map_err(failed)?.into_iter().zip(self::cases(reference, &source).map_err(failed)?);
    for (case, expected) in cases {
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
