//! A layer in KML 2.2 (OGC 07-147r2): the image laid on the ground, and the transmitters as points.

use super::ExportError;
use crate::raster::GeoRaster;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use radiodiff_radio::scene::GeoBounds;
use std::io::{self, Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The image's name within a KMZ file.
const IMAGE_IN_KMZ: &str = "files/map.png";

/// A point with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacemarkPoint {
    pub name: String,
    /// Degrees.
    pub lng: f64,
    pub lat: f64,
}

/// The KML that lays the image at `image_href` where the layer lies.
///
/// # Errors
/// None is expected: the text is written to memory.
pub fn kml(raster: &GeoRaster, image_href: &str, title: &str, points: &[PlacemarkPoint]) -> Result<String, ExportError> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    document(&mut writer, raster.bounds, image_href, title, points).map_err(|error| ExportError::encoding("KML")(&error))?;
    String::from_utf8(writer.into_inner()).map_err(|error| ExportError::encoding("KML")(&error))
}

/// KML and image in one file.
///
/// # Errors
/// An image of more than 4 GB.
pub fn kmz(raster: &GeoRaster, png: &[u8], title: &str, points: &[PlacemarkPoint]) -> Result<Vec<u8>, ExportError> {
    let text = kml(raster, IMAGE_IN_KMZ, title, points)?;
    let archive = || -> zip::result::ZipResult<Vec<u8>> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        // A PNG is compressed already, and the text is short.
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file("doc.kml", stored)?;
        archive.write_all(text.as_bytes())?;
        archive.start_file(IMAGE_IN_KMZ, stored)?;
        archive.write_all(png)?;
        Ok(archive.finish()?.into_inner())
    };
    archive().map_err(|error| ExportError::encoding("KMZ")(&error))
}

type Xml = Writer<Vec<u8>>;

fn document(writer: &mut Xml, bounds: GeoBounds, image_href: &str, title: &str, points: &[PlacemarkPoint]) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = writer.create_element("kml").with_attribute(("xmlns", "http://www.opengis.net/kml/2.2"));
    root.write_inner_content(|writer| {
        writer.create_element("Document").write_inner_content(|writer| {
            text(writer, "name", title)?;
            overlay(writer, bounds, image_href, title)?;
            points.iter().try_for_each(|point| placemark(writer, point))
        })?;
        Ok(())
    })?;
    Ok(())
}

fn overlay(writer: &mut Xml, bounds: GeoBounds, image_href: &str, title: &str) -> io::Result<()> {
    writer.create_element("GroundOverlay").write_inner_content(|writer| {
        text(writer, "name", title)?;
        writer.create_element("Icon").write_inner_content(|writer| text(writer, "href", image_href))?;
        writer.create_element("LatLonBox").write_inner_content(|writer| {
            let GeoBounds { west, south, east, north } = bounds;
            [("north", north), ("south", south), ("east", east), ("west", west)]
                .iter()
                .try_for_each(|(side, degrees)| text(writer, side, &format!("{degrees:.12}")))
        })?;
        Ok(())
    })?;
    Ok(())
}

fn placemark(writer: &mut Xml, point: &PlacemarkPoint) -> io::Result<()> {
    writer.create_element("Placemark").write_inner_content(|writer| {
        text(writer, "name", &point.name)?;
        let place = format!("{:.9},{:.9}", point.lng, point.lat);
        writer.create_element("Point").write_inner_content(|writer| text(writer, "coordinates", &place))?;
        Ok(())
    })?;
    Ok(())
}

fn text(writer: &mut Xml, name: &str, content: &str) -> io::Result<()> {
    writer.create_element(name).write_text_content(BytesText::new(content))?;
    Ok(())
}
