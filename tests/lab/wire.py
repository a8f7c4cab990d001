# SPDX-License-Identifier: Apache-2.0
"""The External Term Format, as far as scripted peers need it, and where each field of a term lies.

Terms are Python's: Atom, int, tuple, list, bytes (a binary), dict (a map). Pids, references and
whatever else must be echoed byte for byte are Opaque."""

import struct

VERSION = 131

# One row a tag: the widths of its fixed fields; what follows them is in FOLLOWED_BY.
FIELDS = {
    70: (8,), 77: (4, 1), 82: (1,), 97: (1,), 98: (4,), 99: (31,), 100: (2,), 104: (1,), 105: (4,),
    106: (), 107: (2,), 108: (4,), 109: (4,), 110: (1, 1), 111: (4, 1), 112: (4,), 115: (1,), 116: (4,),
    118: (2,), 119: (1,), 88: (), 89: (), 90: (2,), 113: (), 120: (),
}
BYTES_OF_FIRST_FIELD = (77, 100, 107, 109, 110, 111, 112, 115, 118, 119)
TERMS_OF_FIRST_FIELD = {104: (1, 0), 105: (1, 0), 108: (1, 1), 116: (2, 0)}  # factor, extra
NODE_THEN = {88: (4, 4, 4), 89: (4, 4), 120: (8, 4)}
ATOMS = (100, 115, 118, 119)
OPAQUE = (70, 77, 88, 89, 90, 99, 112, 113, 120)


class Atom(str):
    """An atom; compares as its text."""

    def __repr__(self):
        return f"'{self}'"


class Improper(list):
    """A list whose last item is its tail: [alias | Ref]."""


class Opaque(bytes):
    """An encoded term that is echoed as it came."""


def pid(node, number, creation, serial=0):
    return Opaque(b'X' + encode(Atom(node)) + struct.pack('>III', number, serial, creation))


def ref(node, creation, *words):
    head = b'Z' + struct.pack('>H', len(words)) + encode(Atom(node))
    return Opaque(head + struct.pack(f'>I{len(words)}I', creation, *words))


def encode(term):
    if isinstance(term, Opaque):
        return bytes(term)
    if isinstance(term, Atom):
        text = term.encode()
        head = b'w' + struct.pack('B', len(text)) if len(text) < 256 else b'v' + struct.pack('>H', len(text))
        return head + text
    if isinstance(term, int):
        if 0 <= term < 256:
            return b'a' + bytes([term])
        if -2**31 <= term < 2**31:
            return b'b' + struct.pack('>i', term)
        digits = abs(term).to_bytes((abs(term).bit_length() + 7) // 8, 'little')
        return b'n' + bytes([len(digits), term < 0]) + digits
    if isinstance(term, tuple):
        return b'h' + bytes([len(term)]) + b''.join(map(encode, term))
    if isinstance(term, Improper):
        return b'l' + struct.pack('>I', len(term) - 1) + b''.join(map(encode, term))
    if isinstance(term, list):
        if not term:
            return b'j'
        return b'l' + struct.pack('>I', len(term)) + b''.join(map(encode, term)) + b'j'
    if isinstance(term, bytes):
        return b'm' + struct.pack('>I', len(term)) + term
    if isinstance(term, dict):
        pairs = b''.join(encode(key) + encode(value) for key, value in term.items())
        return b't' + struct.pack('>I', len(term)) + pairs
    raise TypeError(f'no encoding for {term!r}')


class Truncated(ValueError):
    """The term needs bytes that are not there."""


def _take(data, at, width):
    if at + width > len(data):
        raise Truncated(f'{width} bytes at {at} of {len(data)}')
    return data[at:at + width]


def fields(data, at=0):
    """(offset, width, kind) of each field of the term at `at`, in order; kinds: tag int text."""
    left = 1
    while left > 0:
        left -= 1
        tag = _take(data, at, 1)[0]
        yield at, 1, 'tag'
        at += 1
        if tag not in FIELDS:
            raise ValueError(f'tag {tag} at {at - 1}')
        first = None
        for width in FIELDS[tag]:
            value = int.from_bytes(_take(data, at, width), 'big')
            first = value if first is None else first
            yield at, width, 'int'
            at += width
        if tag in BYTES_OF_FIRST_FIELD:
            first -= 4 if tag == 112 else 0  # a fun's size counts itself
            _take(data, at, first)
            if first:
                yield at, first, 'text'
            at += first
        elif tag in TERMS_OF_FIRST_FIELD:
            factor, extra = TERMS_OF_FIRST_FIELD[tag]
            left += factor * first + extra
        elif tag in NODE_THEN or tag == 90:
            yield from fields(data, at)
            at = end(data, at)
            for width in NODE_THEN.get(tag) or (4,) * (1 + first):
                _take(data, at, width)
                yield at, width, 'int'
                at += width
        elif tag == 113:
            left += 3


def end(data, at=0):
    """Where the term at `at` ends."""
    for offset, width, _ in fields(data, at):
        at = offset + width
    return at


def decode(data, at=0):
    """(term, where it ends)"""
    stop = end(data, at)
    tag, body = data[at], at + 1
    if tag in OPAQUE:
        return Opaque(data[at:stop]), stop
    if tag in ATOMS:
        return Atom(data[body + FIELDS[tag][0]:stop].decode('latin1' if tag in (100, 115) else 'utf-8')), stop
    if tag == 97:
        return data[body], stop
    if tag == 98:
        return struct.unpack_from('>i', data, body)[0], stop
    if tag in (110, 111):
        width = FIELDS[tag][0]
        value = int.from_bytes(data[body + width + 1:stop], 'little')
        return (-value if data[body + width] else value), stop
    if tag == 109:
        return bytes(data[body + 4:stop]), stop
    if tag == 107:
        return list(data[body + 2:stop]), stop
    return _decode_compound(data, tag, body, stop)


def _decode_compound(data, tag, at, stop):
    if tag == 106:
        return [], stop
    width = FIELDS[tag][0]
    factor, extra = TERMS_OF_FIRST_FIELD[tag]
    count = int.from_bytes(data[at:at + width], 'big')
    at += width
    items = []
    for _ in range(factor * count + extra):
        item, at = decode(data, at)
        items.append(item)
    if tag == 116:
        return {_key(k): v for k, v in zip(items[::2], items[1::2])}, stop
    if tag == 108:
        return items[:-1] if items[-1] == [] else Improper(items), stop
    return tuple(items), stop


def _key(term):
    return repr(term) if isinstance(term, (list, dict)) else term
