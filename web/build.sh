#!/usr/bin/env bash
# Builds the page without a server into web/dist, for any static host:
#
#     rustup target add wasm32-unknown-unknown
#     web/build.sh
#     python3 -m http.server --directory web/dist
#
# WASM_CARGO names another cargo for the WebAssembly part.
set -euo pipefail
cd "$(dirname "$0")"

# simd128: vector instructions, which every browser has had since 2023.
RUSTFLAGS=-Ctarget-feature=+simd128 "${WASM_CARGO:-cargo}" build --target-dir target --release --locked --target wasm32-unknown-unknown
cargo run --target-dir target --quiet --locked --package burn-pooling-pack
