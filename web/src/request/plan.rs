//! What is asked of several transmitters together: the receiver they serve, the layers of the plan, the threshold of its statistics.

use radiodiff_planning::coverage::Receiver;
use radiodiff_planning::raster::PlanLayer;
use radiodiff_planning::request::{FieldError, Fields, Input};

/// The part of a request that concerns the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRequest {
    pub receiver: Receiver,
    /// Layers beside the received power, each once.
    pub layers: Vec<PlanLayer>,
    /// Where statistics are asked for: power in dBm from which on a place is covered.
    pub threshold_dbm: Option<f64>,
    /// Fields that are not known and not used.
    pub warnings: Vec<String>,
}

impl PlanRequest {
    /// Takes `receiver`, `layers` and `thresholdDbm` out of a request.
    pub(super) fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        let (receiver, warnings) = receiver(fields.take("receiver"))?;
        let threshold_dbm = fields.number("thresholdDbm", "threshold", "a number in dBm", |_| true)?;
        Ok(Self { receiver, layers: layers(fields)?, threshold_dbm, warnings })
    }
}

fn receiver(found: Input) -> Result<(Receiver, Vec<String>), FieldError> {
    let standard = Receiver::default();
    if found == Input::Missing {
        return Ok((standard, Vec::new()));
    }
    let mut fields = Fields::of(found, "receiver", "receiver", "an object with fields like noiseFloorDbm")?;
    let mut number = |name, unit: &str, low: f64, high: f64| {
        fields.number(name, "receiver", &format!("a number from {low} to {high} {unit}"), |value| (low..=high).contains(&value))
    };
    let receiver = Receiver {
        gain_dbi: number("gainDbi", "dBi", -200.0, 200.0)?.unwrap_or(standard.gain_dbi),
        bandwidth_mhz: number("bandwidthMHz", "MHz", 1e-6, 1e5)?.unwrap_or(standard.bandwidth_mhz),
        noise_figure_db: number("noiseFigureDb", "dB", 0.0, 100.0)?.unwrap_or(standard.noise_figure_db),
        noise_floor_dbm: number("noiseFloorDbm", "dBm", -300.0, 300.0)?,
    };
    let warnings = fields.unknown().map(|field| format!("{field} is not known and not used.")).collect();
    Ok((receiver, warnings))
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
