//! Measurements from a file, of one device.

use super::site::Site;
use anyhow::{Context, Result, ensure};
use geo::Coord;
use radiodiff_dataset::files;
use radiodiff_radio::calibration::{Measurement, TableRow, read_table};
use std::collections::BTreeMap;
use std::path::Path;

/// The measurements of one device.
pub struct DeviceRows {
    pub rows: Vec<TableRow>,
    pub warnings: Vec<String>,
}

/// Reads the rows of `device`; without one, of the device with the most rows, because phones differ by several dB.
///
/// # Errors
/// A file that cannot be read or is no table; a device that measured nothing.
pub fn read(path: &Path, device: Option<&str>) -> Result<DeviceRows> {
    let shown = path.display();
    let rows = read_table(&files::read_text(path)?).with_context(|| format!("the measurements {shown}"))?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *counts.entry(row.device.as_deref().unwrap_or_default()).or_default() += 1;
    }
    let names = counts.iter().map(|(name, count)| format!("{name:?} ({count} lines)")).collect::<Vec<_>>().join(", ");
    let most = counts.iter().max_by_key(|&(_, count)| count).map_or("", |(name, _)| *name);
    let chosen = device.unwrap_or(most).to_owned();
    ensure!(counts.contains_key(chosen.as_str()), "{shown} has no measurements of {chosen:?}; it has those of {names}");
    let mut warnings = Vec::new();
    if device.is_none() && counts.len() > 1 {
        warnings.push(format!("several devices measured: {names}; only those of {chosen:?} are used, --device chooses another"));
    }
    let rows = rows.into_iter().filter(|row| row.device.as_deref().unwrap_or_default() == chosen).collect();
    Ok(DeviceRows { rows, warnings })
}

/// Of measurements that are not on the site's map: where they are, and what may be wrong.
pub fn where_they_lie(rows: &DeviceRows, site: &Site) -> String {
    let range = |of: fn(&TableRow) -> f64| {
        rows.rows.iter().map(of).fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], x| [least.min(x), most.max(x)])
    };
    let ([west, east], [south, north]) = (range(|row| row.lng_lat.x), range(|row| row.lng_lat.y));
    let Coord { x, y } = site.cell.lng_lat;
    let exchanged =
        rows.rows.iter().any(|row| site.scene.grid.pixel_of(site.frame.to_meters(Coord { x: row.lng_lat.y, y: row.lng_lat.x })).is_some());
    let advice = if exchanged { "longitude and latitude are exchanged" } else { "give the cell where it stands, or a larger --extent-m" };
    format!(
        "they span {west:.6} to {east:.6} east and {south:.6} to {north:.6} north, and the cell stands at {x:.6}, {y:.6} (lng, lat); {advice}"
    )
}

/// The measurements that lie on the site's map.
pub fn on_map(rows: &DeviceRows, site: &Site) -> Vec<Measurement> {
    let measured = rows.rows.iter().map(|row| Measurement { position: site.frame.to_meters(row.lng_lat), power_dbm: row.power_dbm });
    measured.filter(|one| site.scene.grid.pixel_of(one.position).is_some()).collect()
}
