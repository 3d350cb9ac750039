//! From a scene to its map: condition -> encode -> sample -> decode -> gray -> dB. Nothing else strings these steps together.
//!
//! In flow a prepared scene, a transmitter's position and how to sample; out flows a path gain map in dB. The browser, the command
//! line, the trainer's validation and evaluation and the tests all draw through here, so the scale of gray levels (the preset's
//! codec) is applied in one place: to the start map and to the result.
//!
//! [`Pipeline`] keeps the last encoded condition, because a user who asks for other noise or more steps asks about the same scene.
//! [`Pipeline::draw_samples`] draws several maps of a scene as one batch, which a GPU draws in little more than the time of one.
//! A hook is awaited before every step: it shows progress, or stops the map by an error. [`draw_on_device`] is the same path
//! without the cache, from a condition that is already a tensor, for networks whose weights still change.
//!
//! [`QuantilePipeline`] is the way of a network of quantiles: condition -> quantiles -> gray -> dB. [`NetworkPipeline`] is that of whatever
//! network a weights file holds.

use crate::diffusion::{RadioDiff, SampleOptions, Sampling, StartError};
use crate::engine::{Engine, EngineError};
use crate::model::Preset;
use crate::model::preset::{GridRange, QuantilesPreset};
use crate::model::quantiles::QuantileNet;
use crate::model::unet::EncodedCondition;
use crate::weights::{Checkpoint, WeightsError};
use radiodiff_radio::features::condition;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{RadioMap, widen};
use radiodiff_radio::propagation::{DominantPath, PropagationError, PropagationModel};
use radiodiff_radio::scene::{Grid, LinkEnds};
use std::cell::RefCell;
use std::convert::Infallible;
use thiserror::Error;

/// The map that is asked for.
#[derive(Clone, Copy)]
pub struct MapRequest<'a> {
    pub scene: &'a PreparedScene,
    /// Where the transmitter stands, outdoors, and how high. Networks take receivers at 1.5 m, and those that are not told heights the
    /// transmitter too.
    pub ends: LinkEnds,
    /// The sampler's first time: 1 starts from noise; less, down to [`MIN_TIME`](crate::diffusion::MIN_TIME), starts from the
    /// scene's dominant path map and as much noise as belongs to that time.
    pub start: f32,
    pub options: SampleOptions,
}

/// How far the sampler is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplingProgress {
    /// Steps taken; equal to `steps` when only the decoder is left.
    pub done: usize,
    pub steps: usize,
}

/// Why there is no map. `S` is what the hook stops with.
#[derive(Debug, Error)]
pub enum PipelineError<S> {
    #[error(transparent)]
    Scene(#[from] PropagationError),
    #[error(
        "the scene has {size} x {size} pixels of {meters_per_pixel} m, preset {preset} draws {expected}; rasterise the scene on such a grid"
    )]
    Grid { size: usize, meters_per_pixel: f64, preset: String, expected: GridRange },
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("{count} of {of} gray levels are not finite: the weights, or the engine, cannot be used")]
    NotFinite { count: usize, of: usize },
    #[error("stopped between two steps")]
    Stopped(S),
}

/// The hook of callers that neither show progress nor stop.
pub async fn no_hook(_: SamplingProgress) -> Result<(), Infallible> {
    Ok(())
}

/// The networks, and the condition they encoded last.
pub struct Pipeline<E: Engine> {
    model: RadioDiff<E>,
    encoded: RefCell<Option<CachedCondition<E::Tensor>>>,
}

/// A condition's channels, by which it is recognised, and what the networks take of them.
struct CachedCondition<T> {
    channels: Vec<f32>,
    scene: EncodedScene<T>,
}

/// A condition on the device, (1, C, H, W), and its features; or both repeated for a batch.
#[derive(Clone)]
struct EncodedScene<T> {
    condition: T,
    features: EncodedCondition<T>,
}

impl<T> EncodedScene<T> {
    fn repeated<E: Engine<Tensor = T>>(&self, e: &E, samples: usize) -> Self {
        Self { condition: e.gather_rows(&self.condition, &vec![0; samples]), features: self.features.repeated(e, samples) }
    }
}

impl<E: Engine> Pipeline<E> {
    /// `model` is built on the engine that the other methods are given.
    pub fn new(model: RadioDiff<E>) -> Self {
        Self { model, encoded: RefCell::new(None) }
    }

    pub fn model(&self) -> &RadioDiff<E> {
        &self.model
    }

    pub fn preset(&self) -> &Preset {
        &self.model.preset
    }

    /// Forgets the condition that was encoded last: an engine's tensors may have lost their meaning.
    pub fn forget(&self) {
        self.encoded.replace(None);
    }

    /// The path gain map of a request, in dB, NaN inside buildings.
    ///
    /// # Errors
    /// A transmitter off the map or indoors, a scene on another grid than the preset's, a start that is no time, an engine that
    /// fails, gray levels that are not finite, and whatever `hook` stops with.
    pub async fn draw_map<S>(
        &self,
        e: &E,
        request: &MapRequest<'_>,
        hook: impl AsyncFnMut(SamplingProgress) -> Result<(), S>,
    ) -> Result<RadioMap, PipelineError<S>> {
        let condition = self.condition(request.scene, &request.ends)?;
        self.draw_map_of(e, request, &condition, hook).await
    }

    /// As [`Self::draw_map`], with what [`Self::condition`] gave for the request's scene and position: the samples of a place share it.
    ///
    /// # Errors
    /// Those of [`Self::draw_map`].
    pub async fn draw_map_of<S>(
        &self,
        e: &E,
        request: &MapRequest<'_>,
        condition: &[f32],
        hook: impl AsyncFnMut(SamplingProgress) -> Result<(), S>,
    ) -> Result<RadioMap, PipelineError<S>> {
        let gray = self.requested(e, request, condition, 1, hook).await?;
        Ok(self.preset().gray.decode_map(&gray, request.scene.grid(), request.scene.mask()))
    }

    /// As many maps of a request, of its seed and those after it, drawn as one batch. They are the maps that [`Self::draw_map`] draws
    /// with those seeds, as far as an engine rounds a batch as it rounds one map.
    ///
    /// # Errors
    /// Those of [`Self::draw_map`].
    ///
    /// # Panics
    /// When `samples` is 0.
    pub async fn draw_samples<S>(
        &self,
        e: &E,
        request: &MapRequest<'_>,
        samples: usize,
        hook: impl AsyncFnMut(SamplingProgress) -> Result<(), S>,
    ) -> Result<Vec<RadioMap>, PipelineError<S>> {
        assert!(samples > 0, "a batch has at least one map");
        let (grid, mask) = (request.scene.grid(), request.scene.mask());
        let condition = self.condition(request.scene, &request.ends)?;
        let gray = self.requested(e, request, &condition, samples, hook).await?;
        Ok(gray.chunks_exact(grid.pixels()).map(|gray| self.preset().gray.decode_map(gray, grid, mask)).collect())
    }

    /// The gray levels of a request's maps, (samples, H, W).
    async fn requested<S>(
        &self,
        e: &E,
        request: &MapRequest<'_>,
        condition: &[f32],
        samples: usize,
        hook: impl AsyncFnMut(SamplingProgress) -> Result<(), S>,
    ) -> Result<Vec<f32>, PipelineError<S>> {
        let (scene, preset) = (request.scene, self.preset());
        let mut uploaded = None;
        let sampling = if request.start == 1.0 {
            self.model.begin(e, samples, &request.options)
        } else {
            let channels = self.upload(e, condition);
            uploaded = Some(channels.clone());
            let physical = DominantPath::level().path_gain(scene, &LinkEnds::at(request.ends.position))?;
            let map: Vec<f32> = preset.gray.encode_map(&physical).into_iter().map(|level| 2.0 * level - 1.0).collect();
            let map = e.tensor(&map, &[1, 1, preset.map_size, preset.map_size]);
            self.model.begin_from_map(e, (&map, &channels), request.start, samples, &request.options)?
        };
        self.gray(e, (condition, uploaded), sampling, hook).await
    }

    /// Draws a map from noise: a condition's channels (C, H, W) -> gray levels in [0, 1], (H, W).
    ///
    /// # Errors
    /// An engine that fails, gray levels that are not finite, and whatever `hook` stops with.
    pub async fn draw_gray<S>(
        &self,
        e: &E,
        channels: &[f32],
        options: &SampleOptions,
        hook: impl AsyncFnMut(SamplingProgress) -> Result<(), S>,
    ) -> Result<Vec<f32>, PipelineError<S>> {
        self.gray(e, (channels, None), self.model.begin(e, 1, options), hook).await
    }

    /// The preset's channels of a transmitter, (C, H, W) in [-1, 1].
    ///
    /// # Errors
    /// A transmitter off the map or indoors, a scene on another grid than the preset's.
    pub fn condition<S>(&self, scene: &PreparedScene, ends: &LinkEnds) -> Result<Vec<f32>, PipelineError<S>> {
        condition_on(GridRange::of_one(self.preset().grid()), self.preset(), scene, ends)
    }

    /// A condition on the device, from the cache where it is the one encoded last.
    fn upload(&self, e: &E, channels: &[f32]) -> E::Tensor {
        match &*self.encoded.borrow() {
            Some(known) if known.channels == channels => known.scene.condition.clone(),
            _ => {
                let preset = self.preset();
                e.tensor(channels, &[1, preset.condition.channels.len(), preset.map_size, preset.map_size])
            }
        }
    }

    /// A condition encoded, from the cache where it is the one encoded last. `uploaded` is the condition on the device, if it is there.
    fn encode(&self, e: &E, channels: &[f32], uploaded: Option<E::Tensor>) -> EncodedScene<E::Tensor> {
        let condition = uploaded.unwrap_or_else(|| self.upload(e, channels));
        let mut encoded = self.encoded.borrow_mut();
        match &*encoded {
            Some(known) if known.channels == channels => known.scene.clone(),
            _ => {
                let features = self.model.denoiser.encode_condition(e, &condition);
                let scene = EncodedScene { condition, features };
                encoded.insert(CachedCondition { channels: channels.to_vec(), scene }).scene.clone()
            }
        }
    }

    async fn gray<S>(
        &self,
        e: &E,
        (condition, uploaded): (&[f32], Option<E::Tensor>),
        sampling: Sampling<E::Tensor>,
        hook: impl AsyncFnMut(SamplingProgress) -> Result<(), S>,
    ) -> Result<Vec<f32>, PipelineError<S>> {
        let samples = e.shape(&sampling.latent)[0];
        let encode = || {
            let scene = self.encode(e, condition, uploaded);
            if samples == 1 { scene } else { scene.repeated(e, samples) }
        };
        let (latent, scene) = sample(e, &self.model, encode, sampling, hook).await.map_err(PipelineError::Stopped)?;
        read_gray(e, &self.model.decode_gray(e, &latent, &scene.condition)).await
    }
}

/// A network of quantiles, which needs neither noise nor steps.
pub struct QuantilePipeline<E: Engine> {
    model: QuantileNet<E>,
    /// The factor by which quantiles are moved away from their mean.
    widening: f32,
}

impl<E: Engine> QuantilePipeline<E> {
    /// `model` is built on the engine that [`Self::draw`] is given.
    pub fn new(model: QuantileNet<E>) -> Self {
        Self { model, widening: 1.0 }
    }

    /// With the quantiles moved away from their mean by a factor, that of the weights' manifest.
    pub fn widened(self, factor: f32) -> Self {
        Self { widening: factor, ..self }
    }

    pub fn preset(&self) -> &Preset {
        &self.model.preset
    }

    /// The preset's channels of a transmitter, (C, N, N) in [-1, 1]; N is the scene's size.
    ///
    /// # Errors
    /// A transmitter off the map or indoors, a scene on a grid that the network says no maps of ([`Preset::quantile_grids`]).
    pub fn condition(&self, scene: &PreparedScene, ends: &LinkEnds) -> Result<Vec<f32>, PipelineError<Infallible>> {
        condition_on(self.preset().quantile_grids(), self.preset(), scene, ends)
    }

    /// The quantiles of a transmitter's path gain in every pixel, in dB, NaN inside buildings: a map for each of
    /// [`probabilities`](crate::model::quantiles::probabilities), ascending. The transmitter stands outdoors.
    ///
    /// # Errors
    /// Those of [`Self::condition`], an engine that fails, gray levels that are not finite.
    pub async fn draw(&self, e: &E, scene: &PreparedScene, ends: &LinkEnds) -> Result<Vec<RadioMap>, PipelineError<Infallible>> {
        self.draw_of(e, scene, &self.condition(scene, ends)?).await
    }

    /// As [`Self::draw`], with what [`Self::condition`] gave for the scene and the transmitter.
    ///
    /// # Errors
    /// An engine that fails, gray levels that are not finite.
    pub async fn draw_of(&self, e: &E, scene: &PreparedScene, channels: &[f32]) -> Result<Vec<RadioMap>, PipelineError<Infallible>> {
        let (preset, grid, mask) = (self.preset(), scene.grid(), scene.mask());
        let gray = self.draw_gray(e, channels, grid.size).await?;
        let mut maps: Vec<RadioMap> = gray.chunks_exact(grid.pixels()).map(|gray| preset.gray.decode_map(gray, grid, mask)).collect();
        widen(maps.iter_mut().map(|map| map.values.as_mut_slice()), self.widening);
        Ok(maps)
    }

    /// A condition's channels, (C, N, N) -> the quantiles' gray levels, (Q, N, N). Maps that the network's halvings do not divide are
    /// padded to the south and to the east.
    ///
    /// # Errors
    /// An engine that fails, gray levels that are not finite.
    pub async fn draw_gray(&self, e: &E, channels: &[f32], size: usize) -> Result<Vec<f32>, PipelineError<Infallible>> {
        let preset = self.preset();
        let reduction = preset.quantiles.as_ref().map_or(1, QuantilesPreset::reduction);
        let side = size.next_multiple_of(reduction);
        let shape = [1, preset.condition.channels.len(), side, side];
        if side == size {
            return read_gray(e, &self.model.gray(e, &e.tensor(channels, &shape))).await;
        }
        let condition = e.tensor(&resized(channels, size, side), &shape);
        Ok(resized(&read_gray(e, &self.model.gray(e, &condition)).await?, side, size))
    }
}

/// The network of a weights file.
pub enum NetworkPipeline<E: Engine> {
    Samples(Box<Pipeline<E>>),
    Quantiles(Box<QuantilePipeline<E>>),
}

impl<E: Engine> NetworkPipeline<E> {
    /// Builds the network on the engine; quantiles are widened as the file says.
    ///
    /// # Errors
    /// Tensors that do not fit the file's preset.
    pub fn build(checkpoint: &Checkpoint, e: &E) -> Result<Self, WeightsError> {
        Ok(if checkpoint.holds_quantiles() {
            let widening = checkpoint.manifest().widening();
            Self::Quantiles(Box::new(QuantilePipeline::new(checkpoint.build_quantiles(e)?).widened(widening)))
        } else {
            Self::Samples(Box::new(Pipeline::new(checkpoint.build(e)?)))
        })
    }

    pub fn preset(&self) -> &Preset {
        match self {
            Self::Samples(pipeline) => pipeline.preset(),
            Self::Quantiles(pipeline) => pipeline.preset(),
        }
    }

    /// What the network is told of a transmitter: see [`Pipeline::condition`] and [`QuantilePipeline::condition`].
    ///
    /// # Errors
    /// Theirs.
    pub fn condition(&self, scene: &PreparedScene, ends: &LinkEnds) -> Result<Vec<f32>, PipelineError<Infallible>> {
        match self {
            Self::Samples(pipeline) => pipeline.condition(scene, ends),
            Self::Quantiles(pipeline) => pipeline.condition(scene, ends),
        }
    }
}

/// Square planes cut to another side, or padded to it by their last row and column.
fn resized(planes: &[f32], from: usize, to: usize) -> Vec<f32> {
    let source = |i: usize| (i / to).min(from - 1) * from + (i % to).min(from - 1);
    planes.chunks_exact(from * from).flat_map(|plane| (0..to * to).map(move |i| plane[source(i)])).collect()
}

/// The channels, all -1, of a place without buildings and transmitter. Drawing it compiles an engine's kernels and maps its memory before the
/// first real request.
pub fn empty_condition(preset: &Preset) -> Vec<f32> {
    vec![-1.0; preset.condition.channels.len() * preset.map_size * preset.map_size]
}

/// A preset's channels of a transmitter in a scene on one of the grids, (C, N, N) in [-1, 1].
fn condition_on<S>(grids: GridRange, preset: &Preset, scene: &PreparedScene, ends: &LinkEnds) -> Result<Vec<f32>, PipelineError<S>> {
    let Grid { size, meters_per_pixel } = scene.grid();
    if !grids.contains(scene.grid()) {
        return Err(PipelineError::Grid { size, meters_per_pixel, preset: preset.name.clone(), expected: grids });
    }
    Ok(condition(scene, ends, &preset.condition.channels, &preset.gray)?)
}

/// Gray levels off the device.
async fn read_gray<E: Engine, S>(e: &E, levels: &E::Tensor) -> Result<Vec<f32>, PipelineError<S>> {
    let gray = e.read(levels).await?;
    // Finite weights can still divide by zero on the way, and a map's NaN means "inside a building".
    match gray.iter().filter(|level| !level.is_finite()).count() {
        0 => Ok(gray),
        count => Err(PipelineError::NotFinite { count, of: gray.len() }),
    }
}

/// Draws a map of a condition on the device, from noise: (1, C, H, W) -> gray levels (1, 1, H, W) in [0, 1]. Nothing is cached, so
/// the model's weights may have changed since the last call; gradients flow where the engine records them.
pub async fn draw_on_device<E: Engine>(e: &E, model: &RadioDiff<E>, condition: &E::Tensor, options: &SampleOptions) -> E::Tensor {
    model.decode_gray(e, &sample_latent(e, model, condition, options).await, condition)
}

/// As [`draw_on_device`], but the scaled latent (1, Z, h, w) before it is decoded.
pub async fn sample_latent<E: Engine>(e: &E, model: &RadioDiff<E>, condition: &E::Tensor, options: &SampleOptions) -> E::Tensor {
    let encode = || EncodedScene { condition: condition.clone(), features: model.denoiser.encode_condition(e, condition) };
    match sample(e, model, encode, model.begin(e, 1, options), no_hook).await {
        Ok((latent, _)) => latent,
        Err(never) => match never {},
    }
}

/// Takes every step of the sampler; returns the latent and the encoded scene. `hook` is awaited before the condition is encoded, which
/// it may make unnecessary, and after each step.
async fn sample<E: Engine, S>(
    e: &E,
    model: &RadioDiff<E>,
    encode: impl FnOnce() -> EncodedScene<E::Tensor>,
    mut sampling: Sampling<E::Tensor>,
    mut hook: impl AsyncFnMut(SamplingProgress) -> Result<(), S>,
) -> Result<(E::Tensor, EncodedScene<E::Tensor>), S> {
    let steps = sampling.steps();
    hook(SamplingProgress { done: 0, steps }).await?;
    let scene = encode();
    while model.advance(e, &scene.features, &mut sampling) {
        hook(SamplingProgress { done: sampling.done(), steps }).await?;
    }
    Ok((sampling.latent, scene))
}
