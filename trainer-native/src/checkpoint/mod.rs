//! Checkpoints: all that a training run needs to go on as if it had never stopped.
//!
//! In flow a state (what is counted) and named tensors in parts (networks, optimiser, average, ...). Out flows a folder for each
//! checkpoint, `step-00000500`, with `state.json`, one safetensors file a part, and `DONE`, which lists the length and the SHA-256
//! of every other file. The folder is written under a temporary name; each file is synced, `DONE` is written last, and then the
//! folder gets its name. So a checkpoint is whole or it is not there, whenever the program or the machine stops.
//!
//! [`Store::latest`] checks the newest checkpoint against `DONE` before anything is read from it. A damaged one is refused, with
//! the name of the file, and the one before is taken.

mod error;
mod seal;
mod store;
mod tensors;

pub use error::CheckpointError;
pub use store::{Latest, Retention, Store, Stored};
pub use tensors::restore_in_place;
