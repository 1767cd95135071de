"""Photos without what cameras and programs write beside the picture: who, where, when, and with which device.

The picture itself is not touched: a photo is walked through piece by piece, and pieces that say nothing of how it is to
be drawn are left out.

Source:
    ISO/IEC 10918-1, annex B (the segments of a JPEG); W3C, "Portable Network Graphics", chapter 11 (its chunks).
"""

from __future__ import annotations

JPEG, PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_PROFILE, _ADOBE = b"ICC_PROFILE\x00", 0xEE
_APPLICATION, _COMMENT = range(0xE1, 0xF0), 0xFE
_END, _SCAN, _RESTARTS = 0xD9, 0xDA, range(0xD0, 0xD8)
_DRAWN = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs"))


def bare(content: bytes) -> bytes:
    """Return a photo's file without its notes; one that is neither JPEG nor PNG, or is damaged, as it is."""
    try:
        if content.startswith(JPEG):
            return _bare_jpeg(content)
        return _bare_png(content) if content.startswith(PNG) else content
    except (IndexError, ValueError):
        return content


def _bare_jpeg(content: bytes) -> bytes:
    """Return a JPEG's segments that draw it, up to its end: behind that other pictures may hang, with their notes."""
    kept = [JPEG]
    at = 2
    while True:
        if content[at] != 0xFF:
            raise ValueError(f"need a marker, got {content[at]}")
        marker = content[at + 1]
        if marker == 0xFF:  # a filling byte
            at += 1
            continue
        if marker == _END:
            kept.append(content[at : at + 2])
            return b"".join(kept)
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
        if end <= at + 3 or end > len(content):
            raise ValueError("need a whole segment, got a cut one")
        if marker == _SCAN:
            end = _scan_end(content, end)
        if not _is_note(marker, content[at + 4 : end]):
            kept.append(content[at:end])
        at = end


def _scan_end(content: bytes, at: int) -> int:
    """Return where the packed picture that begins at `at` ends: at the first marker that is none of its own."""
    while True:
        at = content.index(b"\xff", at)
        if content[at + 1] not in (0, 0xFF) and content[at + 1] not in _RESTARTS:
            return at
        at += 1 if content[at + 1] == 0xFF else 2


def _is_note(marker: int, payload: bytes) -> bool:
    if marker == _COMMENT:
        return True
    return marker in _APPLICATION and marker != _ADOBE and not payload.startswith(_PROFILE)


def _bare_png(content: bytes) -> bytes:
    kept = [PNG]
    at = len(PNG)
    while True:
        end = at + 12 + int.from_bytes(content[at : at + 4])
        kind = content[at + 4 : at + 8]
        if end > len(content):
            raise ValueError("need a whole chunk, got a cut one")
        if kind in _DRAWN:
            kept.append(content[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end
