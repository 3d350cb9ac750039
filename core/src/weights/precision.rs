//! The element type that weights are written in.

/// The fewest and the most steps of 8-bit weights to a channel's root mean square.
pub(super) const LEAST_LEVELS: f32 = 1.0;
pub(super) const MOST_LEVELS: f32 = 64.0;

/// Element type of a written file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    F32,
    F16,
    /// 8-bit integers with a scale for each output channel, of which `levels` (1 to 64) are the root mean square of a channel's weights;
    /// what has no channels of weights is float16. With 8 levels a gzipped weight takes some 5.4 bits.
    Int8 {
        levels: f32,
    },
}
