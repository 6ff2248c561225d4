"""Records the replies that `test_evaluate` plays: `python -m grader_testing.record FOLDER`. They
are a fake model's, so this costs nothing; it is needed after a change of the prompt or the exam."""

import os
import subprocess
import sys
from pathlib import Path

from grader.words import words_of
from grader_testing.fake_llm import FakeLLM, Json
from grader_testing.marking import NEXT_STEPS

ENOUGH = 0.5


def by_words(exam: Json) -> Json:
    """Met where half the words of a point stand in the answer."""
    answer, points = str(exam["answer"]), exam["points"]
    assert isinstance(points, list)
    said = {word.stem for word in words_of(answer)}
    return {
        "points": [_marked(point, said, answer) for point in points],
        "next_step": NEXT_STEPS[str(exam["language"])],
        "gradable": True,
        "contradictions": [],
        "misconceptions": [],
    }


def _marked(point: Json, said: set[str], answer: str) -> Json:
    wanted = {word.stem for word in words_of(str(point["text"])) if word.has_content}
    if len(wanted & said) < ENOUGH * len(wanted):
        return {"id": point["id"], "verdict": "missing", "quote": ""}
    return {"id": point["id"], "verdict": "met", "quote": " ".join(answer.split()[:6])}


def main() -> None:
    folder = Path(sys.argv[1])
    for old in folder.glob("*.json"):
        old.unlink()
    llm = FakeLLM()
    llm.marking = by_words
    given = ["--data", str(folder / "rows.jsonl"), "--grader", "openai", "--out", os.devnull]
    command = [sys.executable, "-m", "grader.evaluate", *given, "--record", str(folder)]
    settings = {"OPENAI_API_KEY": "a-key-of-the-tests", "OPENAI_BASE_URL": llm.url}
    try:
        subprocess.run([*command, "--at-once", "1"], env=settings, check=True)  # noqa: S603
    finally:
        llm.close()


if __name__ == "__main__":
    main()
