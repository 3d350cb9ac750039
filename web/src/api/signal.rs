//! What one transmitter sends, as JavaScript hands it from a model or a network to a plan.

use radiodiff_planning::coverage::Signal;
use wasm_bindgen::prelude::*;

/// What one transmitter sends to every pixel of a scene.
#[wasm_bindgen]
pub struct TransmitterSignal {
    pub(super) signal: Signal,
}
