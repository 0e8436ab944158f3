//! Fuzz target; its body and its invariant are `syncspec_fuzz::player`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| syncspec_fuzz::player::run(input));
