//! Errors of the shims, which come as texts.

use std::ffi::{CStr, c_char};

/// Takes the text of an error that a shim has returned.
pub fn outcome(error: *mut c_char) -> Result<(), String> {
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
pub fn succeed(error: *mut c_char) {
    if let Err(text) = outcome(error) {
        panic!("libtorch: {text}");
    }
}
