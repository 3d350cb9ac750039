//! Settings of libtorch's CUDA half that hold for a process or a thread.

use super::failure::{ShimError, succeed};

unsafe extern "C" {
    fn trainer_allow_tf32(allow: bool) -> ShimError;
    fn trainer_autocast(begin: bool) -> ShimError;
}

/// Whether convolutions and matrix products on CUDA may round their factors to TF32.
pub fn allow_tf32(allow: bool) {
    // SAFETY: the shim sets two flags.
    succeed(unsafe { trainer_allow_tf32(allow) });
}

/// While it lives, this thread's operations on CUDA compute in bfloat16 where libtorch's autocast takes it.
pub struct Autocast(());

/// See [`Autocast`].
pub fn autocast() -> Autocast {
    // SAFETY: the shim sets flags of this thread.
    succeed(unsafe { trainer_autocast(true) });
    Autocast(())
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: as above; it was begun once.
        succeed(unsafe { trainer_autocast(false) });
    }
}
