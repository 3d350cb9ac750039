//! The browser's runtime: engines for the CPU and the GPU behind one API.

pub mod cpu;
