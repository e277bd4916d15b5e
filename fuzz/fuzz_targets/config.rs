#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| retune::fuzzing::config(bytes));
