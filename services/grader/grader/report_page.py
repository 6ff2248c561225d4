"""The report as one HTML page that needs nothing beside itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from common.questions import ANCHOR_SCORES
from grader.agreement import calibration, percentile
from grader.charts import curve, scatter
from grader.findings import Findings, Group, agreement, by_language, by_length
from grader.robustness import EXPECTED

RANKED_AT_LEAST = 0.95
MARKS = 5
"""Errors are told in the marks of the data, 0 to 5."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>How well answers are graded</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>
<body><h1>How well answers are graded</h1>
<p>{about}</p>
<h2>In short</h2>{overview}
{sections}
</body></html>
"""
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #8886; }
th:first-child, td:first-child { text-align: left; }
td.bad { color: #b3261e; font-weight: 600; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 20rem; } figcaption { font-size: .85rem; }
svg { width: 100%; font-size: 11px; } svg text { fill: currentColor; text-anchor: middle; }
.axes { stroke: currentColor; fill: none; } .equal { stroke: #8888; stroke-dasharray: 4; }
circle { fill: #2a6fdb; } .dots { fill-opacity: .25; }
.curve { stroke: #2a6fdb; fill: none; stroke-width: 2; }
"""
TRAINED = """<p>The local examiner was trained on the anchors of these packs, and on the open graded
answers: where the data are those, its figures here flatter it. What it reaches on questions that it
never saw stands in docs/grading.md.</p>"""


@dataclass(frozen=True)
class Cell:
    text: str
    is_bad: bool = False


@dataclass(frozen=True, kw_only=True)
class About:
    made_at: datetime
    data: str
    versions: dict[str, str]


def page(found: Sequence[Findings], about: About) -> str:
    versions = (f"{name} {version}" for name, version in about.versions.items())
    made = f"Made on {about.made_at:%Y-%m-%d %H:%M} UTC. Graded answers: {about.data}."
    return PAGE.format(
        style=STYLE,
        about=escape(f"{made} Versions: {', '.join(versions)}."),
        overview=_overview(found),
        sections="".join(map(_section, found)),
    )


def _overview(found: Sequence[Findings]) -> str:
    heads = (
        "examiner", "model", "Pearson", "RMSE of 5", "QWK", "anchors ranked right",
        "language gap", "robustness kept", "p50 ms", "p95 ms", "$ for 1,000", "failed",
    )  # fmt: skip
    return _table(heads, map(_overview_row, found))


def _overview_row(one: Findings) -> list[Cell]:
    with_people = ["-"] * 3
    if one.compared:
        figures = agreement(one.compared)
        with_people = [
            f"{figures.pearson:.3f}",
            f"{figures.rmse * MARKS:.3f}",
            f"{figures.qwk:.3f}",
        ]
    ranked = min((figures.ranked_right for figures in one.anchors), default=0.0)
    kept = [tally.kept for tally in one.robustness]
    return [
        Cell(one.name),
        Cell(one.model),
        *map(Cell, with_people),
        _share(ranked, RANKED_AT_LEAST),
        Cell(f"{one.language_gap:.2f}"),
        Cell(f"{sum(kept) / len(kept):.1%}" if kept else "-"),
        *map(Cell, _latency(one)),
        Cell(_cost(one)),
        Cell(str(sum(one.failures.values()))),
    ]


def _latency(one: Findings) -> tuple[str, str]:
    if not one.milliseconds:
        return "-", "-"
    return (
        f"{percentile(one.milliseconds, 0.5):.0f}",
        f"{percentile(one.milliseconds, 0.95):.0f}",
    )


def _cost(one: Findings) -> str:
    if one.cost_usd is None:
        return "price unknown"
    return f"{one.cost_usd * 1000 / max(len(one.milliseconds), 1):.3f}"


def _section(one: Findings) -> str:
    prompt = f", prompt {one.prompt_version}" if one.prompt_version else ""
    return (
        f"<h2>{escape(one.name)}</h2>"
        f"<p>{escape(one.model + prompt)}; {len(one.milliseconds)} answers examined.</p>"
        f"{_failures(one)}{TRAINED if one.name == 'local' else ''}"
        f"{_people(one)}{_anchors(one)}{_robustness(one)}"
    )


def _failures(one: Findings) -> str:
    if not one.failures:
        return ""
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(one.failures.items()))
    return f"<p><strong>Failed, and left out: {escape(told)}.</strong></p>"


def _people(one: Findings) -> str:
    if not one.compared:
        return "<p>No graded answers were given: nothing to compare with people.</p>"
    ours, human = [c.ours for c in one.compared], [c.human for c in one.compared]
    figures = agreement(one.compared)
    points = scatter(zip(human, ours, strict=True), across="people", up="examiner")
    steps = [(step.ours, step.theirs) for step in calibration(ours, human)]
    calibrated = curve(steps, across="examiner, by tenths", up="people, mean")
    groups = [*by_language(one.compared), *by_length(one.compared)]
    return (
        f"<h3>Beside people</h3><p>{figures.count} answers: Pearson {figures.pearson:.3f},"
        f" Spearman {figures.spearman:.3f}, RMSE {figures.rmse * MARKS:.3f} of 5,"
        f" QWK {figures.qwk:.3f}.</p><div class='charts'>"
        f"<figure>{points}<figcaption>Each answer, 0 to 5. On the line both agree.</figcaption>"
        f"</figure><figure>{calibrated}<figcaption>Calibration: what people gave to each tenth of"
        f" the examiner's scores. Below the line it is too generous.</figcaption></figure></div>"
        f"{_table(('answers', 'n', 'RMSE of 5', 'bias of 5'), map(_group_row, groups))}"
    )


def _group_row(group: Group) -> list[Cell]:
    bias = f"{group.bias * MARKS:+.2f}"
    return [Cell(group.name), Cell(str(group.count)), Cell(f"{group.rmse * MARKS:.2f}"), Cell(bias)]


def _anchors(one: Findings) -> str:
    meant = [f"{name}, meant {score}" for name, score in ANCHOR_SCORES.items()]
    heads = ("language", "questions", *meant, "reference", "references kept", "ranked right",
             "misconceptions capped")  # fmt: skip
    rows = (
        [
            Cell(figures.language),
            Cell(str(figures.questions)),
            *(Cell(f"{figures.means[name]:.2f}") for name in ANCHOR_SCORES),
            Cell(f"{figures.reference_mean:.2f}"),
            _share(figures.references_kept, RANKED_AT_LEAST),
            _share(figures.ranked_right, RANKED_AT_LEAST),
            _share(figures.beliefs_capped, RANKED_AT_LEAST),
        ]
        for figures in one.anchors
    )
    return (
        f"<h3>Anchor answers</h3>{_table(heads, rows)}<p>A good answer to the question in another"
        f" language gets a score that is {one.language_gap:.2f} away on average.</p>"
    )


def _robustness(one: Findings) -> str:
    rows = []
    for tally in one.robustness:
        low, high = EXPECTED[tally.kind]
        # The farthest from what is meant: downwards for good answers, upwards for bad ones.
        worst = min(tally.scores) if high == 10 else max(tally.scores)
        rows.append(
            [
                Cell(tally.kind.replace("_", " ")),
                Cell(str(len(tally.scores))),
                Cell(f"{low} to {high}"),
                Cell(f"{sum(tally.scores) / len(tally.scores):.2f}"),
                Cell(str(worst), not low <= worst <= high),
                _share(tally.kept, RANKED_AT_LEAST),
            ]
        )
    heads = ("answers that try it on", "n", "meant", "mean", "worst", "kept")
    return f"<h3>Robustness</h3>{_table(heads, rows)}"


def _share(value: float, least: float) -> Cell:
    return Cell(f"{value:.1%}", value < least)


def _table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: Cell) -> str:
    mark = ' class="bad"' if cell.is_bad else ""
    return f"<td{mark}>{escape(cell.text)}</td>"
