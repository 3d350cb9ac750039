//! Two plots side by side, both axes logarithmic: cost by buildings, and cost by pixels.

use super::Cost;
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

type Milliseconds = fn(&Cost) -> f64;
const SERIES: [(&str, RGBColor, Milliseconds); 2] =
    [("first map", RGBColor(214, 121, 14), |cost| cost.first_map_ms), ("a move", RGBColor(44, 140, 44), |cost| cost.move_ms)];

pub fn draw(path: &Path, by_buildings: &[Cost], by_pixels: &[Cost]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (1000, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(500);
    panel(&left, "256 x 256 pixels", "buildings", by_buildings, |cost| cost.buildings as f64)?;
    panel(&right, "100 buildings every 256 x 256 pixels", "pixels a side", by_pixels, |cost| cost.size as f64)?;
    area.present()?;
    Ok(())
}

fn panel(
    area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    caption: &str,
    x_label: &str,
    costs: &[Cost],
    x: fn(&Cost) -> f64,
) -> Result<(), Box<dyn Error>> {
    let bounds = |values: Vec<f64>| (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max));
    let (x_low, x_high) = bounds(costs.iter().map(x).collect());
    let (y_low, y_high) = bounds(costs.iter().flat_map(|cost| SERIES.map(|(_, _, ms)| ms(cost))).collect());
    let (y_low, y_high) = (y_low * 0.7, y_high * 4.0);
    let ticks = (0..4).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(60)
        .build_cartesian_2d(
            (x_low * 0.9..x_high * 1.1).log_scale().with_key_points(costs.iter().map(x).collect()),
            (y_low..y_high).log_scale().with_key_points(ticks.filter(|tick| (y_low..y_high).contains(tick)).collect()),
        )?;
    chart
        .configure_mesh()
        .x_desc(x_label)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .y_desc("ms")
        .draw()?;
    for (name, color, ms) in SERIES {
        let points: Vec<(f64, f64)> = costs.iter().map(|cost| (x(cost), ms(cost))).collect();
        chart
            .draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, color.filled())))?;
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).background_style(WHITE).draw()?;
    Ok(())
}
