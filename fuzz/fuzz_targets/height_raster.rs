#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| radiodiff_fuzz::targets::height_raster(bytes));
