//! The conditional U-Net with two decoders: from a noisy latent, a time and the scene's features to the two parts F1 and F2 that
//! the decoupled process needs. Source: shared/radiodiff-spec.md, sections 4.2 to 4.6.

use super::attention::{FullAttention, LinearAttention};
use super::fourier::AdaptiveFourier;
use super::layers::{Conv2d, GroupNorm, HALVE, Linear, WeightStandardizedConv};
use super::preset::UnetPreset;
use super::relation::{RelationLayer, RelationShape, resize};
use crate::engine::{ConvGeometry, Engine, Unary};
use crate::weights::{Initializer, ParameterError, Parameters};
use std::f32::consts::TAU;

/// Weight-standardised convolution, group norm, optional scale and shift, SiLU.
struct Block<T> {
    proj: WeightStandardizedConv<T>,
    norm: GroupNorm<T>,
}

impl<T: Clone> Block<T> {
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize, groups: usize) -> Result<Self, ParameterError> {
        let proj = WeightStandardizedConv::new(&p.at("proj"), input, output)?;
        Ok(Self { proj, norm: GroupNorm::new(&p.at("norm"), output, groups, 1e-5)? })
    }

    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        self.norm.forward_silu(e, &self.proj.forward(e, x))
    }

    /// `scale` and `shift` are (N, C, 1, 1); the scale is relative to 1.
    fn forward_modulated<E: Engine<Tensor = T>>(&self, e: &E, x: &T, scale: &T, shift: &T) -> T {
        let h = self.norm.forward(e, &self.proj.forward(e, x));
        e.silu(&e.add(&e.mul(&h, &e.affine(scale, 1.0, 1.0)), shift))
    }
}

/// Two blocks, the first modulated by the time embedding, plus the input.
pub(super) struct ResnetBlock<T> {
    mlp: Linear<T>,
    block1: Block<T>,
    block2: Block<T>,
    res_conv: Option<Conv2d<T>>,
    output: usize,
}

impl<T: Clone> ResnetBlock<T> {
    pub(super) fn new<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        input: usize,
        output: usize,
        preset: &UnetPreset,
    ) -> Result<Self, ParameterError> {
        Ok(Self {
            mlp: Linear::new(&p.at("mlp.1"), preset.time_width, 2 * output)?,
            block1: Block::new(&p.at("block1"), input, output, preset.norm_groups)?,
            block2: Block::new(&p.at("block2"), output, output, preset.norm_groups)?,
            res_conv: (input != output).then(|| Conv2d::same(&p.at("res_conv"), input, output, 1)).transpose()?,
            output,
        })
    }

    /// x (N, input, H, W), `time` (N, time_width) after SiLU.
    pub(super) fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T, time: &T) -> T {
        let modulation = self.mlp.forward(e, time);
        let batch = e.shape(time)[0];
        let part = |i: usize| e.reshape(&e.narrow(&modulation, 1, i * self.output, self.output), &[batch, self.output, 1, 1]);
        let h = self.block2.forward(e, &self.block1.forward_modulated(e, x, &part(0), &part(1)));
        match &self.res_conv {
            Some(conv) => e.add(&h, &conv.forward(e, x)),
            None => e.add(&h, x),
        }
    }
}

/// log(t) / 4 through fixed random frequencies and a two-layer network.
pub(super) struct TimeEmbedding<T> {
    frequencies: T,
    hidden: Linear<T>,
    out: Linear<T>,
    count: usize,
}

impl<T: Clone> TimeEmbedding<T> {
    pub(super) fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &UnetPreset) -> Result<Self, ParameterError> {
        let count = preset.time_frequencies;
        Ok(Self {
            frequencies: p.at(0).fixed("W", &[count], Initializer::Normal { std: 16.0 })?,
            hidden: Linear::new(&p.at(1), 2 * count, preset.time_width)?,
            out: Linear::new(&p.at(3), preset.time_width, preset.time_width)?,
            count,
        })
    }

    /// Times in (0, 1], one a sample -> (N, time_width).
    pub(super) fn forward<E: Engine<Tensor = T>>(&self, e: &E, times: &[f32]) -> T {
        let logs: Vec<f32> = times.iter().map(|&t| libm::logf(t) / 4.0).collect();
        // In the public code's order: angles of many turns show how they were rounded.
        let turns = e.mul(&e.tensor(&logs, &[logs.len(), 1]), &self.frequencies);
        let phase = e.reshape(&e.affine(&turns, TAU, 0.0), &[logs.len(), self.count]);
        let waves = e.concat(&[&e.unary(Unary::Sin, &phase), &e.unary(Unary::Cos, &phase)], 1);
        self.out.forward(e, &e.unary(Unary::Gelu, &self.hidden.forward(e, &waves)))
    }
}

struct DownLevel<T> {
    res1: ResnetBlock<T>,
    relation: RelationLayer<T>,
    res2: ResnetBlock<T>,
    attention: LinearAttention<T>,
    down: Conv2d<T>,
}

struct UpLevel<T> {
    res1: ResnetBlock<T>,
    relation: RelationLayer<T>,
    res2: ResnetBlock<T>,
    attention: LinearAttention<T>,
    up: Conv2d<T>,
    doubles: bool,
}

/// One of the two decoders, with its branch of the adaptive FFT module and its last layers.
struct Decoder<T> {
    decouple: AdaptiveFourier<T>,
    ups: Vec<UpLevel<T>>,
    final_block: ResnetBlock<T>,
    final_conv: Conv2d<T>,
}

impl<T: Clone> Decoder<T> {
    /// `suffix` is what the second decoder's names end in: "" or "2".
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &UnetPreset, number: usize) -> Result<Self, ParameterError> {
        let suffix = if number == 1 { "" } else { "2" };
        let named = |name: &str| p.at(format!("{name}{suffix}"));
        let dims = preset.dims();
        let levels = dims.len() - 1;
        let mut ups = Vec::new();
        for j in 0..levels {
            let level = levels - 1 - j;
            let (input, output) = (dims[level], dims[level + 1]);
            let p = named("ups").at(j);
            let relation = RelationShape {
                condition: input,
                feature: output,
                embedding: output,
                window: preset.relation_windows[level],
                groups: preset.norm_groups,
            };
            let doubles = level > 0;
            let up = if doubles { p.at("3.1") } else { p.at(3) };
            ups.push(UpLevel {
                res1: ResnetBlock::new(&p.at(0), output + input, output, preset)?,
                relation: RelationLayer::new(&named("relation_layers_up").at(j), relation)?,
                res2: ResnetBlock::new(&p.at(1), output + input, output, preset)?,
                attention: LinearAttention::new(&p.at(2), output, preset.heads, preset.head_width)?,
                up: Conv2d::same(&up, output, input, 3)?,
                doubles,
            });
        }
        Ok(Self {
            decouple: AdaptiveFourier::new(&p.at(format!("decouple{number}")), dims[levels], preset.bottleneck(), preset.norm_groups)?,
            ups,
            final_block: ResnetBlock::new(&named("final_res_block"), 2 * preset.width, preset.width, preset)?,
            final_conv: Conv2d::same(&named("final_conv"), preset.width, preset.latent_channels, 1)?,
        })
    }

    fn forward<E: Engine<Tensor = T>>(&self, e: &E, middle: &T, skips: &[T], condition: &[T], stem: &T, time: &T) -> T {
        let mut x = self.decouple.forward(e, middle);
        let mut skips = skips.iter().rev();
        let mut with_skip = |x: &T| match skips.next() {
            Some(skip) => e.concat(&[x, skip], 1),
            None => unreachable!("the encoder pushes two skips a level"),
        };
        for (level, condition) in self.ups.iter().zip(condition.iter().rev()) {
            x = level.res1.forward(e, &with_skip(&x), time);
            x = level.relation.forward(e, condition, &x);
            x = level.res2.forward(e, &with_skip(&x), time);
            x = level.attention.forward(e, &x);
            x = level.up.forward(e, &if level.doubles { e.upsample_nearest_2x(&x) } else { x });
        }
        let x = self.final_block.forward(e, &e.concat(&[&x, stem], 1), time);
        self.final_conv.forward(e, &x)
    }
}

/// The network's two raw outputs, before preconditioning; the second is only computed when asked for.
pub struct Heads<T> {
    pub f1: T,
    pub f2: Option<T>,
}

/// The features of a scene as the U-Net wants them: computed once, used at every step.
pub struct EncodedCondition<T> {
    /// The first stage as it came, at the latent's size.
    stem: T,
    /// One map per level, projected to the level's channels.
    levels: Vec<T>,
}

pub struct Unet<T> {
    projects: Vec<Conv2d<T>>,
    init_conv: Conv2d<T>,
    init_norm: GroupNorm<T>,
    time: TimeEmbedding<T>,
    downs: Vec<DownLevel<T>>,
    mid_block1: ResnetBlock<T>,
    mid_attn: FullAttention<T>,
    mid_block2: ResnetBlock<T>,
    decoder1: Decoder<T>,
    decoder2: Decoder<T>,
    latent_size: usize,
}

impl<T: Clone> Unet<T> {
    /// `condition_widths`: channels of the condition encoder's stages, one a level.
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &UnetPreset, condition_widths: &[usize]) -> Result<Self, ParameterError> {
        let dims = preset.dims();
        let levels = dims.len() - 1;
        let mut projects = Vec::new();
        let mut downs = Vec::new();
        for level in 0..levels {
            let (input, output) = (dims[level], dims[level + 1]);
            projects.push(Conv2d::same(&p.at("projects").at(level), condition_widths[level], input, 1)?);
            let relation = RelationShape {
                condition: input,
                feature: input,
                embedding: input,
                window: preset.relation_windows[level],
                groups: preset.norm_groups,
            };
            let relation = RelationLayer::new(&p.at("relation_layers_down").at(level), relation)?;
            let p = p.at("downs").at(level);
            let (kernel, geometry) = if level + 1 < levels { (4, HALVE) } else { (3, ConvGeometry::same(3)) };
            downs.push(DownLevel {
                res1: ResnetBlock::new(&p.at(0), input, input, preset)?,
                relation,
                res2: ResnetBlock::new(&p.at(1), input, input, preset)?,
                attention: LinearAttention::new(&p.at(2), input, preset.heads, preset.head_width)?,
                down: Conv2d::new(&p.at(3), input, output, kernel, geometry)?,
            });
        }
        let middle = dims[levels];
        Ok(Self {
            projects,
            init_conv: Conv2d::same(&p.at("init_conv.0"), preset.latent_channels + condition_widths[0], preset.width, preset.stem_kernel)?,
            init_norm: GroupNorm::new(&p.at("init_conv.1"), preset.width, preset.norm_groups, 1e-5)?,
            time: TimeEmbedding::new(&p.at("time_mlp"), preset)?,
            downs,
            mid_block1: ResnetBlock::new(&p.at("mid_block1"), middle, middle, preset)?,
            mid_attn: FullAttention::new(&p.at("mid_attn"), middle, preset.heads, preset.head_width)?,
            mid_block2: ResnetBlock::new(&p.at("mid_block2"), middle, middle, preset)?,
            decoder1: Decoder::new(p, preset, 1)?,
            decoder2: Decoder::new(p, preset, 2)?,
            latent_size: preset.latent_size,
        })
    }

    /// What a scene's stages contribute; it depends on neither time nor noise.
    pub fn encode_condition<E: Engine<Tensor = T>>(&self, e: &E, stages: &[T]) -> EncodedCondition<T> {
        EncodedCondition {
            stem: resize(e, &stages[0], self.latent_size, self.latent_size),
            levels: self.projects.iter().zip(stages).map(|(project, stage)| project.forward(e, stage)).collect(),
        }
    }

    /// x_t (N, Z, h, w) at `times` (N values in (0, 1]).
    pub fn forward<E: Engine<Tensor = T>>(
        &self,
        e: &E,
        x_t: &T,
        times: &[f32],
        condition: &EncodedCondition<T>,
        with_second: bool,
    ) -> Heads<T> {
        let stem = self.init_norm.forward(e, &self.init_conv.forward(e, &e.concat(&[x_t, &condition.stem], 1)));
        let time = e.silu(&self.time.forward(e, times));
        let mut x = stem.clone();
        let mut skips = Vec::with_capacity(2 * self.downs.len());
        for (level, condition) in self.downs.iter().zip(&condition.levels) {
            x = level.res1.forward(e, &x, &time);
            skips.push(x.clone());
            x = level.relation.forward(e, condition, &x);
            x = level.attention.forward(e, &level.res2.forward(e, &x, &time));
            skips.push(x.clone());
            x = level.down.forward(e, &x);
        }
        let x = self.mid_attn.forward(e, &self.mid_block1.forward(e, &x, &time));
        let middle = self.mid_block2.forward(e, &x, &time);
        let run = |decoder: &Decoder<T>| decoder.forward(e, &middle, &skips, &condition.levels, &stem, &time);
        Heads { f1: run(&self.decoder1), f2: with_second.then(|| run(&self.decoder2)) }
    }
}
