"""Voice notes that say something: the words travel inside the audio file."""

import struct

MARKER = b"SABATINA-VOICE:"
NOT_OURS = "This voice message is simulated."
# Twenty milliseconds of silence, as Opus encodes it.
_SILENCE = b"\xf8\xff\xfe"
_SAMPLES_PER_PACKET = 960
_PACKETS = 50
_SERIAL = 0x5ABA
_FIRST, _LAST = 2, 4


def record(text: str) -> bytes:
    """An Ogg Opus file of one silent second with the words in its comment header."""
    head = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 312, 48_000, 0, 0)
    comment = MARKER + text.encode()
    vendor = b"sabatina"
    tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor
    tags += struct.pack("<II", 1, len(comment)) + comment + b"\0"
    return (
        _page([head], number=0, position=0, flags=_FIRST)
        + _page([tags], number=1, position=0)
        + _page(
            [_SILENCE] * _PACKETS,
            number=2,
            position=_PACKETS * _SAMPLES_PER_PACKET,
            flags=_LAST,
        )
    )


def heard_in(audio: bytes) -> str:
    """What was recorded, or a fixed sentence for audio from elsewhere."""
    _, marker, rest = audio.partition(MARKER)
    if not marker:
        return NOT_OURS
    return rest.split(b"\0")[0].decode("utf-8", "replace").strip()


def _page(packets: list[bytes], *, number: int, position: int, flags: int = 0) -> bytes:
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
    head = b"OggS" + struct.pack("<BBqIII", 0, flags, position, _SERIAL, number, 0)
    page = bytearray(head + bytes([len(lacing)]) + lacing + b"".join(packets))
    page[22:26] = struct.pack("<I", _checksum(page))
    return bytes(page)


def _checksum(page: bytes | bytearray) -> int:
    """Ogg's own CRC-32: not reflected, and without the final inversion that zlib has."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc
