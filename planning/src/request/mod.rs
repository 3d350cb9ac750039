//! What people and programs ask for, before anything is known of it: values of any kind, read field by field under one rule.
//!
//! [`Input`] is a value as JavaScript or JSON has it, [`Fields`] reads an object of them, and [`FieldError`] says which field cannot be
//! used. The browser's requests are built on these; [`PlanRequest`] is a plan in CloudRF's words, as servers are asked for it.

mod cloudrf;
mod fields;
mod input;

pub use cloudrf::{PlanRequest, StationRequest};
pub use fields::{FieldError, Fields, numbered};
pub use input::Input;
