//! What several transmitters cover together.
//!
//! In flow, one by one, the maps of single transmitters ([`Signal`]) and the receiver that listens to them ([`Receiver`]). Out flow
//! the plan's layers as [`GeoRaster`]s, and statistics over them ([`CoverageStatistics`]). Signals are kept apart, so that moving one
//! transmitter of many costs the map of that one. A [`Spread`] says how far several plans of the same transmitters differ.

mod receiver;
mod signal;
mod spread;
mod statistics;

pub use receiver::Receiver;
pub use signal::Signal;
pub use spread::Spread;
pub use statistics::{CdfPoint, CoverageStatistics};

use crate::raster::{GeoRaster, PlanLayer};
use radiodiff_radio::scene::{GeoBounds, Grid};
use thiserror::Error;

/// The best server of a pixel without one: inside buildings.
const NO_SERVER: u32 = u32::MAX;

/// Why maps make no common coverage.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum CoverageError {
    #[error("a plan's maps lie on one grid: expected {expected} pixels a side, found {found}")]
    Grids { expected: usize, found: usize },
    #[error("the receiver's {field} is {found}, expected {expected}")]
    Receiver { field: &'static str, found: f64, expected: &'static str },
}

/// The signals of a plan's transmitters at a receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    grid: Grid,
    receiver: Receiver,
    signals: Vec<Signal>,
}

impl Coverage {
    /// A plan without transmitters.
    ///
    /// # Errors
    /// A receiver that cannot be.
    pub fn new(grid: Grid, receiver: Receiver) -> Result<Self, CoverageError> {
        receiver.check()?;
        Ok(Self { grid, receiver, signals: Vec::new() })
    }

    /// Adds the next transmitter's signal.
    ///
    /// # Errors
    /// A map of another size.
    pub fn add(&mut self, signal: Signal) -> Result<(), CoverageError> {
        let found = signal.received().grid.size;
        if found != self.grid.size {
            return Err(CoverageError::Grids { expected: self.grid.size, found });
        }
        self.signals.push(signal);
        Ok(())
    }

    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// A layer's values, (N, N) row-major, NaN inside buildings and everywhere in a plan without transmitters.
    pub fn values(&self, layer: PlanLayer) -> Vec<f32> {
        match layer {
            PlanLayer::ReceivedPower => self.by_server(|signal, pixel| self.received_dbm(signal, pixel)),
            PlanLayer::Snr => self.by_server(|signal, pixel| self.received_dbm(signal, pixel) - self.receiver.noise_dbm() as f32),
            PlanLayer::BestServer => self.best_server().iter().map(|&s| if s == NO_SERVER { f32::NAN } else { (s + 1) as f32 }).collect(),
            PlanLayer::PathLoss => (0..self.grid.pixels())
                .map(|pixel| self.signals.iter().map(|signal| signal.path_loss_db()[pixel]).fold(f32::NAN, f32::min))
                .collect(),
            PlanLayer::Sinr => self.sinr(),
        }
    }

    /// A layer with its place.
    pub fn raster(&self, layer: PlanLayer, bounds: GeoBounds) -> GeoRaster {
        GeoRaster { grid: self.grid, bounds, quantity: layer.into(), values: self.values(layer) }
    }

    /// Statistics of a layer over the outdoor pixels. Ranges are measured from each pixel's best server.
    pub fn statistics(&self, layer: PlanLayer, threshold: f64) -> CoverageStatistics {
        let positions = self.signals.iter().map(Signal::position).collect::<Vec<_>>();
        CoverageStatistics::new(self.grid, layer, &self.values(layer), threshold, &self.best_server(), &positions)
    }

    fn received_dbm(&self, signal: usize, pixel: usize) -> f32 {
        self.signals[signal].received().values[pixel] + self.receiver.gain_dbi as f32
    }

    /// Per pixel, the index of the strongest signal, the first of equal ones; [`NO_SERVER`] inside buildings.
    fn best_server(&self) -> Vec<u32> {
        let strongest = |pixel: usize| {
            let mut best = (NO_SERVER, f32::NEG_INFINITY);
            for (i, signal) in self.signals.iter().enumerate() {
                let dbm = signal.received().values[pixel];
                if dbm > best.1 {
                    best = (i as u32, dbm);
                }
            }
            best.0
        };
        (0..self.grid.pixels()).map(strongest).collect()
    }

    fn by_server(&self, value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        let of = |(pixel, &server): (usize, &u32)| if server == NO_SERVER { f32::NAN } else { value(server as usize, pixel) };
        self.best_server().iter().enumerate().map(of).collect()
    }

    /// In each pixel, the strongest power over the noise and what the others radiate into its channel. Transmitters count as radiating
    /// evenly over the receiver's bandwidth around their carriers, all the time.
    fn sinr(&self) -> Vec<f32> {
        let count = self.signals.len();
        let overlap = |a: usize, b: usize| self.receiver.channel_overlap(self.signals[a].frequency_mhz(), self.signals[b].frequency_mhz());
        let overlaps: Vec<f64> = (0..count * count).map(|i| overlap(i / count, i % count)).collect();
        let noise_mw = milliwatts(self.receiver.noise_dbm());
        self.by_server(|server, pixel| {
            let interference_mw: f64 = (0..count)
                .filter(|&other| other != server && overlaps[server * count + other] > 0.0)
                .map(|other| overlaps[server * count + other] * milliwatts(f64::from(self.received_dbm(other, pixel))))
                .sum();
            (f64::from(self.received_dbm(server, pixel)) - 10.0 * libm::log10(noise_mw + interference_mw)) as f32
        })
    }
}

fn milliwatts(dbm: f64) -> f64 {
    libm::pow(10.0, dbm / 10.0)
}
