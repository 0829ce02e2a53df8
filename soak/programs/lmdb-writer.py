"""Runs in a container: `lmdb-writer FOLDER` writes to an LMDB store for ever, through a writable mapping of its file. Each
transaction adds an entry and counts two counters up, which are at opposite ends of the keys."""

import json
import os
import signal
import sys
import time

import lmdb

folder = sys.argv[1]
store = lmdb.open(folder, map_size=256 << 20, writemap=True, sync=True)
first, last = b"\x00counter", b"\xffcounter"


def tell(line):
    """In one piece, and again when the pipe is full."""
    while True:
        try:
            os.write(1, (line + "\n").encode())
            return
        except BlockingIOError:
            time.sleep(0.001)


def look():
    problems = []
    with store.begin() as transaction:
        rows = [
            [int(key[4:]), float(value.split()[0])]
            for key, value in transaction.cursor()
            if key.startswith(b"row ")
        ]
        counters = [int(transaction.get(name, b"0")) for name in (first, last)]
        entries = transaction.stat()["entries"]
    if counters[0] != counters[1]:
        problems.append(f"the counters are {counters}")
    if counters[0] != len(rows):
        problems.append(f"{len(rows)} entries, and the counter says {counters[0]}")
    if entries != len(rows) + (2 if rows else 0):
        problems.append(f"{entries} entries by the store's own count, {len(rows)} found")
    tell("started")
    for at in range(0, len(rows), 100):
        tell("rows " + json.dumps(rows[at : at + 100]))
    tell("found " + json.dumps({"problems": problems}))


def write():
    with store.begin() as transaction:
        count = int(transaction.get(first, b"0"))
    while True:
        count += 1
        started = time.time() * 1000
        with store.begin(write=True) as transaction:
            transaction.put(b"row %012d" % count, b"%.2f %s" % (started, b"x" * 300))
            transaction.put(first, b"%d" % count)
            transaction.put(last, b"%d" % count)
        tell(f"commit {count} {started:.2f} {time.time() * 1000:.2f}")


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
look()
write()
