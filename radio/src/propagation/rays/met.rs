//! What a wave met on its way to a corner that its final length must fit.
//!
//! How high a path passes a wall depends on how far it goes on, which a wave at a corner does not know yet. It takes along the walls
//! that it passed over or was reflected by, and the corners it was diffracted by, unless every path clears or meets them. Between
//! endless walls the list is empty.

use super::profile::Profile;
use std::rc::Rc;

/// A list that waves with a common beginning share.
#[derive(Clone, Debug)]
pub struct Met {
    last: Option<Rc<Node>>,
    reach_m: f64,
}

#[derive(Debug)]
struct Node {
    distance_m: f64,
    top_m: f64,
    over: bool,
    before: Option<Rc<Node>>,
}

impl Default for Met {
    fn default() -> Self {
        Self { last: None, reach_m: f64::INFINITY }
    }
}

impl Met {
    /// The path passes over a wall of `top_m` that is `distance_m` from the transmitter, or meets it below its top.
    pub fn add(&mut self, profile: &Profile, distance_m: f64, top_m: f64, over: bool) {
        let always = if over { top_m <= profile.lowest_m() } else { top_m >= profile.highest_m() };
        if always {
            return;
        }
        if !over {
            let reach = profile.reach_below(top_m);
            self.reach_m = self.reach_m.min(if reach == 0.0 { 0.0 } else { reach * distance_m });
        }
        self.last = Some(Rc::new(Node { distance_m, top_m, over, before: self.last.take() }));
    }

    /// Longer paths miss one of the walls. In plan, metres.
    pub fn reach_m(&self) -> f64 {
        self.reach_m
    }

    /// Whether a path of this length in plan clears and meets the walls as it must.
    pub fn allows(&self, profile: &Profile, plan_m: f64) -> bool {
        let mut next = self.last.as_deref();
        while let Some(node) = next {
            if (profile.height_m(node.distance_m / plan_m) >= node.top_m) != node.over {
                return false;
            }
            next = node.before.as_deref();
        }
        true
    }
}
