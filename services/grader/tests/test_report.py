"""The page that compares examiners, and what promptfoo is given."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
import yaml

from grader import report
from grader.agreement import calibration
from grader.candidates import Watched, each
from grader.charts import curve, scatter
from grader.examiners import Examination, ExaminerFailed
from grader.local_examiner import LocalExaminer
from grader.settings import Settings
from grader_testing.factories import question
from grader_testing.fake_llm import FakeLLM
from grader_testing.marking import by_keywords

ROOT = Path(__file__).parents[3]
EVALUATION = Path(__file__).parents[1] / "evaluation"
CONTENT = ["--content", str(ROOT / "content")]
REPLIES = EVALUATION / "replies"


def made(tmp_path: Path, *arguments: str) -> str:
    out = tmp_path / "deep" / "grading.html"
    report.main([*CONTENT, "--questions", "2", "--out", str(out), *arguments])
    return out.read_text(encoding="utf-8")


def test_the_page_needs_nothing_beside_itself_and_tells_all(tmp_path: Path) -> None:
    page = made(tmp_path, "--examiner", "local", "--data", str(REPLIES / "rows.jsonl"))
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page)
    for heading in ("Beside people", "Anchor answers", "Robustness", "Calibration", "In short"):
        assert heading in page
    assert "rows.jsonl, 12 rows" in page
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(charts) == 2
    for chart in charts:
        ElementTree.fromstring(chart)  # noqa: S314 - our own


def test_without_graded_answers_the_packs_alone_are_told(tmp_path: Path) -> None:
    page = made(tmp_path, "--examiner", "local")
    assert "nothing to compare with people" in page
    assert "reference in another language" in page


def test_a_model_stands_beside_the_local_examiner_with_its_cost(
    tmp_path: Path, llm: FakeLLM, llm_settings: Settings
) -> None:
    llm.marking = by_keywords
    page = made(tmp_path, "--questions", "1")
    assert "<h2>local</h2>" in page
    assert "<h2>openai</h2><p>gpt-6-luna, prompt grade_v2" in page
    assert "a-key-of-the-tests" not in page


def test_a_model_that_fails_is_told_and_left_out(
    tmp_path: Path, llm: FakeLLM, llm_settings: Settings
) -> None:
    llm.script = ["denied"]
    page = made(tmp_path, "--questions", "1", "--examiner", "openai")
    assert "Failed, and left out: circuit_open" in page


def test_an_unknown_examiner_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        made(tmp_path, "--examiner", "oracle")
    assert "oracle is no examiner" in capsys.readouterr().err


def test_calibration_takes_each_tenth_once() -> None:
    ours = [number / 99 for number in range(100)]
    steps = calibration(ours, [value / 2 for value in ours])
    assert [step.count for step in steps] == [10] * 10
    assert all(step.theirs == pytest.approx(step.ours / 2) for step in steps)
    assert [step.count for step in calibration([0.5, 0.1], [1, 0])] == [1, 1]
    assert calibration([], []) == []


def test_charts_keep_every_point_inside() -> None:
    chart = scatter([(-1, 2), (0.5, 0.5)], across="a", up="b")
    places = re.findall(r'c[xy]="([\d.]+)"', chart)
    assert len(places) == 4
    assert all(0 < float(place) < 320 for place in places)
    assert curve([], across="a", up="b").startswith("<svg")


async def test_what_an_examiner_fails_at_is_counted_and_not_told_as_a_score() -> None:
    class Moody(LocalExaminer):
        async def examine(self, asked, answer, *, language, level) -> Examination:  # type: ignore[no-untyped-def]
            if not answer:
                raise ExaminerFailed("timeout")
            return await super().examine(asked, answer, language=language, level=level)

    watched, asked = Watched(Moody()), question()
    found = await each(
        ["a queue", "", "a stack"],
        lambda text: watched.examine(asked, text, language="en", level=1),
        2,
    )
    assert [text for text, _ in found] == ["a queue", "a stack"]
    assert watched.failures == {"timeout": 1}
    assert len(watched.milliseconds) == 2


@pytest.fixture
def trial() -> ModuleType:
    """Promptfoo loads it by its path, too."""
    spec = importlib.util.spec_from_file_location("anchor_trial", EVALUATION / "anchor_trial.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_promptfoo_asks_what_the_grader_asks_and_judges_with_our_score(
    tmp_path: Path, trial: ModuleType
) -> None:
    report.main([*CONTENT, "--questions", "2", "--promptfoo", str(tmp_path)])
    cases = json.loads((tmp_path / "tests.json").read_text())
    assert len(cases) == 18
    case = next(c["vars"] for c in cases if c["vars"]["anchor"] == "strong")
    system, user = trial.grade_v2({"vars": case})
    assert "rubric" in system["content"]
    exam = json.loads(user["content"])
    verdict = trial.judge(json.dumps(by_keywords(exam)), {"vars": case})
    assert verdict["pass"], verdict["reason"]
    assert not trial.judge("no JSON", {"vars": case})["pass"]


def test_code_with_two_braces_reaches_the_model_as_it_is(trial: ModuleType) -> None:
    exam = json.dumps({"answer": 'f"{{x}}" {% raw %} {# ruby #{y} #}'})
    sent = trial._not_a_template(exam)
    assert not re.search(r"\{[{%#]", sent)
    assert json.loads(sent) == json.loads(exam)


def test_the_configuration_names_what_there_is(trial: ModuleType) -> None:
    written = yaml.safe_load((EVALUATION / "promptfooconfig.yaml").read_text())
    [prompt] = written["prompts"]
    [check, _] = written["defaultTest"]["assert"]
    for named in (prompt["id"], check["value"]):
        file, function = named.removeprefix("file://").split(":")
        assert (EVALUATION / file).exists()
        assert callable(getattr(trial, function))
