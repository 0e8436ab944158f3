#!/usr/bin/env bash
# The fuzzing campaign: every target for as many CPU-minutes as its goal says, one after the other on one core.
#
#   fuzz/campaign.sh                         goes on until every goal is met; what was spent before counts
#   fuzz/campaign.sh --minutes 30            stops after that time; the next call goes on where this one stopped
#   fuzz/campaign.sh --target hub --target decode
#   fuzz/campaign.sh --target decode & fuzz/campaign.sh --target duel; wait        on two cores
#   fuzz/campaign.sh --slice 20              seconds at a time for each target (60)
#   fuzz/campaign.sh --speed decode          executions a second of a target, four ways
#   fuzz/campaign.sh --quick 3               3 s each, two at a time, neither optimised nor with a sanitizer; writes no
#                                            ledger, and needs no more than the Rust that builds the project; for CI
#
# What was spent stands in fuzz/campaign.tsv. Inputs are collected in fuzz/corpus; at the end those that reach something
# new are put into fixtures/corpora, which has room for 180 of each target. An input that breaks an invariant is left in
# fuzz/artifacts, and the exit code is 1. Needs a nightly toolchain and cargo-fuzz (exit code 3 if one is missing).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ledger=fuzz/campaign.tsv
minutes=0 slice=60 quick=0 speed='' chosen=()
while [[ $# -gt 0 ]]; do
  case "$1" in
  --minutes) minutes="$2"; shift ;;
  --target) chosen+=("$2"); shift ;;
  --slice) slice="$2"; shift ;;
  --quick) quick="$2"; shift ;;
  --speed) speed="$2"; shift ;;
  *) sed -n '2,16p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  shift
done

if [[ "$quick" == 0 ]]; then
  export RUSTUP_TOOLCHAIN=nightly
  if ! rustc --version >/dev/null 2>&1; then
    echo "no nightly toolchain is here: rustup toolchain install nightly --profile minimal" >&2
    exit 3
  fi
  if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "cargo-fuzz is not here: cargo install cargo-fuzz" >&2
    exit 3
  fi
fi

mapfile -t all < <(sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' fuzz/Cargo.toml)
if [[ ${#chosen[@]} -eq 0 ]]; then chosen=("${all[@]}"); fi
for name in "${chosen[@]}"; do
  if [[ ! " ${all[*]} " == *" $name "* ]]; then
    echo "no target is called $name; expected one of: ${all[*]}" >&2
    exit 2
  fi
done

triple="$(rustc -vV | sed -n 's/^host: //p')"
# cargo-fuzz sets the first too: two copies of one static variable are no error here. Looking for uses of a stack frame
# that is gone takes half of the time, and safe Rust has none.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_odr_violation=0:detect_stack_use_after_return=0}"
failed=0

# The longest input of a target: reports and recordings are files, everything else is small.
longest() {
  case "$1" in
  report | recording | settings | baseline) echo 16384 ;;
  *) echo 2048 ;;
  esac
}

# CPU-minutes: an hour for those that hold everything else.
goal() {
  case "$1" in
  decode | conversation | duel | player) echo 60 ;;
  *) echo 10 ;;
  esac
}

# One column of the ledger; 0 for a target that was not run yet.
spent() { awk -F '\t' -v name="$1" -v column="$2" '$1 == name { found = $column } END { print found + 0 }' "$ledger"; }

# Runs a target for some seconds and gives CPU-seconds and executions.
#   fuzz NAME BINARY SECONDS FOLDER [more arguments]
fuzz() {
  local name="$1" binary="$2" seconds="$3" folder="$4" log code=0
  shift 4
  log="$(mktemp)"
  mkdir -p "$folder" "fuzz/artifacts/$name"
  { TIMEFORMAT='cpu %U %S'; time "$binary" "$folder" "$@" -dict=fuzz/dictionaries/words.dict -max_total_time="$seconds" \
    -max_len="$(longest "$name")" -timeout=30 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="fuzz/artifacts/$name/" >"$log" 2>&1 || code=$?; } 2>>"$log.time"
  awk '/^cpu/ { cpu += $2 + $3 } END { printf "%d ", cpu + 0.5 }' "$log.time"
  awk '/^stat::number_of_executed_units/ { units = $2 } END { print units + 0 }' "$log"
  if [[ "$code" != 0 ]]; then
    tail -n 40 "$log" >&2
    echo "$name: an invariant is broken; the input is in fuzz/artifacts/$name" >&2
  fi
  rm -f "$log" "$log.time"
  return "$code"
}

# Adds a run to the ledger, which others may do at the same time.
#   enter NAME CPU-SECONDS EXECUTIONS FINDINGS
enter() {
  local seconds executions findings lock
  exec {lock}>>fuzz/corpus/.lock
  flock "$lock"
  seconds="$(($(spent "$1" 3) + $2))"
  executions="$(($(spent "$1" 4) + $3))"
  findings="$(($(spent "$1" 6) + $4))"
  {
    head -n 1 "$ledger"
    awk -F '\t' -v name="$1" 'NR > 1 && $1 != name' "$ledger"
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$(goal "$1")" "$seconds" "$executions" \
      "$((executions / (seconds > 0 ? seconds : 1)))" "$findings"
  } >"$ledger.new"
  { head -n 1 "$ledger.new"; tail -n +2 "$ledger.new" | sort; } >"$ledger.sorted"
  rm -f "$ledger.new"
  mv "$ledger.sorted" "$ledger"
  exec {lock}>&-
}

# Puts the inputs that reach something new beside those that are stored, the smallest first, as long as there is room.
minimise() {
  local name="$1" binary="$2" stored="fixtures/corpora/$1" kept input
  if (($(find "$stored" -type f 2>/dev/null | wc -l) >= 180)); then return 0; fi
  kept="$(mktemp -d)"
  mkdir -p "$stored"
  cp -r "$stored/." "$kept"
  "$binary" -merge=1 -max_len="$(longest "$name")" "$kept" "fuzz/corpus/$name" >/dev/null 2>&1 || {
    echo "$name: the corpus was not minimised; an input breaks an invariant, or there is none" >&2
    rm -rf "$kept"
    return 0
  }
  for input in "$kept"/*; do
    if [[ -e "$stored/${input##*/}" ]]; then rm "$input"; fi
  done
  while read -r input; do
    if (($(find "$stored" -type f | wc -l) >= 180)); then break; fi
    cp "$kept/$input" "$stored/${input:0:16}"
  done < <(ls -Sr "$kept")
  rm -rf "$kept"
}

# Builds a target. Without the suite in the binary those that need the model only are many times faster.
#   build NAME [more arguments]
build() {
  local name="$1" features=()
  shift
  grep -A 2 "^name = \"$name\"" fuzz/Cargo.toml | grep -q required-features || features=(--no-default-features)
  cargo fuzz build "${features[@]}" "$@" "$name"
}

# A short look from the stored inputs on.
look() {
  local name="$1" counts work broken=0
  work="$(mktemp -d)"
  counts="$(fuzz "$name" "${CARGO_TARGET_DIR:-target}/debug/$name" "$quick" "$work" "fixtures/corpora/$name")" || broken=1
  echo "$name: ${counts#* } executions in ${counts% *} CPU-seconds, $(find "$work" -type f | wc -l) inputs reach something new"
  rm -rf "$work"
  if [[ "${counts#* }" == 0 ]]; then
    echo "$name: nothing was executed" >&2
    broken=1
  fi
  return "$broken"
}

# Executions a CPU-second of a target, as the campaign runs it and as fast as it goes: without checks of what the
# program assumes, notes of what is compared, stacks of allocations, and weights of rare inputs. In memory if possible:
# on a disk the files of new inputs take a quarter of the time.
measure() {
  local name="$1" built seconds counts folder work into
  folder="$(if [[ -w /dev/shm ]]; then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi)"
  for built in campaign fastest; do
    local options=() run=()
    into=target
    if [[ "$built" == fastest ]]; then
      into=target/fuzz-fastest
      options=(-O --no-trace-compares --target-dir "$into")
      run=(-entropic=0)
      ASAN_OPTIONS+=":malloc_context_size=0:quarantine_size_mb=4"
    fi
    build "$name" "${options[@]}"
    for mode in 'JSON trees' 'bytes only'; do
      if [[ "$mode" == 'bytes only' ]]; then export SYNCSPEC_FUZZ_BYTES_ONLY=1; else unset SYNCSPEC_FUZZ_BYTES_ONLY; fi
      work="$(mktemp -d -p "$folder")"
      counts="$(fuzz "$name" "$into/$triple/release/$name" "$slice" "$work" "fixtures/corpora/$name" \
        "${run[@]}")" || failed=1
      rm -rf "$work"
      seconds="${counts% *}"
      echo "$name, $built, $mode: $((${counts#* } / (seconds > 0 ? seconds : 1))) executions a CPU-second"
    done
  done
}

if [[ "$quick" != 0 ]]; then
  bins=()
  for name in "${chosen[@]}"; do bins+=(--bin "$name"); done
  # Beside the benchmarks, whose tests CI builds too: the same dependencies, built once.
  RUSTC_WORKSPACE_WRAPPER="$PWD/fuzz/covered.sh" cargo build --quiet -p syncspec-fuzz -p syncspec-benches "${bins[@]}"
  running=0
  for name in "${chosen[@]}"; do
    if ((running == 2)); then
      wait -n || failed=1
      running=1
    fi
    look "$name" &
    running=$((running + 1))
  done
  for ((; running > 0; running--)); do wait -n || failed=1; done
  exit "$failed"
fi

if [[ -n "$speed" ]]; then
  measure "$speed"
  exit "$failed"
fi

open=()
for name in "${chosen[@]}"; do
  if (($(spent "$name" 3) < $(goal "$name") * 60)); then
    build "$name"
    open+=("$name")
  fi
done
binaries="target/$triple/release"

if [[ ! -f "$ledger" ]]; then
  printf 'target\tgoal_cpu_minutes\tcpu_seconds\texecutions\texecutions_per_cpu_second\tfindings\n' >"$ledger"
fi
again=1
while [[ "$again" == 1 ]]; do
  again=0
  for name in "${open[@]}"; do
    if (($(spent "$name" 3) >= $(goal "$name") * 60)); then continue; fi
    if ((minutes > 0 && SECONDS >= minutes * 60)); then again=0; break; fi
    again=1
    found=0
    counts="$(fuzz "$name" "$binaries/$name" "$slice" "fuzz/corpus/$name" "fixtures/corpora/$name")" || found=1
    enter "$name" ${counts} "$found"
    if [[ "$found" == 1 ]]; then failed=1; fi
    echo "$name: ${counts% *} s, ${counts#* } executions; $(($(spent "$name" 3) / 60)) of $(goal "$name") CPU-minutes"
  done
  # An invariant that is broken stays broken: it is mended first.
  if [[ "$failed" == 1 ]]; then again=0; fi
done
for name in "${open[@]}"; do minimise "$name" "$binaries/$name"; done
exit "$failed"
