//! Maps as files that other programs read.
//!
//! In flow a [`GeoRaster`] and how it should look; out flow the bytes of one file or of several that belong together, by name. Nothing
//! is written to a disk here. Values are exact in GeoTIFF, CSV and NumPy arrays; images have colours, and a threshold hides pixels of an
//! image without touching a value.
//!
//! | format | what | read by |
//! |---|---|---|
//! | GeoTIFF | float32, NaN as no data, EPSG:4326 | GDAL, QGIS, ArcGIS |
//! | PNG and world file | colours, transparent where there is no value | any GIS, told that it is EPSG:4326 |
//! | KML, KMZ | a ground overlay and the transmitters | Google Earth |
//! | GeoJSON | areas at or above each level | any web map |
//! | CSV | a line for each outdoor pixel | spreadsheets |
//! | NumPy | float32 (N, N) | NumPy |

mod contours;
mod geotiff;
mod image;
mod kml;
mod look;
mod projection;
mod table;
mod tile;

pub use contours::contours;
pub use geotiff::geotiff;
pub use image::{png, png_of, rgba, world_file};
pub use kml::{PlacemarkPoint, kml, kmz};
pub use look::{Look, Palette};
pub use projection::ImageProjection;
pub use table::{csv, npy};
pub use tile::{TILE_PIXELS, TileAddress, tile_rgba};

use crate::raster::GeoRaster;
use thiserror::Error;

/// What a layer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    GeoTiff,
    Png,
    Kml,
    Kmz,
    Contours,
    Csv,
    Npy,
}

/// Why a layer cannot be written.
#[derive(Debug, Error)]
pub enum ExportError {
    #[error("the layer's {pixels} pixels a side are too many for {format}")]
    Size { pixels: usize, format: &'static str },
    #[error("encoding {format}: {reason}")]
    Encoding { format: &'static str, reason: String },
    #[error("expected at least one map, and maps that lie on one grid")]
    Places,
    #[error("contours of the layer: expected up to {most} different levels, found {found}")]
    Levels { most: usize, found: usize },
}

impl ExportError {
    fn encoding(format: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Self {
        move |reason| Self::Encoding { format, reason: reason.to_string() }
    }
}

impl ExportFormat {
    pub const ALL: [Self; 7] = [Self::GeoTiff, Self::Png, Self::Kml, Self::Kmz, Self::Contours, Self::Csv, Self::Npy];

    /// The ending of its files' names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::GeoTiff => "tif",
            Self::Png => "png",
            Self::Kml => "kml",
            Self::Kmz => "kmz",
            Self::Contours => "geojson",
            Self::Csv => "csv",
            Self::Npy => "npy",
        }
    }

    /// The format of a file by its name's ending, in any case; `tiff` and `json` count as well.
    pub fn from_extension(extension: &str) -> Option<Self> {
        let lower = extension.to_lowercase();
        let usual = match lower.as_str() {
            "tiff" => "tif",
            "json" => "geojson",
            other => other,
        };
        Self::ALL.into_iter().find(|format| format.extension() == usual)
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::GeoTiff => "image/tiff; application=geotiff",
            Self::Png => "image/png",
            Self::Kml => "application/vnd.google-earth.kml+xml",
            Self::Kmz => "application/vnd.google-earth.kmz",
            Self::Contours => "application/geo+json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Npy => "application/octet-stream",
        }
    }
}

/// What the formats are told beside the values.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportOptions {
    pub look: Look,
    /// The levels of contours, in the layer's unit.
    pub levels: Vec<f64>,
    /// What KML calls the map.
    pub title: String,
    /// Points that KML shows beside the map: the transmitters.
    pub points: Vec<PlacemarkPoint>,
}

/// A file, not yet written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFile {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The layer as files of a format, the main one first. Their names are `stem` and an ending: a PNG comes with its world file, KML with
/// the image that it lays on the ground.
///
/// # Errors
/// A layer that the format cannot hold.
pub fn export(raster: &GeoRaster, format: ExportFormat, options: &ExportOptions, stem: &str) -> Result<Vec<ExportedFile>, ExportError> {
    let file = |extension: &str, bytes: Vec<u8>| ExportedFile { name: format!("{stem}.{extension}"), bytes };
    let image = || png(raster, &options.look, ImageProjection::Equirectangular);
    let ending = format.extension();
    Ok(match format {
        ExportFormat::GeoTiff => vec![file(ending, geotiff(raster)?)],
        ExportFormat::Png => vec![file(ending, image()?), file("pgw", world_file(raster).into_bytes())],
        ExportFormat::Kml => {
            let image = file("png", image()?);
            let text = kml(raster, &image.name, &options.title, &options.points)?;
            vec![file(ending, text.into_bytes()), image]
        }
        ExportFormat::Kmz => vec![file(ending, kmz(raster, &image()?, &options.title, &options.points)?)],
        ExportFormat::Contours => vec![file(ending, contours(raster, &options.levels)?.to_string().into_bytes())],
        ExportFormat::Csv => vec![file(ending, csv(&[raster])?)],
        ExportFormat::Npy => vec![file(ending, npy(&[raster])?)],
    })
}
