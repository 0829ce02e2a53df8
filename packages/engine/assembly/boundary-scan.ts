// AssemblyScript. `npm run build:wasm` compiles it to src/chunker/boundary-scan.wasm, which is committed.
// The fingerprint at a byte depends on the 64 bytes up to it alone, so several stretches ("lanes") are scanned side
// by side: the processor works on one while it waits for the tables of another.

// Two tables of 256 fingerprints at the start of the memory: see ../src/chunker/tables.ts.
const REDUCE: usize = 0;
const LEAVE: usize = 2048;
const WINDOW: usize = 64;
const TOP_BYTE: u64 = 45; // degree 53 - 8
const BOUNDARY_MASK: u64 = 0xfffff;
const LANE: usize = 8192;
const LANES: usize = 4;

/** Takes a byte in while the window is not full yet. */
@inline
function enter(fingerprint: u64, at: usize): u64 {
  return ((fingerprint << 8) | load<u8>(at)) ^ load<u64>(REDUCE + (<usize>(fingerprint >>> TOP_BYTE) << 3));
}

/** Takes the byte at `at` in, and the one 64 before it out. */
@inline
function roll(fingerprint: u64, at: usize): u64 {
  return enter(fingerprint, at) ^ load<u64>(LEAVE + (<usize>load<u8>(at - WINDOW) << 3));
}

/** The fingerprint of the 64 bytes up to and with the one at `at`. */
function fingerprintAt(at: usize): u64 {
  let fingerprint: u64 = 0;
  for (let byte = at - WINDOW + 1; byte <= at; ++byte) fingerprint = enter(fingerprint, byte);
  return fingerprint;
}

@inline
function isBoundary(fingerprint: u64): bool {
  return (fingerprint & BOUNDARY_MASK) == 0;
}

/** The first byte in `from` … `to` - 1 whose fingerprint is a boundary; `to` if none is. 63 bytes before `from` are read. */
export function findBoundary(from: usize, to: usize): usize {
  while (from + LANES * LANE <= to) {
    const found = scanLanes(from, to);
    if (found != to) return found;
    from += LANES * LANE;
  }
  return from < to ? scan(from, to) : to;
}

function scan(from: usize, to: usize): usize {
  let fingerprint = fingerprintAt(from);
  let at = from;
  while (!isBoundary(fingerprint)) {
    if (++at == to) break;
    fingerprint = roll(fingerprint, at);
  }
  return at;
}

function scanLanes(from: usize, none: usize): usize {
  let first = none;
  let a = fingerprintAt(from);
  let b = fingerprintAt(from + LANE);
  let c = fingerprintAt(from + 2 * LANE);
  let d = fingerprintAt(from + 3 * LANE);
  const end = from + LANE;
  let at = from;
  while (true) {
    if (isBoundary(a)) first = min(first, at);
    if (isBoundary(b)) first = min(first, at + LANE);
    if (isBoundary(c)) first = min(first, at + 2 * LANE);
    if (isBoundary(d)) first = min(first, at + 3 * LANE);
    if (++at == end) break;
    a = roll(a, at);
    b = roll(b, at + LANE);
    c = roll(c, at + 2 * LANE);
    d = roll(d, at + 3 * LANE);
  }
  return first;
}
