#!/usr/bin/env python3
"""Verifies a published log with the tools of another maker: aics-tlog (PyPI), which shares no code with the gateway.

    aics_tlog.py LOG_DIR|URL VKEY_FILE [--witness VKEY]... [--receipt FILE]...

It checks the checkpoint's signature (and that every given witness has cosigned), every tile of every level and every
entry bundle up to the signed root, a hundred inclusion proofs made from the tiles, consistency proofs from smaller
sizes, and receipts (tlog-proof@v1), whose record it takes from the `extra` line. Then it flips one bit in a copy of
each file in turn and wants each of them refused: a verifier that accepts everything would pass otherwise.

Of a log at an address everything but the last is checked; SSL_CERT_FILE names the authorities of its server.

Needs `pip install --ignore-requires-python -r tests/verifiers/requirements.txt`. Exit status: 0 verified, 1 not, 2 wrong use.
"""

import argparse
import base64
import sys
import urllib.request
from pathlib import Path

sys.path.pop(0)  # this folder: the script has the name of the package that it uses

from aics_tlog import (  # noqa: E402
    FileSystemTileReader,
    MemoryTileReader,
    consistency_proof_from_tiles,
    inclusion_proof_from_tiles,
    leaf_hash,
    parse_note,
    parse_vkey,
    read_entry,
    tree_root_from_tiles,
    verify_checkpoint,
    verify_consistency,
    verify_inclusion,
)
from aics_tlog.remote import HttpTileReader  # noqa: E402
from aics_tlog.verified import audit_tiles  # noqa: E402


class NotVerified(Exception):
    """What does not hold, in a sentence."""


def head_of(note_bytes, key, witnesses):
    """Origin, size and root of a note that the log has signed and all witnesses have cosigned."""
    result = verify_checkpoint(parse_note(note_bytes), key, witnesses, quorum=len(witnesses))
    if not result.ok:
        raise NotVerified(f"checkpoint: {result.error}")
    return result


def check_log(reader, head):
    """Every tile and entry bundle, then proofs over a spread of places and sizes."""
    report = audit_tiles(reader, head.size, head.root)
    if head.size == 0:
        return report
    for index in sorted({head.size * step // 100 for step in range(100)} | {head.size - 1}):
        proof = inclusion_proof_from_tiles(reader, index, head.size)
        leaf = leaf_hash(read_entry(reader, index, head.size))
        if not verify_inclusion(leaf, index, head.size, proof, head.root):
            raise NotVerified(f"record {index} is not in the log")
    for old in sorted({1, head.size // 3, head.size // 2, head.size - 1, head.size} - {0}):
        proof = consistency_proof_from_tiles(reader, old, head.size)
        old_root = tree_root_from_tiles(reader, old, head.size)
        if not verify_consistency(old, head.size, old_root, head.root, proof):
            raise NotVerified(f"the log did not grow from its first {old} records")
    return report


def check_receipt(path, key, witnesses):
    """A receipt of the gateway: the record in it is in the log whose checkpoint it carries."""
    head, _, note = path.read_bytes().partition(b"\n\n")
    lines = head.decode().split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1" or not lines[0].startswith("extra "):
        raise NotVerified(f"{path}: not a receipt with its record")
    record = base64.b64decode(lines.pop(0).removeprefix("extra "), validate=True)
    index = int(lines.pop(0).removeprefix("index "))
    proof = [base64.b64decode(line, validate=True) for line in lines]
    checkpoint = head_of(note, key, witnesses)
    if not verify_inclusion(leaf_hash(record), index, checkpoint.size, proof, checkpoint.root):
        raise NotVerified(f"{path}: the record is not in the log")


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def needed(files, size):
    """The files that a log of this size consists of; older partial tiles may lie about."""
    wanted, level = {"checkpoint"}, 0
    while size >> (8 * level):
        count = size >> (8 * level)
        for index in range((count + 255) // 256):
            width = min(256, count - 256 * index)
            number = [f"{index % 1000:03}"]
            rest = index // 1000
            while rest:
                number.insert(0, f"x{rest % 1000:03}")
                rest //= 1000
            suffix = "" if width == 256 else f".p/{width}"
            for kind in [str(level)] + (["entries"] if level == 0 else []):
                wanted.add(f"tile/{kind}/{'/'.join(number)}{suffix}")
        level += 1
    return sorted(wanted & files.keys())


def check_refusals(files, size, key, witnesses, at_most=60):
    """One bit flipped in a copy of each file: none of the copies may verify."""
    names = needed(files, size)
    step = max(1, len(names) // at_most)
    for name in names[::step]:
        damaged = bytearray(files[name])
        damaged[len(damaged) // 2] ^= 1
        copy = {**files, name: bytes(damaged)}
        try:
            head = head_of(copy["checkpoint"], key, witnesses)
            audit_tiles(MemoryTileReader({path: data for path, data in copy.items() if path != "checkpoint"}), head.size, head.root)
        except Exception:
            continue
        raise NotVerified(f"{name}: a flipped bit was not noticed")
    return len(names[::step])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log")
    parser.add_argument("vkey", type=Path)
    parser.add_argument("--witness", action="append", default=[], help="a witness's verifier key")
    parser.add_argument("--receipt", action="append", default=[], type=Path, help="a tlog-proof file")
    arguments = parser.parse_args()
    key = parse_vkey(arguments.vkey.read_text().strip())
    witnesses = [parse_vkey(text) for text in arguments.witness]
    try:
        is_remote = arguments.log.startswith("https://")
        if is_remote:
            with urllib.request.urlopen(f"{arguments.log}/checkpoint") as answer:
                note = answer.read()
        else:
            note = (Path(arguments.log) / "checkpoint").read_bytes()
        head = head_of(note, key, witnesses)
        report = check_log(HttpTileReader(arguments.log) if is_remote else FileSystemTileReader(Path(arguments.log)), head)
        for receipt in arguments.receipt:
            check_receipt(receipt, key, witnesses)
        refused = 0 if is_remote else check_refusals(files_of(Path(arguments.log)), head.size, key, witnesses)
    except Exception as problem:
        print(f"aics-tlog: not verified: {type(problem).__name__}: {problem}", file=sys.stderr)
        return 1
    print(
        f"aics-tlog: verified {head.origin}, {head.size} records, {report.tiles} tiles, {report.bundles} bundles, "
        f"{len(arguments.receipt)} receipts; {refused} damaged copies refused"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
