//! The object that JavaScript hands a map to, and the reader of a format that a map is written in too.

use radiodiff_planning::export::{ExportError, PlacemarkPoint, contours, csv, geotiff, kml, kmz, npy, png_of, world_file};
use radiodiff_planning::raster::{GeoRaster, RasterQuantity};
use radiodiff_radio::height_raster::buildings_of_geotiff;
use radiodiff_radio::scene::{GeoBounds, Grid};
use radiodiff_web_values::{error, set};
use wasm_bindgen::prelude::*;

/// A map to write: values with their place.
#[wasm_bindgen]
pub struct ExportRaster {
    raster: GeoRaster,
    points: Vec<PlacemarkPoint>,
}

#[wasm_bindgen]
impl ExportRaster {
    /// `values` are (N, N), row 0 in the north, NaN where there is no value; `quantity` is a name of [`RasterQuantity`]; `sides` are
    /// west, south, east and north in degrees.
    #[wasm_bindgen(constructor)]
    pub fn new(values: Vec<f32>, quantity: &str, meters_per_pixel: f64, sides: &[f64]) -> Result<ExportRaster, JsValue> {
        let size = values.len().isqrt();
        let (Some(quantity), &[west, south, east, north]) = (RasterQuantity::named(quantity), sides) else {
            return Err(error(
                "export",
                &format!("there is no quantity {quantity}, or the bounds have {} sides instead of four", sides.len()),
            ));
        };
        if size == 0 || size * size != values.len() {
            return Err(error("export", &format!("{} values are no square", values.len())));
        }
        let grid = Grid { size, meters_per_pixel };
        Ok(ExportRaster {
            raster: GeoRaster { grid, bounds: GeoBounds { west, south, east, north }, quantity, values },
            points: Vec::new(),
        })
    }

    /// Adds a point that KML shows beside the map.
    #[wasm_bindgen(js_name = addPoint)]
    pub fn add_point(&mut self, name: String, lng: f64, lat: f64) {
        self.points.push(PlacemarkPoint { name, lng, lat });
    }

    pub fn geotiff(&self) -> Result<Vec<u8>, JsValue> {
        geotiff(&self.raster).map_err(failed)
    }

    #[wasm_bindgen(js_name = worldFile)]
    pub fn world_file(&self) -> String {
        world_file(&self.raster)
    }

    /// `image` is the address of the picture that lies on the ground, from the KML's own.
    pub fn kml(&self, image: &str, title: &str) -> Result<String, JsValue> {
        kml(&self.raster, image, title, &self.points).map_err(failed)
    }

    pub fn kmz(&self, png: &[u8], title: &str) -> Result<Vec<u8>, JsValue> {
        kmz(&self.raster, png, title, &self.points).map_err(failed)
    }

    /// GeoJSON as text.
    pub fn contours(&self, levels: &[f64]) -> Result<String, JsValue> {
        Ok(contours(&self.raster, levels).map_err(failed)?.to_string())
    }

    /// UTF-8.
    pub fn csv(&self) -> Result<Vec<u8>, JsValue> {
        csv(&[&self.raster]).map_err(failed)
    }

    pub fn npy(&self) -> Result<Vec<u8>, JsValue> {
        npy(&[&self.raster]).map_err(failed)
    }
}

/// A square picture, four bytes a pixel, as a PNG.
#[wasm_bindgen]
pub fn png(rgba: &[u8]) -> Result<Vec<u8>, JsValue> {
    png_of((rgba.len() / 4).isqrt(), rgba).map_err(failed)
}

/// The footprints of a GeoTIFF of heights above the ground, or of a mask, as GeoJSON.
#[wasm_bindgen(js_name = buildingsOfGeotiff)]
pub fn buildings_of_raster(bytes: &[u8]) -> Result<String, JsValue> {
    buildings_of_geotiff(bytes).map_err(|cause| {
        let value = error("geojson", &cause);
        set(&value, "field", "buildings");
        value
    })
}

fn failed(cause: ExportError) -> JsValue {
    error("export", &cause)
}
