//! Memory of the host for values on their way to a device. For a GPU it is page-locked: the GPU copies from there by itself, while the
//! processor goes on, and faster than from other memory.

use super::failure::{ShimError, outcome};
use std::marker::PhantomData;
use std::sync::Once;
use tch::kind::Element;
use tch::{Device, Kind, Tensor};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn trainer_page_locked(bytes: i64, result: *mut *mut C_tensor) -> ShimError;
}

/// A tensor on the host for values of `device`, which it does not hold yet. Where memory cannot be page-locked it is ordinary memory.
pub fn staging(device: Device, shape: &[i64], kind: Kind) -> Tensor {
    static WARNED: Once = Once::new();
    let bytes = shape.iter().product::<i64>() * kind.elt_size_in_bytes() as i64;
    let locked = device.is_cuda().then(|| page_locked(bytes)).and_then(|locked| match locked {
        Ok(bytes) => Some(bytes.view_dtype(kind).reshape(shape)),
        Err(reason) => {
            WARNED.call_once(|| eprintln!("warning: copies to the GPU are slower, since no memory can be page-locked: {reason}"));
            None
        }
    });
    locked.unwrap_or_else(|| Tensor::empty(shape, (kind, Device::Cpu)))
}

fn page_locked(bytes: i64) -> Result<Tensor, String> {
    let mut result = std::ptr::null_mut();
    // SAFETY: without an error the result is a new tensor that is now owned here.
    unsafe {
        outcome(trainer_page_locked(bytes, &raw mut result))?;
        Ok(Tensor::from_ptr(result))
    }
}

/// Values on the host that are written as a slice and then go to a device.
pub struct Staged<T> {
    tensor: Tensor,
    device: Device,
    element: PhantomData<T>,
}

impl<T: Element> Staged<T> {
    /// So many values for a device; what they are does not matter.
    pub fn new(device: Device, count: usize) -> Self {
        Self { tensor: staging(device, &[count as i64], T::KIND), device, element: PhantomData }
    }

    /// The values on the device, in this shape. The copy to a GPU is only begun: what follows on the GPU waits for it, and libtorch keeps
    /// the memory until then.
    pub fn send(self, shape: &[i64]) -> Tensor {
        let there = if self.device == Device::Cpu { self.tensor } else { self.tensor.internal_to_copy((T::KIND, self.device), true) };
        there.reshape(shape)
    }
}

impl<T: Element> AsMut<[T]> for Staged<T> {
    fn as_mut(&mut self) -> &mut [T] {
        let count = self.tensor.numel();
        if count == 0 {
            return &mut [];
        }
        // SAFETY: the tensor is contiguous on the host, has so many values of T, for which any bits are a value, and is shared with nobody.
        unsafe { std::slice::from_raw_parts_mut(self.tensor.data_ptr().cast(), count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_staged_arrive_in_their_shape() {
        let mut staged = Staged::<u8>::new(Device::Cpu, 6);
        staged.as_mut().copy_from_slice(&[1, 2, 3, 4, 5, 6]);
        let sent = staged.send(&[2, 3]);
        assert_eq!((sent.size(), Vec::<u8>::try_from(&sent.view(-1)).expect("bytes")), (vec![2, 3], vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(Staged::<i64>::new(Device::Cpu, 0).as_mut(), [0; 0]);
    }

    /// On a machine without a GPU no memory can be page-locked, and values can be staged all the same.
    #[test]
    fn memory_for_a_gpu_holds_values() {
        let tensor = staging(Device::Cuda(0), &[2, 3], Kind::Float);
        let _ = tensor.shallow_clone().fill_(0.5);
        assert_eq!((tensor.size(), tensor.device(), tensor.double_value(&[1, 2])), (vec![2, 3], Device::Cpu, 0.5));
    }
}
