//! Errors by the protocol of the measured cells: 200 squares are given, others are predicted.

use super::args::Args;
use super::draws::{DrawKind, EXTENT_M, GIVEN, METERS_PER_DEGREE, SQUARE_M, Square, draws, square_of};
use super::measured;
use super::site::Site;
use anyhow::{Context, Result, ensure};
use geo::Coord;
use radiodiff_radio::calibration::{Calibration, Measurement};
use std::collections::BTreeMap;
use std::path::Path;

/// Prints a line for every file of measurements and kind of draws.
///
/// # Errors
/// Files that cannot be read; measurements in too few squares.
pub fn run(args: &Args, count: u16) -> Result<()> {
    for file in &args.measurements {
        judge(args, file, count).with_context(|| format!("judging {}", file.display()))?;
    }
    Ok(())
}

fn judge(args: &Args, file: &Path, count: u16) -> Result<()> {
    let site = Site::open(args, file)?;
    let (squares, measurements) = squares(&site, file, args.device.as_deref())?;
    for (kind, name) in [(DrawKind::Random, "random"), (DrawKind::Blocks, "blocks")] {
        let mut sums = [0.0; 2];
        let drawn = draws(&squares, kind, count);
        ensure!(
            squares.len() > GIVEN && !drawn.is_empty(),
            "the measurements lie in {} squares; a draw ({name}) gives {GIVEN} and needs others to test, of blocks {GIVEN} in a half of the blocks",
            squares.len()
        );
        for (given, tested) in &drawn {
            let given: Vec<Measurement> = given.iter().map(|&i| measurements[i]).collect();
            let calibration = Calibration::fit(&site.surroundings, &given, &site.options)?;
            let mut squares = [0.0; 2];
            for &i in tested {
                let predicted = calibration.predict(&site.surroundings, measurements[i].position);
                for (sum, power_dbm) in squares.iter_mut().zip([predicted.law_dbm, predicted.power_dbm]) {
                    *sum += (power_dbm - measurements[i].power_dbm).powi(2);
                }
            }
            for (sum, squares) in sums.iter_mut().zip(squares) {
                *sum += (squares / tested.len() as f64).sqrt();
            }
        }
        let [law_db, kriged_db] = sums.map(|sum| sum / drawn.len() as f64);
        println!(
            "cell {}, {} squares, {name}: calibrated law {law_db:.2} dB, with kriging {kriged_db:.2} dB ({} draws)",
            site.cell.name,
            squares.len(),
            drawn.len()
        );
    }
    Ok(())
}

/// The protocol's squares in ascending order, each with its mean power at its centre.
fn squares(site: &Site, file: &Path, device: Option<&str>) -> Result<(Vec<Square>, Vec<Measurement>)> {
    let Coord { x: lng, y: lat } = site.cell.lng_lat;
    let meters_per_degree = Coord { x: METERS_PER_DEGREE * lat.to_radians().cos(), y: METERS_PER_DEGREE };
    let mut powers: BTreeMap<Square, Vec<f64>> = BTreeMap::new();
    for row in measured::read(file, device)?.rows {
        let east_m = (row.lng_lat.x - lng) * meters_per_degree.x;
        let north_m = (row.lng_lat.y - lat) * meters_per_degree.y;
        if let Some(square) = square_of(east_m, north_m) {
            powers.entry(square).or_default().push(row.power_dbm);
        }
    }
    let center = |(row, column): Square| {
        let east_m = (column as f64 + 0.5) * SQUARE_M - EXTENT_M / 2.0;
        let north_m = EXTENT_M / 2.0 - (row as f64 + 0.5) * SQUARE_M;
        site.frame.to_meters(Coord { x: lng + east_m / meters_per_degree.x, y: lat + north_m / meters_per_degree.y })
    };
    let mean = |powers: &[f64]| powers.iter().sum::<f64>() / powers.len() as f64;
    let measured = powers.iter().map(|(&square, powers)| Measurement { position: center(square), power_dbm: mean(powers) }).collect();
    Ok((powers.into_keys().collect(), measured))
}
