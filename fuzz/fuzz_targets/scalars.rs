//! Fuzz target; its body and its invariant are `syncspec_fuzz::scalars`.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| syncspec_fuzz::scalars::run(input));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    syncspec_fuzz::mutate::json(data, size, max_size, seed, libfuzzer_sys::fuzzer_mutate)
});
