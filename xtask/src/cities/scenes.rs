//! The places the page opens with.
