//! Planning with radio maps: what several transmitters cover together, files that other programs read, places for new transmitters.
//!
//! [`coverage`] takes the maps of single transmitters and gives layers of the whole plan: the strongest signal, the best server, SNR
//! and SINR, with statistics. [`export`] writes a layer as GeoTIFF, PNG with a world file, KML, contours, CSV and NumPy array.
//! [`sites`] chooses, of many candidates, the places that cover most. [`raster`] is what flows between them: a layer's values with
//! their place on the globe. The crate computes no propagation and reads no file; it runs in the browser as well.

pub mod coverage;
#[cfg(feature = "export")]
pub mod export;
pub mod raster;
pub mod request;
pub mod sites;
