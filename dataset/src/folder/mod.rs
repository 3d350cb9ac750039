//! Reading and writing a folder in RadioMapSeer's layout.
//!
//! | file | content |
//! |---|---|
//! | `png/buildings_complete/{map}.png` | 8-bit gray, above 0 inside buildings |
//! | `png/heights/{map}.png` | 8-bit gray, the roof's height in whole metres; read where it is there, else roofs are at 25 m |
//! | `png/antennas/{map}_{tx}.png` | 8-bit gray, one lit pixel |
//! | `png/cars/{map}.png` | 8-bit gray, above 0 where a car stands; read for simulations with cars only |
//! | `gain/{variant}/{map}_{tx}.png` | 8-bit gray levels of path gain (/ 255), 0 inside buildings, a folder for each [`Variant`] |
//! | `antenna/{map}.json` | [[x, y], ...] in metres from the south-west, entry `tx` is the transmitter's |
//! | `antenna_height/{map}.json` | the transmitters' heights above the ground in metres, in the same order; 1.5 m without it |
//! | `polygon/buildings/{map}.json` | rings of [x, y] in metres: footprints; without them the buildings of `polygon/buildings_and_cars` |
//! | `dataset.csv` | a line for each radio map; docs/data.md has the columns of ours |
//!
//! One pixel is one metre unless the folder's `dataset.toml` says otherwise ([`meters_per_pixel`]), and row 0 is in the north.
//! [`Listing`] says which entries of a folder are files of the layout, [`SceneIndex`] reads scenes and transmitters, [`Dataset`] reads
//! whole [`Sample`]s, and [`Writer`] makes such a folder. An error names the file, what was expected in it and what was found.

pub mod gray_png;
mod layout;
mod samples;
mod scene_index;
mod variant;
mod writer;

pub use layout::{
    ANTENNA_HEIGHTS, ANTENNA_IMAGES, ANTENNAS, BUILDINGS, CARS, DATASET_CSV, DATASET_TOML, FOOTPRINTS, FOOTPRINTS_AND_CARS, FileNumbers,
    GAIN, HEIGHTS, Listing, PIXELS_M, UNFINISHED_TOML, entries, is_coarse, meters_per_pixel, passed_over, path,
};
pub use samples::{Dataset, Sample, raw_images};
pub use scene_index::{SceneIndex, antenna_heights_m, lit};
pub use variant::{UnknownVariant, Variant};
pub use writer::{MapFiles, Writer};
