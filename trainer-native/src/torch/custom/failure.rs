//! Errors of the shims, which come as texts.

use std::ffi::{CStr, c_char};

/// What a function of a shim returns: null, or the text of an error in memory of malloc, which is the caller's. Only shims make one, so
/// that the functions here can be safe.
#[must_use = "an operation may have failed"]
#[repr(transparent)]
pub struct ShimError(*mut c_char);

impl ShimError {
    /// Nothing, where a shim's function is to put one.
    pub fn none() -> Self {
        Self(std::ptr::null_mut())
    }
}

/// Takes the text of an error that a shim has returned.
pub fn outcome(ShimError(error): ShimError) -> Result<(), String> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a shim returns null or a string of malloc, which is the caller's.
    let text = unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned();
    // SAFETY: as above; the text has been copied.
    unsafe { libc::free(error.cast()) };
    Err(text)
}

/// For operations that fail only by a mistake of the caller or for want of memory, as those of tch do.
///
/// # Panics
/// When the operation has failed.
pub fn succeed(error: ShimError) {
    if let Err(text) = outcome(error) {
        panic!("libtorch: {text}");
    }
}
