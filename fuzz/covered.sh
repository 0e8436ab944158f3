#!/bin/sh
# rustc with the counters that libFuzzer looks at, for a build without cargo-fuzz: a stable toolchain will do.
#
#   RUSTC_WORKSPACE_WRAPPER=fuzz/covered.sh cargo build -p syncspec-fuzz --bins
#
# As a wrapper it is put before the compiler of this project's crates only: what others wrote is not built again.
case " $* " in
*" build_script_build "*) exec "$@" ;;
esac
exec "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares
