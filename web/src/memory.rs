//! What a plan takes of memory, estimated before anything is drawn (figures and their measurement: docs/measurements/package.md).

use radiodiff_radio::scene::Grid;

/// What a module may take. It addresses 4 GiB and traps beyond.
pub const MOST_MODULE_BYTES: u64 = 3 << 30;

/// What a pixel takes of a scene and of the map that is drawn, and what cars add to that: the scene with walls in their place, and its map.
const SCENE_BYTES: u64 = 50;
const CARS_BYTES: u64 = 50;
/// A transmitter's power and loss.
const SIGNAL_BYTES: u64 = 8;
/// A transmitter's path gain of a plan that workers share: the page keeps it, and a copy goes to the worker that draws the plan.
const GAIN_BYTES: u64 = 8;
/// What a network of quantiles takes at its peak.
const NETWORK_BYTES: u64 = 800;

/// A plan as far as its memory is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanSize {
    pub grid: Grid,
    pub has_cars: bool,
    pub transmitters: usize,
    /// A network's maps of each transmitter, 0 without a network.
    pub maps: usize,
}

impl PlanSize {
    fn pixels(&self) -> u64 {
        self.grid.pixels() as u64
    }

    /// Bytes a pixel of what each worker holds.
    fn scene_bytes(&self) -> u64 {
        SCENE_BYTES + if self.has_cars { CARS_BYTES } else { 0 }
    }

    /// What the module that draws the plan takes.
    pub fn module_bytes(&self) -> u64 {
        let network_bytes = if self.maps == 0 { 0 } else { NETWORK_BYTES };
        let signals = self.transmitters as u64 * self.maps.max(1) as u64;
        self.pixels() * (self.scene_bytes() + network_bytes + SIGNAL_BYTES * signals)
    }

    /// What a physical plan takes that so many workers share: the module of the engine's own, the others' scenes, and the gains between
    /// them.
    fn shared_bytes(&self, workers: usize) -> u64 {
        let others = workers.saturating_sub(1) as u64;
        self.module_bytes() + self.pixels() * (others * self.scene_bytes() + GAIN_BYTES * self.transmitters as u64)
    }

    /// How many workers may share a physical plan within `most_bytes`: at most `workers`, and one where two would take more.
    pub fn workers_within(&self, workers: usize, most_bytes: u64) -> usize {
        (2..=workers).rev().find(|&workers| self.shared_bytes(workers) <= most_bytes).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: PlanSize = PlanSize { grid: Grid { size: 1000, meters_per_pixel: 4.0 }, has_cars: false, transmitters: 16, maps: 0 };

    #[test]
    fn a_module_holds_the_scene_and_what_each_transmitter_sends() {
        // Bytes of a million pixels.
        assert_eq!(PLAN.module_bytes(), (50 + 16 * 8) * 1_000_000);
        assert_eq!(PlanSize { has_cars: true, ..PLAN }.module_bytes(), (100 + 16 * 8) * 1_000_000);
        assert_eq!(PlanSize { maps: 19, ..PLAN }.module_bytes(), (850 + 16 * 19 * 8) * 1_000_000);
        let (large, other) =
            (PlanSize { grid: Grid { size: 4096, meters_per_pixel: 1.0 }, ..PLAN }, Grid { size: 4000, meters_per_pixel: 1.0 });
        assert!(PlanSize { transmitters: 17, ..large }.module_bytes() <= MOST_MODULE_BYTES);
        assert!(PlanSize { transmitters: 18, ..large }.module_bytes() > MOST_MODULE_BYTES);
        assert!(PlanSize { transmitters: 20, grid: other, ..large }.module_bytes() > MOST_MODULE_BYTES);
    }

    #[test]
    fn every_worker_holds_the_scene_and_the_page_every_gain() {
        assert_eq!(PLAN.shared_bytes(1), PLAN.module_bytes() + 16 * 8 * 1_000_000);
        assert_eq!(PLAN.shared_bytes(4) - PLAN.shared_bytes(3), 50 * 1_000_000);
        let cars = PlanSize { has_cars: true, ..PLAN };
        assert_eq!(cars.shared_bytes(4) - cars.shared_bytes(3), 100 * 1_000_000);
    }

    #[test]
    fn a_plan_is_shared_by_as_many_workers_as_fit() {
        for workers in 2..=4 {
            let bytes = PLAN.shared_bytes(workers);
            assert_eq!(PLAN.workers_within(4, bytes), workers);
            assert_eq!(PLAN.workers_within(4, bytes - 1), workers - 1);
            assert_eq!(PLAN.workers_within(workers, u64::MAX), workers);
        }
        assert_eq!((PLAN.workers_within(4, 0), PLAN.workers_within(1, u64::MAX)), (1, 1));
    }
}
