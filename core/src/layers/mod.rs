//! The layers that the networks are built from, one file a layer: a struct that holds its parameters, a constructor that asks a
//! [`VarBuilder`](crate::parameters::VarBuilder) for them, and `forward` over an [`Engine`](crate::engine::Engine).
//!
//! Initial values are PyTorch's defaults unless a constructor says otherwise. Sizes are plain numbers here; the presets of
//! [`crate::model`] say what they are.

mod act_norm;
mod adaptive_fourier;
mod attention_heads;
mod batch_norm;
mod channel_norm;
mod conv2d;
mod full_attention;
mod group_norm;
mod layer_norm;
mod linear;
mod linear_attention;
mod modulated_resnet_block;
mod patch_merging;
mod pixel_attention;
mod relation;
mod resnet_block;
mod shifted_windows;
mod spectral_conv2d;
mod swin_block;
mod time_embedding;
mod weight_standardized_conv2d;
mod window_attention;

pub use act_norm::ActNorm;
pub use adaptive_fourier::AdaptiveFourier;
pub use batch_norm::BatchNorm;
pub use channel_norm::ChannelNorm;
pub use conv2d::Conv2d;
pub use full_attention::FullAttention;
pub use group_norm::GroupNorm;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use linear_attention::LinearAttention;
pub use modulated_resnet_block::ModulatedResnetBlock;
pub use patch_merging::PatchMerging;
pub use pixel_attention::PixelAttention;
pub use relation::{RELATION_HEADS, RelationLayer, RelationShape};
pub use resnet_block::ResnetBlock;
pub use shifted_windows::ShiftedWindows;
pub use spectral_conv2d::SpectralConv2d;
pub use swin_block::SwinBlock;
pub use time_embedding::TimeEmbedding;
pub use weight_standardized_conv2d::WeightStandardizedConv2d;
pub use window_attention::WindowAttention;
