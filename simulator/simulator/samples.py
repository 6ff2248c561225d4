"""Small real files, for a person who sends something without choosing a file."""

import base64
import struct
import zlib

from simulator import voice

_SIDE = 32
_COLOUR = bytes([0, 128, 105])
_WEBP = base64.b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)

MIME_TYPES = {
    "image": "image/png",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}


def sample(kind: str, text: str = "") -> bytes:
    match kind:
        case "image":
            return png()
        case "video":
            return _mp4()
        case "audio":
            return voice.record(text)
        case "sticker":
            return _WEBP
        case _:
            return _PDF


def png() -> bytes:
    row = b"\0" + _COLOUR * _SIDE
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = {b"IHDR": head, b"IDAT": zlib.compress(row * _SIDE), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks.items())


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _mp4() -> bytes:
    """A container without a picture: enough for whoever looks at the first bytes."""
    return struct.pack(">I", 24) + b"ftypisom\0\0\2\0isommp41" + struct.pack(">I", 8) + b"mdat"
