"""Small charts as SVG text. All values are 0 to 1 on both sides."""

from collections.abc import Iterable, Sequence

SIZE, MARGIN = 320, 36
_SPAN = SIZE - 2 * MARGIN
_TICKS = 6  # 0 to 5, as people mark

Point = tuple[float, float]


def scatter(points: Iterable[Point], *, across: str, up: str) -> str:
    dots = "".join(f'<circle cx="{x(a)}" cy="{y(b)}" r="2.5"/>' for a, b in points)
    return _chart(f'<g class="dots">{dots}</g>', across, up)


def curve(points: Sequence[Point], *, across: str, up: str) -> str:
    line = " ".join(f"{x(a)},{y(b)}" for a, b in points)
    dots = "".join(f'<circle cx="{x(a)}" cy="{y(b)}" r="3.5"/>' for a, b in points)
    return _chart(f'<polyline class="curve" points="{line}"/>{dots}', across, up)


def x(value: float) -> str:
    return f"{MARGIN + _inside(value) * _SPAN:.1f}"


def y(value: float) -> str:
    return f"{SIZE - MARGIN - _inside(value) * _SPAN:.1f}"


def _inside(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _chart(content: str, across: str, up: str) -> str:
    low, high, middle = MARGIN, SIZE - MARGIN, SIZE / 2
    return (
        f'<svg viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{up} against {across}">'
        f'<path class="axes" d="M{low} {low}V{high}H{high}"/>'
        f'<path class="equal" d="M{low} {high}L{high} {low}"/>{_ticks()}{content}'
        f'<text x="{middle}" y="{SIZE - 4}">{across}</text>'
        f'<text x="12" y="{middle}" transform="rotate(-90 12 {middle})">{up}</text></svg>'
    )


def _ticks() -> str:
    shares = [(number, number / (_TICKS - 1)) for number in range(_TICKS)]
    below = (f'<text x="{x(at)}" y="{SIZE - MARGIN + 13}">{number}</text>' for number, at in shares)
    beside = (f'<text x="{MARGIN - 10}" y="{y(at)}">{number}</text>' for number, at in shares)
    return "".join((*below, *beside))
