#!/bin/bash -eu
# Builds every fuzz target into $OUT, with its seed corpus and its dictionary where there is one, as OSS-Fuzz and ClusterFuzzLite want it.
# Both set SRC, OUT, SANITIZER and FUZZING_ENGINE. `.ci/clusterfuzzlite` runs this with the same variables.
[ "${FUZZING_ENGINE:-libfuzzer}" = libfuzzer ] || { echo "cargo-fuzz knows libFuzzer alone, not $FUZZING_ENGINE" >&2; exit 1; }
cd "$SRC/crevasse/fuzz"

# Rust has the address sanitizer; a coverage build gets its flags from the image.
case "${SANITIZER:-address}" in
  address) sanitizer=address ;;
  *) sanitizer=none ;;
esac
cargo fuzz build --release --debug-assertions --sanitizer "$sanitizer"

for target in $(cargo fuzz list); do
  binary=$(find "${CARGO_TARGET_DIR:-target}" -path "*/release/$target" -type f -perm -u+x | head -n 1)
  cp "$binary" "$OUT/$target"
  if [ -d "corpus/$target" ]; then
    python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" "corpus/$target"/*
  fi
  if [ -f "dictionaries/$target" ]; then
    cp "dictionaries/$target" "$OUT/$target.dict"
  fi
  printf '[libfuzzer]\nmax_len = 65536\n' > "$OUT/$target.options"
done
