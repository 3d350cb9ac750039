//! Charts: frames with axes on a canvas, and curves in them.
//!
//! In flow series of a log, or maps; out come the marks of a picture. `report` and `evaluate` say what a figure shows; here is how.

mod axis;
mod canvas;
mod curve;
mod frame;

pub use axis::{Axis, duration, number, thousands};
pub use canvas::{COLORS, Canvas, GRID, INK, Rgb, TextSide, picture};
pub use curve::{CurveBin, TREND, pieces};
pub use frame::{ChartFrame, Rect};
