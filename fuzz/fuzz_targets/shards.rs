#![no_main]

// Records are checked on rayon's threads. This thread becomes the only one of them, so that no input waits for another to wake up.
libfuzzer_sys::fuzz_target!(
    init: rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().expect("the first pool"),
    |bytes: &[u8]| radiodiff_fuzz::targets::shards(bytes)
);
