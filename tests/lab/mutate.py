# SPDX-License-Identifier: Apache-2.0
"""Recorded packets and frames with one field changed at a time: what it was, and what is wrong."""

import random
import struct

from lab import wire


def frame_fields(frame):
    """(offset, width, kind) of the fields of a frame without its length."""
    if frame[:2] == b'p\x83':
        found = [(0, 1, 'tag'), (1, 1, 'tag'), *wire.fields(frame, 2)]
        at = found[-1][0] + found[-1][1]
        if at < len(frame):
            found += [(at, 1, 'tag'), *wire.fields(frame, at + 1)]
        return found
    # With a header the terms hang on a cache; its bytes are fields enough.
    return [(at, 1, 'int') for at in range(min(len(frame), 96))]


def packet_fields(packet):
    """The same for a packet of the handshake."""
    layouts = {b'N': ((1, 8, 'int'), (9, 4, 'int'), (13, 2, 'int'), (15, len(packet) - 15, 'text')),
               b'r': ((1, 4, 'int'), (5, 16, 'text')),
               b'a': ((1, 16, 'text'),),
               b's': ((1, len(packet) - 1, 'text'),)}
    if packet[:1] == b'N' and len(packet) > 19 + 2 and packet[13:15] != struct.pack('>H', len(packet) - 15):
        layouts[b'N'] = ((1, 8, 'int'), (9, 4, 'int'), (13, 4, 'int'), (17, 2, 'int'),
                         (19, len(packet) - 19, 'text'))
    return [(0, 1, 'tag'), *layouts[packet[:1]]]


def _other_values(kind, old):
    """Bytes of the same width that could hurt most."""
    width = len(old)
    if kind == 'text':
        yield b'\0' * width
        yield b'\xff' * width
        yield b'@' * width
        yield bytes([old[0] ^ 0x20]) + old[1:]
        yield old[:-1] + b'\0'
        return
    value, top = int.from_bytes(old, 'big'), (1 << 8 * width) - 1
    for other in (0, 1, top, top >> 1, (top >> 1) + 1, value + 1, value - 1, value ^ (1 << 8 * width - 1),
                  value << 8, value * 2):
        yield (other & top).to_bytes(width, 'big')
    if kind == 'tag':
        for tag in (80, 82, 97, 100, 104, 105, 108, 109, 110, 111, 115, 116, 119, 121, 88, 90):
            yield bytes([tag])


def mutants(data, fields, prefix):
    """(description, bytes with their length prefix) for every field; prefix: 2 or 4 bytes.

    The prefix fits what follows it, except where the mutant is about the prefix itself."""
    pack = {2: '>H', 4: '>I'}[prefix]
    seen = {data}
    for offset, width, kind in fields:
        old = data[offset:offset + width]
        for new in _other_values(kind, old):
            changed = data[:offset] + new + data[offset + width:]
            if changed not in seen:
                seen.add(changed)
                yield f'{kind} at {offset} {old[:8].hex()} -> {new[:8].hex()}', struct.pack(pack, len(changed)) + changed
        yield f'cut at {offset}', struct.pack(pack, offset) + data[:offset]
    yield 'said twice', struct.pack(pack, 2 * len(data)) + data + data
    yield 'one byte more', struct.pack(pack, len(data) + 1) + data + b'\0'
    for length in (0, len(data) - 1, len(data) + 1, len(data) + 256, (1 << 8 * prefix) - 1, 1 << 8 * prefix - 1):
        yield f'length {length}', struct.pack(pack, length) + data


def flips(rng, data, prefix, count):
    """One to three bits turned anywhere behind the prefix."""
    pack = {2: '>H', 4: '>I'}[prefix]
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        yield 'bits', struct.pack(pack, len(changed)) + bytes(changed)


def of_packets(sessions, role, seed):
    """(step, description, mutant) of the handshake packets that a real node sent in a role, in an
    order that is always the same."""
    rng = random.Random(seed)
    rows = []
    for session in sessions:
        for step, text in enumerate(session[role]):
            data = bytes.fromhex(text)
            found = [*mutants(data, packet_fields(data), 2), *flips(rng, data, 2, 40)]
            rows += [(step, f'{_origin(session)} {role} {step}: {what}', mutant) for what, mutant in found]
    rng.shuffle(rows)
    return rows


def of_frames(sessions, seed, count):
    """(session, description, mutant): `count` of them, as many of each frame."""
    rng = random.Random(seed)
    piles = []
    for session in sessions:
        for i, text in enumerate(session['frames']):
            data = bytes.fromhex(text)
            found = [*mutants(data, frame_fields(data), 4), *flips(rng, data, 4, 20)]
            rng.shuffle(found)
            piles.append([(session, f'{_origin(session)} frame {i}: {what}', mutant) for what, mutant in found])
    rows = []
    while len(rows) < count:
        rows += [pile.pop() for pile in piles if pile]
    return rows[:count]


def _origin(session):
    return f'otp{session["otp"]}-{session["flags"]}'
