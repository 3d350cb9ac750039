//! U-Net, condition encoder and sampler give what PyTorch gives, in small, on libtorch.

use pollster::block_on;
use radiodiff_tests::small;
use tch::Device;
use trainer::torch::TorchEngine;

#[test]
fn libtorch_computes_what_pytorch_does() {
    tch::no_grad(|| block_on(small::assert_equal(&TorchEngine::new(Device::Cpu), 1e-4)));
}

/// Without rounding to speak of: times and some constants are float32's.
#[test]
fn libtorch_in_double_precision_computes_what_pytorch_does() {
    tch::no_grad(|| block_on(small::assert_equal(&TorchEngine::in_double(Device::Cpu), 1e-5)));
}

/// The order of values in memory that a GPU has where it is asked for.
#[test]
fn libtorch_computes_the_same_with_channels_side_by_side() {
    let engine = TorchEngine::in_double(Device::Cpu).with_channels_last(true);
    tch::no_grad(|| block_on(small::assert_equal(&engine, 1e-5)));
}
