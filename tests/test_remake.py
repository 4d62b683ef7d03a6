"""The list of what depends on the weights: its order, what is chosen of it, and that a failure ends the run."""

import json
from itertools import chain
from pathlib import Path

import pytest

import remake

FAST = (("a.py",), ("b.py --fast", "more*.py"), ("z.py",))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the scripts of FAST, each of which notes that it ran."""
    for name in ("a", "b", "more2", "more1", "z"):
        note = f"import sys; print({name!r}, *sys.argv[1:], file=open('ran.txt', 'a'))"
        (tmp_path / f"{name}.py").write_text(note, encoding="utf-8")
    monkeypatch.setattr(remake, "STAGES", FAST)
    return tmp_path


def names_of(stages: list[dict[str, list[str]]]) -> list[str]:
    return list(chain(*stages))


def ran(folder: Path) -> list[str]:
    return (folder / "ran.txt").read_text(encoding="utf-8").splitlines()


def test_every_script_that_is_named_is_there_and_measures_before_what_quotes_it():
    names = names_of(remake.found())
    assert len(names) >= 8 and names[-1] == "build_notebooks"
    order = ["lesson01", "examine_picturebook", "model_card", "lesson02", "make_front_picture", "build_notebooks"]
    assert [name for name in names if name in order] == order


def test_no_lesson_s_benchmark_is_forgotten():
    benchmarks = {path.stem for path in (remake.ROOT / "benchmarks").glob("lesson*.py")}
    assert benchmarks <= set(names_of(remake.found()))


def test_every_number_was_measured_with_the_weights_that_are_shipped():
    """Else the texts quote another model: python tools/remake.py --stale."""
    files = (remake.ROOT / "results").glob("*.json")
    results = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
    measured = {name: found["measured"]["weights"] for name, found in results.items() if "measured" in found}
    assert len(measured) >= 10 and measured == dict.fromkeys(measured, remake.weights())


def test_what_was_measured_with_these_weights_is_not_stale(folder):
    (folder / "a.py").write_text('record("some", {})', encoding="utf-8")
    (folder / "results").mkdir()
    file = folder / "results" / "some.json"
    assert not remake.measured_already("a.py", folder) and not remake.measured_already("z.py", folder)
    for weights, already in ((remake.weights(), True), ("other", False)):
        file.write_text(json.dumps({"measured": {"weights": weights}}), encoding="utf-8")
        assert remake.measured_already("a.py", folder) is already


def test_the_steps_run_in_the_order_of_the_list_with_their_arguments(folder):
    stages = remake.found(folder)
    assert remake.remake(stages, names_of(stages), root=folder) == 0
    assert ran(folder) == ["a", "b --fast", "more1", "more2", "z"]


def test_side_by_side_a_stage_ends_before_the_next_begins(folder):
    stages = remake.found(folder)
    assert remake.remake(stages, names_of(stages), jobs=3, root=folder) == 0
    first, *middle, last = ran(folder)
    assert (first, sorted(middle), last) == ("a", ["b --fast", "more1", "more2"], "z")


def test_what_a_step_prints_is_in_its_file(folder):
    (folder / "a.py").write_text("print('it measured')", encoding="utf-8")
    assert remake.remake(remake.found(folder), ["a"], root=folder) == 0
    assert (folder / "runs" / "remake" / "a.log").read_text(encoding="utf-8").split() == ["it", "measured"]


def test_a_step_that_fails_ends_the_run_and_says_how_to_go_on(folder, capfd):
    (folder / "b.py").write_text("raise SystemExit(3)", encoding="utf-8")
    stages = remake.found(folder)
    assert remake.remake(stages, names_of(stages), root=folder) == 3
    assert ran(folder) == ["a"]
    assert "--from b" in capfd.readouterr().out


def test_a_script_that_is_named_and_not_there_is_refused(folder):
    (folder / "z.py").unlink()
    with pytest.raises(FileNotFoundError, match="z.py"):
        remake.found(folder)


@pytest.mark.parametrize(
    ("knobs", "wanted"),
    [({}, "abc"), ({"only": ["c", "a"]}, "ac"), ({"first": "b"}, "bc"), ({"only": ["a", "c"], "first": "b"}, "c")],
)
def test_some_of_the_steps_can_be_chosen(knobs, wanted):
    assert remake.chosen(list("abc"), **knobs) == list(wanted)


@pytest.mark.parametrize("knobs", [{"only": ["a", "x"]}, {"first": "x"}])
def test_a_step_that_is_not_there_is_refused_with_the_list(knobs):
    with pytest.raises(ValueError, match="'x'; the steps are: a, b, c"):
        remake.chosen(list("abc"), **knobs)


def test_a_time_is_told_in_minutes_and_seconds():
    assert [remake.clock(seconds) for seconds in (0, 59.6, 754)] == ["0:00", "1:00", "12:34"]
