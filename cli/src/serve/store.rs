//! The plans that were drawn last, within a bound of memory.

use super::plan::DrawnPlan;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Plans by name, the latest last.
pub struct PlanStore {
    plans: Mutex<VecDeque<(String, Arc<DrawnPlan>)>>,
    most_bytes: usize,
    count: AtomicU64,
    /// Makes names that nobody guesses by counting.
    names: RandomState,
}

impl PlanStore {
    pub fn new(most_bytes: usize) -> Self {
        Self { plans: Mutex::default(), most_bytes, count: AtomicU64::new(0), names: RandomState::new() }
    }

    /// Keeps a plan and gives up the oldest ones beyond the bound; returns its name.
    pub fn keep(&self, plan: Arc<DrawnPlan>) -> String {
        let name = format!("{:016x}", self.names.hash_one(self.count.fetch_add(1, Ordering::Relaxed)));
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.push_back((name.clone(), plan));
        let mut bytes: usize = plans.iter().map(|(_, plan)| plan.bytes()).sum();
        // The latest stays in any case: its reply names it.
        while bytes > self.most_bytes && plans.len() > 1 {
            bytes -= plans.pop_front().map_or(0, |(_, plan)| plan.bytes());
        }
        name
    }

    pub fn get(&self, name: &str) -> Option<Arc<DrawnPlan>> {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.iter().find(|(known, _)| known == name).map(|(_, plan)| plan.clone())
    }
}
