import json
from pathlib import Path

import pytest

from grader import evaluate
from grader.evaluate import rubric_of
from grader_testing.factories import HALF, REFERENCES, TEXTS


def row(number: int, answer: str, human: float) -> dict[str, object]:
    return {
        "id": f"q-{number}",
        "question": TEXTS["en"],
        "reference": REFERENCES["en"],
        "answer": answer,
        "language": "en",
        "human": human,
        "a_column_of_theirs": 3,
    }


def test_it_writes_a_prediction_a_row_and_prints_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "predictions.jsonl"
    rows = [row(1, REFERENCES["en"], 1.0), row(2, HALF, 0.5), row(3, "no idea", 0.0)]
    data.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    evaluate.main(["--data", str(data), "--grader", "local", "--out", str(out)])
    [line] = capsys.readouterr().out.splitlines()
    figures = json.loads(line)
    assert list(figures) == [
        "n", "pearson", "spearman", "rmse", "qwk", "p50_ms", "p95_ms", "rss_mb",
    ]  # fmt: skip
    assert figures["n"] == 3
    assert figures["pearson"] > 0.7
    predictions = [json.loads(line) for line in out.read_text().splitlines()]
    assert [prediction["id"] for prediction in predictions] == ["q-1", "q-2", "q-3"]
    best, middle, worst = (prediction["score"] for prediction in predictions)
    assert 1 >= best > middle > worst == 0


def test_without_rows_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data.jsonl"
    data.touch()
    with pytest.raises(SystemExit):
        evaluate.main(["--data", str(data), "--grader", "local", "--out", str(tmp_path / "out")])
    assert "holds no rows" in capsys.readouterr().err


def test_each_part_of_a_reference_is_a_point() -> None:
    points = rubric_of("It is O(log n). The data must be sorted, and access is random.\nYes.")
    assert [point.text for point in points] == [
        "It is O(log n).",
        "The data must be sorted",
        "and access is random. Yes.",
    ]
    assert len(rubric_of("One thing here. " * 30)) <= 6
