//! The conditional U-Net with two decoders: from a noisy latent, a time and the scene's features to the two parts F1 and F2 that
//! the decoupled process needs. Source: shared/radiodiff-spec.md, sections 4.2 to 4.6.

use super::attention::{FullAttention, LinearAttention};
use super::fourier::AdaptiveFourier;
use super::layers::{Conv2d, GroupNorm, Linear, WeightStandardizedConv};
use super::preset::UnetPreset;
use super::relation::{RelationLayer, RelationShape};
use crate::engine::{Engine, Unary};
use crate::weights::{Initializer, ParameterError, Parameters};
use std::f32::consts::TAU;

/// y = SiLU(norm(conv(x)) (1 + scale) + shift): a weight-standardised 3 x 3 convolution and group normalisation; scale and shift
/// of FiLM (Perez et al., 2018) only where the time modulates. Source: shared/radiodiff-spec.md, section 4.3.
struct Block<T> {
    proj: WeightStandardizedConv<T>,
    norm: GroupNorm<T>,
}

impl<T: Clone> Block<T> {
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize, groups: usize) -> Result<Self, ParameterError> {
        let proj = WeightStandardizedConv::new(&p.at("proj"), input, output)?;
        Ok(Self { proj, norm: GroupNorm::new(&p.at("norm"), output, groups, 1e-5)? })
    }

    /// Without scale and shift. (N, input, H, W) -> (N, output, H, W).
    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        self.norm.forward_silu(e, &self.proj.forward(e, x))
    }

    /// (N, input, H, W) -> (N, output, H, W). `scale` and `shift` are (N, C, 1, 1); the scale is relative to 1.
    fn forward_modulated<E: Engine<Tensor = T>>(&self, e: &E, x: &T, scale: &T, shift: &T) -> T {
        let h = self.norm.forward(e, &self.proj.forward(e, x));
        e.silu(&e.add(&e.mul(&h, &e.affine(scale, 1.0, 1.0)), shift))
    }
}

/// y = block2(block1(x; scale, shift)) + x, the last through 1 x 1 where the channels differ; (scale, shift) = W SiLU(time) + b.
/// Source: shared/radiodiff-spec.md, section 4.3.
pub(super) struct TimedResnetBlock<T> {
    mlp: Linear<T>,
    block1: Block<T>,
    block2: Block<T>,
    res_conv: Option<Conv2d<T>>,
    output: usize,
}

impl<T: Clone> TimedResnetBlock<T> {
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

    /// x (N, input, H, W), `time` (N, time_width) after SiLU -> (N, output, H, W).
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

/// y = W2 GELU(W1 [sin(2 pi w u), cos(2 pi w u)] + b1) + b2, u = log(t) / 4, w fixed random frequencies with standard deviation 16
/// (Gaussian Fourier features, Tancik et al., 2020). Source: shared/radiodiff-spec.md, section 4.2.
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

/// Level i of the encoder, whose channels d_i and size h / 2^i stay until `down` makes them d_(i+1) and half, on the last level
/// of the same size: x1 = res1(x), x2 = attention(res2(relation(condition, x1))), then down(x2). x1 and x2 are kept as skips.
struct DownLevel<T> {
    res1: TimedResnetBlock<T>,
    relation: RelationLayer<T>,
    res2: TimedResnetBlock<T>,
    attention: LinearAttention<T>,
    down: Conv2d<T>,
}

/// Level i of a decoder: x = res1([x, skip]), attention(res2([relation(condition, x), skip])), then up, which makes the channels
/// d_(i+1) to d_i and the size twice (nearest, and a 3 x 3 convolution), at the finest level no larger.
struct UpLevel<T> {
    res1: TimedResnetBlock<T>,
    relation: RelationLayer<T>,
    res2: TimedResnetBlock<T>,
    attention: LinearAttention<T>,
    up: Conv2d<T>,
    doubles: bool,
}

/// One of the two decoders: its branch of the adaptive FFT module, a level for each of the encoder's from the deepest, and
/// conv(res([x, stem])). Source: shared/radiodiff-spec.md, section 4.6.
struct DecoderBranch<T> {
    decouple: AdaptiveFourier<T>,
    ups: Vec<UpLevel<T>>,
    final_block: TimedResnetBlock<T>,
    final_conv: Conv2d<T>,
}

impl<T: Clone> DecoderBranch<T> {
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
                res1: TimedResnetBlock::new(&p.at(0), output + input, output, preset)?,
                relation: RelationLayer::new(&named("relation_layers_up").at(j), relation)?,
                res2: TimedResnetBlock::new(&p.at(1), output + input, output, preset)?,
                attention: LinearAttention::new(&p.at(2), output, preset.heads, preset.head_width)?,
                up: Conv2d::same(&up, output, input, 3)?,
                doubles,
            });
        }
        Ok(Self {
            decouple: AdaptiveFourier::new(&p.at(format!("decouple{number}")), dims[levels], preset.bottleneck(), preset.norm_groups)?,
            ups,
            final_block: TimedResnetBlock::new(&named("final_res_block"), 2 * preset.width, preset.width, preset)?,
            final_conv: Conv2d::same(&named("final_conv"), preset.width, preset.latent_channels, 1)?,
        })
    }

    /// `middle` (N, d_last, b, b), two skips and one condition a level, `stem` (N, width, h, w) -> (N, Z, h, w).
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

/// The network's two raw outputs (N, Z, h, w), before [`crate::diffusion::precondition`]; the second is only computed when asked
/// for.
pub struct Heads<T> {
    pub f1: T,
    pub f2: Option<T>,
}

/// The features of a scene as the U-Net wants them: computed once, used at every step.
#[derive(Clone)]
pub struct EncodedCondition<T> {
    /// The first stage as it came; it is as large as the latent.
    stem: T,
    /// One map per level, projected to the level's channels.
    levels: Vec<T>,
}

/// The network: stem(x_t, condition), levels down, the middle res(attention(res(x))), and two decoders over the same skips.
///
/// With dims d_0 (the stem's) to d_L: level i < L takes (N, d_i, h / 2^i, w / 2^i), the middle (N, d_L, b, b), b = h / 2^(L - 1).
/// Source: shared/radiodiff-spec.md, section 4.6; the two decoders are DiffusionEdge's (Ye et al., 2024).
pub struct Unet<T> {
    projects: Vec<Conv2d<T>>,
    init_conv: Conv2d<T>,
    init_norm: GroupNorm<T>,
    time: TimeEmbedding<T>,
    downs: Vec<DownLevel<T>>,
    mid_block1: TimedResnetBlock<T>,
    mid_attn: FullAttention<T>,
    mid_block2: TimedResnetBlock<T>,
    decoder1: DecoderBranch<T>,
    decoder2: DecoderBranch<T>,
}

impl<T: Clone> Unet<T> {
    /// Names are the public code's; `condition_widths` are the channels of the condition encoder's stages, one a level.
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
            let down = p.at(3);
            downs.push(DownLevel {
                res1: TimedResnetBlock::new(&p.at(0), input, input, preset)?,
                relation,
                res2: TimedResnetBlock::new(&p.at(1), input, input, preset)?,
                attention: LinearAttention::new(&p.at(2), input, preset.heads, preset.head_width)?,
                down: if level + 1 < levels { Conv2d::halving(&down, input, output)? } else { Conv2d::same(&down, input, output, 3)? },
            });
        }
        let middle = dims[levels];
        Ok(Self {
            projects,
            init_conv: Conv2d::same(&p.at("init_conv.0"), preset.latent_channels + condition_widths[0], preset.width, preset.stem_kernel)?,
            init_norm: GroupNorm::new(&p.at("init_conv.1"), preset.width, preset.norm_groups, 1e-5)?,
            time: TimeEmbedding::new(&p.at("time_mlp"), preset)?,
            downs,
            mid_block1: TimedResnetBlock::new(&p.at("mid_block1"), middle, middle, preset)?,
            mid_attn: FullAttention::new(&p.at("mid_attn"), middle, preset.heads, preset.head_width)?,
            mid_block2: TimedResnetBlock::new(&p.at("mid_block2"), middle, middle, preset)?,
            decoder1: DecoderBranch::new(p, preset, 1)?,
            decoder2: DecoderBranch::new(p, preset, 2)?,
        })
    }

    /// What a scene's stages contribute; it depends on neither time nor noise. `stages[i]` is (N, condition_widths[i], h / 2^i,
    /// w / 2^i), the first as large as the latent; the public code would resize it to the latent's size, which a preset ensures.
    pub fn encode_condition<E: Engine<Tensor = T>>(&self, e: &E, stages: &[T]) -> EncodedCondition<T> {
        EncodedCondition {
            stem: stages[0].clone(),
            levels: self.projects.iter().zip(stages).map(|(project, stage)| project.forward(e, stage)).collect(),
        }
    }

    /// x_t (N, Z, h, w) at `times` (N values in (0, 1]) -> F1 and, `with_second`, F2, each (N, Z, h, w).
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
        let run = |decoder: &DecoderBranch<T>| decoder.forward(e, &middle, &skips, &condition.levels, &stem, &time);
        Heads { f1: run(&self.decoder1), f2: with_second.then(|| run(&self.decoder2)) }
    }
}
