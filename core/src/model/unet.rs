//! The conditional U-Net with two decoders (DiffusionEdge, Ye et al., 2024).
//!
//! In flow a noisy latent, a time and the scene's features; out flow F1 and F2, from which the diffusion process computes its drift
//! and its noise. Both decoders share the encoder's skips. See docs/radiodiff.md, "U-Net".

use super::preset::UnetPreset;
use crate::engine::Engine;
use crate::layers::{
    AdaptiveFourier, Conv2d, FullAttention, GroupNorm, LinearAttention, ModulatedResnetBlock, RelationLayer, RelationShape, TimeEmbedding,
};
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

/// Level i of the encoder: x1 = res1(x), x2 = attention(res2(relation(condition, x1))), y = down(x2). x1 and x2 are the level's skips.
/// Channels d_i and size h / 2^i stay until `down` gives d_(i+1) channels and halves the size; the last level keeps its size.
struct DownLevel<E: Engine> {
    res1: Rc<ModulatedResnetBlock<E>>,
    relation: Rc<RelationLayer<E>>,
    res2: Rc<ModulatedResnetBlock<E>>,
    attention: Rc<LinearAttention<E>>,
    down: Conv2d<E>,
}

/// Level i of a decoder: x1 = res1([x, skip]), x2 = attention(res2([relation(condition, x1), skip])), y = up(x2). `up` gives d_i
/// channels and doubles the size (nearest neighbour, then a 3 x 3 convolution); the finest level keeps its size.
struct UpLevel<E: Engine> {
    res1: Rc<ModulatedResnetBlock<E>>,
    relation: Rc<RelationLayer<E>>,
    res2: Rc<ModulatedResnetBlock<E>>,
    attention: Rc<LinearAttention<E>>,
    up: Conv2d<E>,
    doubles: bool,
}

/// One of the two decoders: an adaptive FFT layer where the preset has it, a level for each of the encoder's from the deepest on, then
/// conv(res([x, stem])).
struct UnetDecoder<E: Engine> {
    decouple: Option<AdaptiveFourier<E>>,
    ups: Vec<UpLevel<E>>,
    final_block: Rc<ModulatedResnetBlock<E>>,
    final_conv: Conv2d<E>,
}

impl<E: Engine> UnetDecoder<E> {
    /// Decoder 1 or 2. The names of the second decoder end in "2".
    fn new(vb: &VarBuilder<E>, preset: &UnetPreset, number: usize) -> Result<Self, ParameterError> {
        let suffix = if number == 1 { "" } else { "2" };
        let named = |name: &str| vb.pp(format!("{name}{suffix}"));
        let modulated =
            |vb: &VarBuilder<E>, input, output| ModulatedResnetBlock::new(vb, input, output, preset.time_width, preset.norm_groups);
        let dims = preset.dims();
        let levels = dims.len() - 1;
        let mut ups = Vec::new();
        for j in 0..levels {
            let level = levels - 1 - j;
            let (input, output) = (dims[level], dims[level + 1]);
            let vb = named("ups").pp(j);
            let relation = RelationShape {
                condition: input,
                feature: output,
                embedding: output,
                window: preset.relation_windows[level],
                groups: preset.norm_groups,
            };
            let doubles = level > 0;
            let up = if doubles { vb.pp("3.1") } else { vb.pp(3) };
            ups.push(UpLevel {
                res1: modulated(&vb.pp(0), output + input, output)?,
                relation: RelationLayer::new(&named("relation_layers_up").pp(j), relation)?,
                res2: modulated(&vb.pp(1), output + input, output)?,
                attention: LinearAttention::new(&vb.pp(2), output, preset.heads, preset.head_width)?,
                up: Conv2d::same(&up, output, input, 3)?,
                doubles,
            });
        }
        let decouple = || AdaptiveFourier::new(&vb.pp(format!("decouple{number}")), dims[levels], preset.bottleneck(), preset.norm_groups);
        Ok(Self {
            decouple: preset.adaptive_fourier.then(decouple).transpose()?,
            ups,
            final_block: modulated(&named("final_res_block"), 2 * preset.width, preset.width)?,
            final_conv: Conv2d::same(&named("final_conv"), preset.width, preset.latent_channels, 1)?,
        })
    }

    /// `middle` (N, d_last, b, b), two skips and one condition a level, `stem` (N, width, h, w) -> (N, Z, h, w).
    fn forward(
        &self,
        e: &E,
        middle: &E::Tensor,
        skips: &[E::Tensor],
        condition: &[E::Tensor],
        stem: &E::Tensor,
        time: &E::Tensor,
    ) -> E::Tensor {
        let mut x = self.decouple.as_ref().map_or_else(|| middle.clone(), |layer| layer.forward(e, middle));
        let mut skips = skips.iter().rev();
        let mut with_skip = |x: &E::Tensor| match skips.next() {
            Some(skip) => e.concat(&[x, skip], 1),
            None => unreachable!("the encoder pushes two skips a level"),
        };
        for (level, condition) in self.ups.iter().zip(condition.iter().rev()) {
            x = level.res1.forward(e, &with_skip(&x), time);
            x = level.relation.forward(e, condition, &x);
            x = level.res2.forward(e, &with_skip(&x), time);
            x = level.attention.forward(e, &x);
            x = if level.doubles { level.up.forward_doubled(e, &x) } else { level.up.forward(e, &x) };
        }
        let x = self.final_block.forward(e, &e.concat(&[&x, stem], 1), time);
        self.final_conv.forward(e, &x)
    }
}

/// The network's raw outputs, before [`crate::diffusion::precondition`] makes drift and noise of them; both (N, Z, h, w).
pub struct UnetOutput<T> {
    /// F1, from which the drift C is computed.
    pub raw_drift: T,
    /// F2, from which the noise is computed; only where it was asked for.
    pub raw_noise: Option<T>,
}

/// The features of a scene in the form the U-Net takes them: computed once a scene, used at every step.
#[derive(Clone)]
pub struct EncodedCondition<T> {
    /// The encoder's first stage, as large as the latent.
    stem: T,
    /// One map a level, projected to the level's channels.
    levels: Vec<T>,
}

impl<T> EncodedCondition<T> {
    /// One scene's features, `samples` times: for a batch of maps of that scene.
    pub fn repeated<E: Engine<Tensor = T>>(&self, e: &E, samples: usize) -> Self {
        let repeat = |x: &T| e.gather_rows(x, &vec![0; samples]);
        Self { stem: repeat(&self.stem), levels: self.levels.iter().map(repeat).collect() }
    }
}

/// The network: stem(x_t, condition), the encoder's levels, the middle res(attention(res(x))), and two decoders over the same skips.
///
/// With channels d_0 (the stem's) to d_L, level i < L takes (N, d_i, h / 2^i, w / 2^i) and the middle takes (N, d_L, b, b),
/// b = h / 2^(L - 1).
pub struct Unet<E: Engine> {
    projects: Vec<Conv2d<E>>,
    init_conv: Conv2d<E>,
    init_norm: GroupNorm<E>,
    time: TimeEmbedding<E>,
    downs: Vec<DownLevel<E>>,
    mid_block1: Rc<ModulatedResnetBlock<E>>,
    mid_attn: Rc<FullAttention<E>>,
    mid_block2: Rc<ModulatedResnetBlock<E>>,
    decoder1: UnetDecoder<E>,
    decoder2: UnetDecoder<E>,
}

impl<E: Engine> Unet<E> {
    /// `condition_widths` are the channels of the condition encoder's stages, one a level. The preset has been validated.
    pub fn new(vb: &VarBuilder<E>, preset: &UnetPreset, condition_widths: &[usize]) -> Result<Self, ParameterError> {
        let modulated =
            |vb: &VarBuilder<E>, input, output| ModulatedResnetBlock::new(vb, input, output, preset.time_width, preset.norm_groups);
        let dims = preset.dims();
        let levels = dims.len() - 1;
        let mut projects = Vec::new();
        let mut downs = Vec::new();
        for level in 0..levels {
            let (input, output) = (dims[level], dims[level + 1]);
            projects.push(Conv2d::same(&vb.pp("projects").pp(level), condition_widths[level], input, 1)?);
            let relation = RelationShape {
                condition: input,
                feature: input,
                embedding: input,
                window: preset.relation_windows[level],
                groups: preset.norm_groups,
            };
            let relation = RelationLayer::new(&vb.pp("relation_layers_down").pp(level), relation)?;
            let vb = vb.pp("downs").pp(level);
            let down = vb.pp(3);
            downs.push(DownLevel {
                res1: modulated(&vb.pp(0), input, input)?,
                relation,
                res2: modulated(&vb.pp(1), input, input)?,
                attention: LinearAttention::new(&vb.pp(2), input, preset.heads, preset.head_width)?,
                down: if level + 1 < levels { Conv2d::halving(&down, input, output)? } else { Conv2d::same(&down, input, output, 3)? },
            });
        }
        let middle = dims[levels];
        Ok(Self {
            projects,
            init_conv: Conv2d::same(&vb.pp("init_conv.0"), preset.latent_channels + condition_widths[0], preset.width, preset.stem_kernel)?,
            init_norm: GroupNorm::new(&vb.pp("init_conv.1"), preset.width, preset.norm_groups, 1e-5)?,
            time: TimeEmbedding::new(&vb.pp("time_mlp"), preset.time_frequencies, preset.time_width)?,
            downs,
            mid_block1: modulated(&vb.pp("mid_block1"), middle, middle)?,
            mid_attn: FullAttention::new(&vb.pp("mid_attn"), middle, preset.heads, preset.head_width)?,
            mid_block2: modulated(&vb.pp("mid_block2"), middle, middle)?,
            decoder1: UnetDecoder::new(vb, preset, 1)?,
            decoder2: UnetDecoder::new(vb, preset, 2)?,
        })
    }

    /// Projects the condition encoder's stages to the levels' channels; independent of time and noise. `stages[i]` is
    /// (N, condition_widths[i], h / 2^i, w / 2^i). The public code resizes the first one to the latent's size; here a preset ensures it.
    pub fn encode_condition(&self, e: &E, stages: &[E::Tensor]) -> EncodedCondition<E::Tensor> {
        EncodedCondition {
            stem: stages[0].clone(),
            levels: self.projects.iter().zip(stages).map(|(project, stage)| project.forward(e, stage)).collect(),
        }
    }

    /// x_t (N, Z, h, w) at `times` (N values in (0, 1]) -> F1 and, `with_noise`, F2, each (N, Z, h, w).
    pub fn forward(
        &self,
        e: &E,
        x_t: &E::Tensor,
        times: &[f32],
        condition: &EncodedCondition<E::Tensor>,
        with_noise: bool,
    ) -> UnetOutput<E::Tensor> {
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
        let run = |decoder: &UnetDecoder<E>| decoder.forward(e, &middle, &skips, &condition.levels, &stem, &time);
        UnetOutput { raw_drift: run(&self.decoder1), raw_noise: with_noise.then(|| run(&self.decoder2)) }
    }
}
