import json
from pathlib import Path

import pytest

from common.events import Language
from grader import evaluate
from grader.evaluate import rubric_of
from grader.settings import Settings
from grader_testing.factories import HALF, REFERENCES, TEXTS
from grader_testing.fake_llm import FakeLLM

REPLIES = Path(__file__).parents[1] / "evaluation" / "replies"


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


def written(tmp_path: Path, *rows: object) -> list[str]:
    data = tmp_path / "data.jsonl"
    lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in rows]
    data.write_text("\n".join(lines), encoding="utf-8")
    return ["--data", str(data), "--out", str(tmp_path / "predictions.jsonl")]


def predictions(tmp_path: Path) -> dict[str, float]:
    lines = (tmp_path / "predictions.jsonl").read_text().split("\n")
    rows = [json.loads(line) for line in lines if line]
    return {row["id"]: row["score"] for row in rows}


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ('{"id": "q-2", oops', "Invalid JSON"),
        ({"id": "q-2", "question": "What?", "reference": "That.", "human": 1}, "answer"),
        (row(2, "x", 1.0) | {"language": "fr"}, "language"),
        (row(2, "x", 4.0), "human"),
        (row(2, "x", 1.0) | {"human": None}, "human"),
        (row(2, "x", 1.0) | {"reference": ""}, "reference"),
        ("[1, 2]", "object"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: object, fault: str
) -> None:
    given = written(tmp_path, row(1, HALF, 0.5), "", bad)
    with pytest.raises(SystemExit):
        evaluate.main([*given, "--grader", "local"])
    told = capsys.readouterr().err
    assert "data.jsonl, line 3: " in told
    assert fault in told
    assert not (tmp_path / "predictions.jsonl").exists()


def test_a_file_that_is_not_there_is_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        evaluate.main(
            ["--data", str(tmp_path / "no.jsonl"), "--grader", "local", "--out", str(tmp_path)]
        )
    assert "no.jsonl" in capsys.readouterr().err


def test_rows_are_taken_with_empty_answers_odd_characters_and_regions(tmp_path: Path) -> None:
    rows = [
        row(1, "", 0.0),
        row(2, "First in,\u2028first out\u0085 \x0b is a queue.", 0.5),
        row(3, REFERENCES["en"], 1.0) | {"language": "EN-us"},
        row(4, "a" * 50_000, 0.0),
        row(5, "👍 \u0000", 0.0),
    ]
    evaluate.main([*written(tmp_path, *rows), "--grader", "local"])
    found = predictions(tmp_path)
    assert found["q-1"] == found["q-4"] == found["q-5"] == 0
    assert found["q-3"] > 0.9


@pytest.mark.parametrize("language", ["pt", "en", "es"])
def test_rows_in_each_language_are_ranked(tmp_path: Path, language: Language) -> None:
    texts = {"good": REFERENCES[language], "half": REFERENCES[language][:60], "none": "😀 ok"}
    asked = {"question": TEXTS[language], "reference": REFERENCES[language], "language": language}
    rows = [
        row(number, text, 0.5) | asked | {"id": name}
        for number, (name, text) in enumerate(texts.items())
    ]
    evaluate.main([*written(tmp_path, *rows), "--grader", "local"])
    found = predictions(tmp_path)
    assert found["good"] > found["half"] > found["none"]


def test_recorded_replies_are_played_without_a_model_or_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a change of the prompt: `python -m grader_testing.record evaluation/replies`."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    data, out = str(REPLIES / "rows.jsonl"), str(tmp_path / "predictions.jsonl")
    evaluate.main(["--data", data, "--out", out, "--grader", "openai", "--replay", str(REPLIES)])
    figures = json.loads(capsys.readouterr().out)
    assert figures["n"] == 12
    assert figures["pearson"] > 0.9
    found = predictions(tmp_path)
    for language in ("pt", "en", "es"):
        scores = [found[f"{language}-{name}"] for name in ("good", "half", "poor", "none")]
        assert scores[0] > scores[1] > scores[2] == scores[3] == 0


def test_what_was_never_recorded_is_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = written(tmp_path, row(1, "A stack is last in first out, unlike a queue.", 0.5))
    with pytest.raises(SystemExit):
        evaluate.main([*given, "--grader", "openai", "--replay", str(REPLIES)])
    assert "no such reply is recorded" in capsys.readouterr().err


def test_a_recording_holds_neither_key_nor_answer_and_outlives_what_a_server_refuses(
    tmp_path: Path, llm: FakeLLM, llm_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm.takes_schemas = llm.takes_effort = False
    folder, answer = tmp_path / "replies", "Queues are for jobs, and nobody wrote this anywhere."
    given = [*written(tmp_path, row(1, answer, 0.5)), "--grader", "openai"]
    evaluate.main([*given, "--record", str(folder)])
    first, asked = predictions(tmp_path), len(llm.requests)
    [kept] = folder.glob("*.json")
    assert "a-key-of-the-tests" not in kept.read_text()
    assert "nobody wrote this" not in kept.read_text()
    monkeypatch.delenv("OPENAI_API_KEY")
    evaluate.main([*given, "--replay", str(folder)])
    assert predictions(tmp_path) == first
    assert len(llm.requests) == asked


def test_without_a_key_it_says_which_one_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SystemExit):
        evaluate.main([*written(tmp_path, row(1, HALF, 0.5)), "--grader", "openai"])
    assert "OPENAI_API_KEY is empty" in capsys.readouterr().err
