"""Forms with files, as far as uploads need them."""

from email.message import Message
from email.parser import BytesHeaderParser
from typing import NamedTuple


class FormPart(NamedTuple):
    data: bytes
    filename: str | None
    content_type: str | None

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def parse_form(content_type: str, body: bytes) -> dict[str, FormPart]:
    """Parts by name; empty when the body is no form."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        return {}
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    return dict(_part(piece) for piece in pieces[1:-1])


def _part(piece: bytes) -> tuple[str, FormPart]:
    head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = BytesHeaderParser().parsebytes(head)
    name = headers.get_param("name", "", "content-disposition")
    has_type = "content-type" in headers
    return str(name), FormPart(
        data, headers.get_filename(), str(headers["content-type"]) if has_type else None
    )
