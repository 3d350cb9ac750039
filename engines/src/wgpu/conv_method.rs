//! Which kernel computes a convolution. For one shape the kernels' times differ by up to eleven times, and by adapter.
//!
//! In flows a convolution's shape, out flows its [`ConvMethod`]. On a GPU that is [`ConvMethod::for_hardware`], a rule fitted to measured
//! times. Copies to a workgroup's memory and divided sums cost a software adapter time and gain nothing, so it computes all convolutions
//! by [`ConvMethod::Rows`].

use super::profile::Convolution;
use super::recorder::MOST_GROUPS;
use radiodiff_core::engine::shape;
use std::cell::RefCell;

/// A kernel for convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvMethod {
    /// 4 or 8 pixels and 8 channels a thread, no workgroup memory (conv.wgsl).
    Rows,
    /// 8 pixels of a column and 4 channels a thread, for 3 x 3 of stride 1 (conv_columns.wgsl).
    Columns,
    /// Implicit GEMM, 16 channels x 32 pixels a workgroup, sums in 8 parts (conv_split.wgsl).
    Split16x32,
    /// The same for 32 x 32 in 4 parts.
    Split32x32,
    /// The same for 32 x 64 in 2 parts.
    Split32x64,
    /// The same for 64 x 64 in one part.
    Split64x64,
    /// Implicit GEMM, 64 channels x 128 pixels a workgroup, 8 x 8 a thread (conv_tiles.wgsl).
    Tiles,
}

impl ConvMethod {
    pub const ALL: [Self; 7] =
        [Self::Rows, Self::Columns, Self::Split16x32, Self::Split32x32, Self::Split32x64, Self::Split64x64, Self::Tiles];

    /// The method for a GPU. Small results take small tiles whose sums are divided among many threads, since they would not fill the
    /// GPU otherwise; large results take large tiles, which read less.
    ///
    /// The bounds are fitted to every convolution of nano and edge on one GPU (docs/measurements/engines.md). That `Tiles` takes over at
    /// 4 million results is inferred from tiles of which a part was used: the networks measured have no such convolution.
    pub fn for_hardware(convolution: &Convolution) -> Self {
        let [n, channels, height, width] = shape::conv2d(&convolution.input, &convolution.weight, convolution.geometry);
        let terms: usize = convolution.weight[1..].iter().product();
        let pixels = n * height * width;
        let narrow = channels <= 32;
        let results = pixels * channels;
        if narrow && pixels >= 30_000 && Self::Columns.suits(convolution) {
            Self::Columns
        } else if results < 200_000 {
            if terms <= 32 { Self::Split32x32 } else { Self::Split16x32 }
        } else if narrow || results < 500_000 {
            Self::Split32x64
        } else if results < 4_000_000 {
            Self::Split64x64
        } else {
            Self::Tiles
        }
    }

    /// Output channels and pixels that a workgroup computes.
    pub(super) fn tile(self) -> [usize; 2] {
        match self {
            Self::Rows => [8, 256],
            Self::Columns => [4, 1024],
            Self::Split16x32 => [16, 32],
            Self::Split32x32 => [32, 32],
            Self::Split32x64 => [32, 64],
            Self::Split64x64 => [64, 64],
            Self::Tiles => [64, 128],
        }
    }

    /// Whether the method can compute a convolution. `Rows` can compute all: the others count an image's tiles along one dimension.
    pub fn suits(self, convolution: &Convolution) -> bool {
        let [_, _, kernel_height, kernel_width] = convolution.weight;
        let [.., height, width] = shape::conv2d(&convolution.input, &convolution.weight, convolution.geometry);
        let [_, pixels] = self.tile();
        match self {
            Self::Rows => true,
            Self::Columns if (kernel_height, kernel_width, convolution.geometry.stride) != (3, 3, 1) => false,
            Self::Columns => (height.next_multiple_of(8) * width).div_ceil(pixels) <= MOST_GROUPS,
            _ => (height * width).div_ceil(pixels) <= MOST_GROUPS,
        }
    }
}

/// Chooses the method of each convolution.
pub(super) struct ConvMethods {
    choose: RefCell<Box<ChooseMethod>>,
}

type ChooseMethod = dyn Fn(&Convolution) -> ConvMethod;

impl ConvMethods {
    /// The choice for a GPU, or for an adapter that computes on the CPU.
    pub(super) fn new(software: bool) -> Self {
        let choose: Box<ChooseMethod> = if software { Box::new(|_| ConvMethod::Rows) } else { Box::new(ConvMethod::for_hardware) };
        Self { choose: RefCell::new(choose) }
    }

    /// Takes the place of this module's own choice.
    pub(super) fn choose_by(&self, choose: impl Fn(&Convolution) -> ConvMethod + 'static) {
        *self.choose.borrow_mut() = Box::new(choose);
    }

    /// The chosen method, or [`ConvMethod::Rows`] where that method cannot compute the convolution.
    pub(super) fn of(&self, convolution: &Convolution) -> ConvMethod {
        let method = (self.choose.borrow())(convolution);
        if method.suits(convolution) { method } else { ConvMethod::Rows }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConvMethod, ConvMethods, Convolution};
    use radiodiff_core::engine::ConvGeometry;

    fn same(input: [usize; 4], out_channels: usize, kernel: usize) -> Convolution {
        Convolution { input, weight: [out_channels, input[1], kernel, kernel], geometry: ConvGeometry::same(kernel) }
    }

    #[test]
    fn the_choice_goes_by_pixels_channels_and_terms() {
        for (convolution, expected) in [
            (same([1, 1, 1, 1], 1, 1), ConvMethod::Split32x32),
            (same([1, 32, 32, 32], 24, 1), ConvMethod::Split32x32),
            (same([1, 33, 32, 32], 24, 1), ConvMethod::Split16x32),
            (same([1, 1, 1, 1], 1, 7), ConvMethod::Split16x32),
            (same([1, 256, 8, 8], 128, 3), ConvMethod::Split16x32),
            (same([1, 64, 32, 32], 64, 3), ConvMethod::Split16x32),
            // Four images of that size fill a GPU as one of four times the pixels does.
            (same([4, 64, 32, 32], 64, 3), ConvMethod::Split32x64),
            (same([1, 24, 128, 128], 24, 3), ConvMethod::Split32x64),
            (same([1, 24, 256, 256], 12, 1), ConvMethod::Split32x64),
            (same([1, 24, 256, 256], 24, 3), ConvMethod::Columns),
            (same([1, 12, 256, 256], 1, 3), ConvMethod::Columns),
            (same([1, 36, 128, 128], 36, 3), ConvMethod::Split64x64),
            (same([1, 128, 320, 320], 128, 3), ConvMethod::Tiles),
        ] {
            let found = ConvMethod::for_hardware(&convolution);
            assert_eq!(found, expected, "{convolution:?}");
            assert!(ConvMethod::ALL.contains(&found) && found.suits(&convolution), "{convolution:?}");
        }
    }

    #[test]
    fn a_software_adapter_and_an_image_beyond_a_method_s_grid_take_rows() {
        let small = same([1, 64, 32, 32], 64, 3);
        // One workgroup more than WebGPU guarantees, at 64 pixels each.
        let huge = same([1, 8, 64, 65_536], 8, 1);
        assert_eq!(ConvMethods::new(true).of(&small), ConvMethod::Rows);
        assert_eq!(ConvMethods::new(false).of(&small), ConvMethod::Split16x32);
        assert_eq!(ConvMethod::for_hardware(&huge), ConvMethod::Split32x64);
        assert_eq!(ConvMethods::new(false).of(&huge), ConvMethod::Rows);
    }
}
