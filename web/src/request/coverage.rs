//! What is asked of several transmitters together: the receiver they serve, the layers of the plan, the threshold of its statistics.

use radiodiff_planning::coverage::Receiver;
use radiodiff_planning::raster::PlanLayer;
use radiodiff_planning::request::{FieldError, Fields, Input};
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, LEAST_ANTENNA_HEIGHT_M, MAX_DECIBELS, MOST_ANTENNA_HEIGHT_M};

/// The part of a request that concerns the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageRequest {
    pub receiver: Receiver,
    /// Of all receivers above the ground.
    pub receiver_height_m: f64,
    /// Layers beside the received power, each once.
    pub layers: Vec<PlanLayer>,
    /// Where statistics are asked for: power in dBm from which on a place is covered.
    pub threshold_dbm: Option<f64>,
    /// Fields that are not known and not used.
    pub warnings: Vec<String>,
}

impl CoverageRequest {
    /// Takes `receiver`, `layers` and `thresholdDbm` out of a request.
    pub(super) fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        let (receiver, receiver_height_m, warnings) = receiver(fields.take("receiver"))?;
        let threshold_dbm = fields.number("thresholdDbm", "threshold", "a number in dBm", |_| true)?;
        Ok(Self { receiver, receiver_height_m, layers: layers(fields)?, threshold_dbm, warnings })
    }
}

fn receiver(found: Input) -> Result<(Receiver, f64, Vec<String>), FieldError> {
    let standard = Receiver::default();
    if found == Input::Missing {
        return Ok((standard, ANTENNA_HEIGHT_M, Vec::new()));
    }
    let mut fields = Fields::of(found, "receiver", "receiver", "an object with fields like noiseFloorDbm")?;
    let receiver_height_m = height(&mut fields)?.unwrap_or(ANTENNA_HEIGHT_M);
    let mut number = |name, unit: &str, low: f64, high: f64| {
        fields.number(name, "receiver", &format!("a number from {low} to {high} {unit}"), |value| (low..=high).contains(&value))
    };
    let receiver = Receiver {
        gain_dbi: number("gainDbi", "dBi", -MAX_DECIBELS, MAX_DECIBELS)?.unwrap_or(standard.gain_dbi),
        bandwidth_mhz: number("bandwidthMHz", "MHz", 1e-6, 1e5)?.unwrap_or(standard.bandwidth_mhz),
        noise_figure_db: number("noiseFigureDb", "dB", 0.0, 100.0)?.unwrap_or(standard.noise_figure_db),
        noise_floor_dbm: number("noiseFloorDbm", "dBm", -300.0, 300.0)?,
    };
    let warnings = fields.unknown().map(|field| format!("{field} is not known and not used.")).collect();
    Ok((receiver, receiver_height_m, warnings))
}

/// A height above the ground: `heightM`, or `alt` as CloudRF calls it.
pub(super) fn height(fields: &mut Fields) -> Result<Option<f64>, FieldError> {
    let expected = format!("a height from {LEAST_ANTENNA_HEIGHT_M} to {MOST_ANTENNA_HEIGHT_M} m above the ground");
    let valid = |value: f64| (LEAST_ANTENNA_HEIGHT_M..=MOST_ANTENNA_HEIGHT_M).contains(&value);
    let height_m = fields.number("heightM", "height", &expected, valid)?;
    let alt_m = fields.number("alt", "height", &expected, valid)?;
    Ok(height_m.or(alt_m))
}

fn layers(fields: &mut Fields) -> Result<Vec<PlanLayer>, FieldError> {
    let expected = || format!("an array of {}", PlanLayer::ALL.map(|layer| format!("{:?}", layer.name())).join(", "));
    let named = |item: &Input| match item {
        Input::Text(name) => PlanLayer::ALL.into_iter().find(|layer| layer.name() == name),
        _ => None,
    };
    let mut layers = Vec::new();
    match fields.take("layers") {
        Input::Missing => {}
        Input::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let layer = named(item).ok_or_else(|| fields.error(&format!("layers[{index}]"), "layers", item, expected()))?;
                if !layers.contains(&layer) {
                    layers.push(layer);
                }
            }
        }
        found => return Err(fields.error("layers", "layers", &found, expected())),
    }
    Ok(layers)
}
