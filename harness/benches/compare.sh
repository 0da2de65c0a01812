#!/usr/bin/env bash
# Crevasse beside others, on one machine in one run: what counts are the ratios, so that the machine cancels out.
# Usage: bash harness/benches/compare.sh [SECTION...]     sections: hash harness mix waiting peer server growth start_up; all by default
# Needs what .ci/run needs, and openssl, curl, wrk and nginx from the distribution. Leave the machine alone meanwhile.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
tools=${CREVASSE_CI_TOOLS:-$root/target/ci}
mkdir -p "$tools"
. "$root/.ci/emulators"
cd "$root"
cargo build --release --quiet
crevasse=$root/target/release/crevasse
version='x-amz-glacier-version: 2012-06-01'
# What tells moto that Glacier is meant; nothing here checks signatures.
signed="Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20120601/us-east-1/glacier/aws4_request, SignedHeaders=host, Signature=0"
export GLACIER_HEADERS="$version"$'\n'"$signed"

row() { printf '| %s | %s | %s | %s |\n' "$@"; }
ratio() { python3 -c 'import sys; a, b = map(float, sys.argv[1:]); print(f"{a / b:.3g}")' "$1" "$2"; }
median() { sort -g | awk '{ all[NR] = $0 } END { print all[int((NR + 1) / 2)] }'; }
thrice() { for _ in 1 2 3; do "$@"; done | median; }
measured() { # COMMAND...: seconds and MiB at the most
  python3 - "$@" << 'PY'
import resource, subprocess, sys, time

begun = time.monotonic()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(f"{time.monotonic() - begun:.3f} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024}")
PY
}
seconds() { measured "$@" | cut -d' ' -f1; }
row_of() { # WHAT COMMAND...: seconds and memory of a command
  local what=$1 figures; shift
  read -ra figures <<< "$(measured "$@")"
  row "$what" "${figures[0]} s, ${figures[1]} MiB" '' ''
}

stop() { cleanup; pids=(); }

hash() { # Tree hash beside OpenSSL on one core; what else the oracle does.
  cargo bench --quiet -p crevasse-core --bench treehash
  openssl_rate() { openssl speed -elapsed -seconds 2 -bytes 67108864 -evp sha256 2> /dev/null | awk 'END { sub("k", "", $2); print $2 / 1e6 }'; }
  row 'SHA-256 of 64 MiB by OpenSSL on one core' '' "$(thrice openssl_rate) GB/s" ''
}

harness() { # Requests per second of a run and of fuzzing, beside a plain load generator that asks for the cheapest of answers, and who was busy meanwhile.
  local name mode rate served asked
  for name in reference moto local_web_services; do
    "$name"
    curl -s -o /dev/null -X PUT -H "$version" -H "$signed" "http://127.0.0.1:$port/-/vaults/there"
    for mode in wrk run fuzz; do
      read -r rate served asked <<< "$(thrice python3 harness/benches/rate.py "${pids[-1]}" "$log" "$mode" "http://127.0.0.1:$port" "$crevasse" "$tools")"
      row "\`$name\`, asked by $mode: requests per second, and cores busy in the server beside the client" "$rate" "$served, $asked" ''
    done
    stop
  done
}

mix() { # Requests per second of fuzzing, beside a load generator that asks for the very same: what a night asked through `record.py`.
  local name served mode rate busy asked
  for name in moto local_web_services; do
    "$name"
    served=$port
    port=$(free_port)
    python3 harness/benches/record.py "$port" "$served" "$tools/mix" 2> "$tools/record.log" &
    pids+=($!)
    answers "$port"
    python3 harness/benches/rate.py "${pids[0]}" "$log" fuzz:90 "http://127.0.0.1:$port" "$crevasse" "$tools" > /dev/null
    stop
    once() { # MODE: of a server that knows nothing yet, since vaults make it slower
      "$name"
      python3 harness/benches/rate.py "${pids[-1]}" "$log" "$1" "http://127.0.0.1:$port" "$crevasse" "$tools"
      stop
    }
    for mode in mix fuzz:30; do
      read -r rate busy asked <<< "$(thrice once "$mode")"
      row "\`$name\`, the same mix asked by ${mode%:*}: requests per second, and cores busy in the server beside the client" "$rate" "$busy, $asked" ''
    done
  done
}

waiting() { # Wall time of a standard run on moto, beside its slowest chain of jobs and the CPU time of moto: what cannot be saved.
  local wall chain served
  moto
  read -r wall chain served <<< "$(python3 harness/benches/waiting.py "${pids[-1]}" "http://127.0.0.1:$port" "$crevasse" "$tools")"
  row 'a standard run on moto, beside its slowest chain of jobs alone and the CPU time of moto' "$wall s" "$chain s, $served s" \
    "$(python3 -c 'import sys; wall, chain, served = map(float, sys.argv[1:]); print(f"{wall / (chain + served):.3g}")' "$wall" "$chain" "$served")"
  stop
}

schemathesis() { # ENDPOINT: what it finds in a minute, as text and as events
  # It keeps what it found in a folder where it is started.
  (cd "$tools" && timeout 90 schemathesis/bin/st run "$root/specs/glacier/openapi.yaml" -u "$1" -w 4 --max-time 60 \
    -H "$version" -H "$signed" --suppress-health-check all --no-color --report ndjson --report-ndjson-path schemathesis.ndjson > schemathesis.txt 2>&1) || true
}

peer() { # True deviations and requests in one minute on moto, and cases in one minute on the reference server, beside schemathesis.
  venv schemathesis schemathesis==4.32.5
  local ours theirs
  moto
  "$crevasse" run --endpoint "http://127.0.0.1:$port" --max-time 60s --report json="$tools/peer.json" -q > /dev/null || true
  stop
  ours=$(grep -c 'HTTP/1' "$log")
  moto
  schemathesis "http://127.0.0.1:$port"
  stop
  theirs=$(grep -c 'HTTP/1' "$log")
  "$tools/schemathesis/bin/python" harness/benches/peer.py "$tools/peer.json" "$ours" "$tools/schemathesis.ndjson" "$theirs"
  reference
  "$crevasse" run --endpoint "http://127.0.0.1:$port" -n 20000 --max-time 60s --report json="$tools/peer.json" -q > /dev/null || true
  stop
  reference
  schemathesis "http://127.0.0.1:$port"
  stop
  ours=$(python3 -c 'import json, sys; run = json.load(open(sys.argv[1])); print(run["summary"]["cases"] / run["run"]["seconds"])' "$tools/peer.json")
  theirs=$(awk '/ generated,/ { print $1 / 60 }' "$tools/schemathesis.txt")
  row 'cases per second on the reference server' "$ours" "$theirs" "$(ratio "$ours" "$theirs")"
  ours=$(python3 -c 'import json, sys; run = json.load(open(sys.argv[1])); print(run["summary"]["exchanges"] / run["run"]["seconds"])' "$tools/peer.json")
  row 'requests per second there, beside cases of one request' "$ours" "$theirs" "$(ratio "$ours" "$theirs")"
}

server() { # Large bodies from the reference server and the emulators, beside nginx and a file.
  venv boto3 boto3
  local name output ours plain
  head -c 256M /dev/zero > "$tools/large"
  port=$(free_port)
  printf 'daemon off; worker_processes 1; error_log stderr; pid %s/nginx.pid; events {} http { access_log off; server { listen 127.0.0.1:%s; root %s; } }' \
    "$tools" "$port" "$tools" > "$tools/nginx.conf"
  nginx -c "$tools/nginx.conf" > "$tools/nginx.log" 2>&1 &
  pids+=($!)
  answers "$port"
  speed() { curl -s -o /dev/null -H "$version" -H "$signed" -w '%{speed_download}\n' "$1"; }
  plain=$(thrice speed "http://127.0.0.1:$port/large")
  stop
  for name in reference moto local_web_services; do
    "$name"
    output=$("$tools/boto3/bin/python" harness/benches/large_output.py "http://127.0.0.1:$port" "$tools/large")
    ours=$(thrice speed "$output")
    row "\`$name\`, bytes per second of Get Job Output, 256 MiB: beside nginx" "$(ratio "$ours" 1e9) GB/s" "$(ratio "$plain" 1e9) GB/s" "$(ratio "$ours" "$plain")"
    stop
  done
  rm "$tools/large"
}

growth() { # Time and memory as the work grows.
  local n
  for n in 100 1000 10000 100000; do row_of "$n generated cases" "$crevasse" run -n "$n" -q; done
  for n in 1 4 16; do row_of "$n requests under way" "$crevasse" run -j "$n" -q; done
  for n in 16MiB 1GiB 16GiB 64GiB; do row_of "an archive of $n" "$crevasse" run --archive-size "$n" -q; done
  moto
  "$crevasse" run --endpoint "http://127.0.0.1:$port" --max-time 60s --report json="$tools/some.json" -q > /dev/null || true
  stop
  for n in 1 100 1000 10000 100000; do
    python3 harness/benches/inflate.py "$tools/some.json" "$n" "$tools/many.json"
    row_of "$n findings, written in all formats" "$crevasse" report "$tools/many.json" --report-dir "$tools/many"
  done
  rm -r "$tools/many" "$tools/many.json"
}

start_up() { # What one pays before anything happens.
  local cold=$tools/cold
  rm -rf "$cold"
  row_of 'a cold build' cargo build --release --quiet --timings --target-dir "$cold"
  row 'of it the core, beside other crates' "$(python3 harness/benches/unit.py "$cold" crevasse-core) s" '' ''
  rm -rf "$cold"
  row '`crevasse --version`' "$(thrice seconds "$crevasse" --version) s" '' ''
  row 'size of the command' "$(du -m "$crevasse" | cut -f1) MiB" '' ''
}

printf '| what | Crevasse | beside | ratio |\n|---|---|---|---|\n'
[ $# -gt 0 ] || set -- hash harness mix waiting peer server growth start_up
for section in "$@"; do "$section"; done
