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
