//! A team of a browser's workers. In flow a member's values, out flow those of all, by an object of JavaScript's that knows the memory which
//! they share (web/js/team.js).

use super::Team;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A member of a team of workers: `{ members, rank, gather(sent, received) }`.
    pub type JsTeam;

    #[wasm_bindgen(method, getter)]
    fn members(this: &JsTeam) -> usize;

    #[wasm_bindgen(method, getter)]
    fn rank(this: &JsTeam) -> usize;

    /// Throws where a member is gone.
    #[wasm_bindgen(method, catch)]
    fn gather(this: &JsTeam, sent: &[f32], received: &mut [f32]) -> Result<(), JsValue>;
}

/// Workers that exchange values in memory that they share.
pub struct SharedMemory {
    team: JsTeam,
    members: usize,
    rank: usize,
}

impl SharedMemory {
    /// Asks the object for its place once.
    pub fn new(team: JsTeam) -> Self {
        Self { members: team.members(), rank: team.rank(), team }
    }
}

impl Team for SharedMemory {
    fn members(&self) -> usize {
        self.members
    }

    fn rank(&self) -> usize {
        self.rank
    }

    fn gather(&self, sent: &[f32], received: &mut [f32]) -> Result<(), String> {
        self.team.gather(sent, received).map_err(|thrown| js_sys::Error::from(thrown).message().into())
    }
}
