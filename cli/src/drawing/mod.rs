//! Drawing maps of a user's own buildings, as every command does it.
//!
//! A file of buildings becomes a [`MapScene`], prepared once for many transmitters and shared by threads ([`SceneCache`]). A
//! [`Station`] says where a transmitter should stand and what it sends; [`MapScene::place`] puts it outdoors. A [`MapSource`], a
//! propagation model or a network, gives its path gain, and [`MapScene::signal`] what it sends to every pixel. Warnings are collected,
//! not printed: a command says them on its standard error stream, a server in its reply.

mod antenna;
mod area;
#[cfg(feature = "network")]
mod network;
mod scene;
mod source;
mod station;
mod values;

pub use area::AreaArgs;
#[cfg(feature = "serve")]
pub use area::StandardGrid;
pub use scene::{MapScene, SceneCache};
#[cfg(feature = "serve")]
pub use source::ModelArgs;
pub use source::{MapSource, SourceArgs};
pub use station::{PlacedStation, Station, StationArgs};
pub use values::{OutputFile, TransmitterArg, length, number, transmitter};
