//! `radiodiff calibrate`: the map of a cell, fitted to measured power.
//!
//! In flow a file of buildings, a cell ([`cell`]) and tables of measurements ([`measured`]). Out flow a report of what was fitted and
//! of the errors in blocks that the fit was not given ([`report`]), and the calibrated map ([`output`]). With `--draws` the errors are
//! those of a published protocol ([`draws`], [`judged`]).

mod args;
mod cell;
mod draws;
mod judged;
mod measured;
mod output;
mod report;
mod site;

pub use args::Args;

use anyhow::{Context, Result, ensure};
use radiodiff_radio::calibration::{Calibration, average_by_squares, cross_validate};
use site::Site;

/// Runs the command.
///
/// # Errors
/// A file that cannot be read or written, a cell or measurements that cannot be used.
pub fn run(args: &Args) -> Result<()> {
    if let Some(count) = args.draws {
        return judged::run(args, count);
    }
    let [file] = args.measurements.as_slice() else {
        anyhow::bail!("--measurements takes one file; several need --draws");
    };
    if let Some(out) = &args.out {
        output::check(out)?;
    }
    let site = Site::open(args, file)?;
    site.warnings.iter().for_each(|warning| warn(warning));
    let rows = measured::read(file, args.device.as_deref())?;
    rows.warnings.iter().for_each(|warning| warn(warning));
    let on_map = measured::on_map(&rows, &site);
    let left_out = rows.rows.len() - on_map.len();
    ensure!(
        !on_map.is_empty(),
        "none of the {left_out} measurements of {} lies on the map around the cell: {}",
        file.display(),
        measured::where_they_lie(&rows, &site)
    );
    if left_out > 0 {
        warn(&format!("{left_out} of {} measurements lie outside the map and are not used; see --extent-m", rows.rows.len()));
    }
    let measurements = average_by_squares(&on_map, args.square_m);
    let context = || format!("calibrating with {}", file.display());
    let calibration = Calibration::fit(&site.surroundings, &measurements, &site.options).with_context(context)?;
    calibration.height_warning().iter().for_each(|warning| warn(warning));
    let validation = cross_validate(&site.surroundings, &measurements, &calibration, args.block_m);
    println!("cell {}: {} measurements in {} squares of {} m", site.cell.name, on_map.len(), measurements.len(), args.square_m);
    print!("{}", report::constants(&calibration));
    match validation {
        Ok(validation) => print!("{}", report::validation(&validation)),
        Err(error) => warn(&format!("no validation: {error}")),
    }
    if let Some(out) = &args.out {
        println!("{}", output::write(&calibration, &site, out)?);
    }
    Ok(())
}

fn warn(message: &str) {
    eprintln!("warning: {message}");
}
