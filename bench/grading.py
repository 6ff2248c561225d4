"""The local examiner: time per answer of our packs, and the memory of a program that has it."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common.questions import ANCHOR_SCORES, Question
from grader.anchors import LANGUAGES, spread
from grader.bank_check import read

CONTENT = Path(__file__).parents[1] / "content" / "questions"
QUESTIONS = 120
TARGET_P95_MS, TARGET_MB = 60, 350


def run() -> dict[str, object]:
    questions = spread(list(read([CONTENT])), QUESTIONS)
    rows = [row for question in questions for row in _rows(question)]
    figures = _evaluated(rows)
    return {
        "answers": figures["n"],
        "p50_ms": round(figures["p50_ms"], 2),
        "p95_ms": round(figures["p95_ms"], 2),
        "resident_mb": round(figures["rss_mb"], 1),
        "target_p95_ms": TARGET_P95_MS,
        "target_mb": TARGET_MB,
        "ok": figures["p95_ms"] <= TARGET_P95_MS and figures["rss_mb"] <= TARGET_MB,
    }


def _rows(question: Question) -> list[dict[str, object]]:
    return [
        {
            "id": f"{question.id}-{language}-{name}",
            "question": question.languages.of(language).question,
            "reference": question.languages.of(language).reference,
            "answer": answer,
            "language": language,
            "human": ANCHOR_SCORES[name] / 10,
        }
        for language in LANGUAGES
        for name, answer in question.languages.of(language).anchors.items()
    ]


def _evaluated(rows: list[dict[str, object]]) -> dict[str, float]:
    """In a program of its own, whose memory is nobody else's."""
    with tempfile.TemporaryDirectory(prefix="sabatina-bench-") as name:
        data, out = Path(name) / "rows.jsonl", Path(name) / "predictions.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        command = [sys.executable, "-m", "grader.evaluate", "--grader", "local"]
        done = subprocess.run(
            [*command, "--data", str(data), "--out", str(out)],
            check=True,
            capture_output=True,
            text=True,
        )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
