//! Fuzz target; its body and its invariant are `syncspec_fuzz::hub`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| syncspec_fuzz::hub::run(input));
