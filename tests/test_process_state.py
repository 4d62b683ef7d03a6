"""What belongs to the whole process (warning filters, log levels, the environment, random states, torch's and
matplotlib's settings) is not changed by the package: a notebook and its panels are several threads of one process."""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import AnalyticModel
from helpers.core.silence import silent
from helpers.core.surroundings import float32, surroundings
from helpers.models.quiet import quiet, usual_torch
from helpers.show.figure import Page

HELPERS = Path(__file__).resolve().parents[1] / "helpers"
#: calls that change what other threads see, however short the time
CALLS = {
    "warnings": {"catch_warnings", "simplefilter", "filterwarnings", "resetwarnings"},
    "logging": {"setLevel", "basicConfig", "disable", "set_verbosity", "set_verbosity_error", "set_verbosity_info",
                "set_verbosity_warning", "disable_progress_bar", "enable_progress_bar", "disable_progress_bars"},
    "os": {"chdir", "putenv", "unsetenv", "umask", "setlocale", "signal"},
    "random": {"seed", "manual_seed_all", "set_rng_state", "setstate", "set_state"},
    "torch": {"set_default_dtype", "set_default_device", "set_default_tensor_type", "set_num_threads",
              "set_num_interop_threads", "set_float32_matmul_precision", "use_deterministic_algorithms",
              "set_printoptions", "set_flush_denormal"},
    "matplotlib": {"rc", "rc_context", "rcdefaults", "use"},
    "numpy": {"seterr"},
}
FORBIDDEN = {call for calls in CALLS.values() for call in calls}
ALSO_OURS = {"seed", "use", "rc", "disable", "signal"}  # names that a function of ours may have
#: settings that are written to by a name
SETTINGS = {"os.environ", "environ", "rcParams", "matplotlib.rcParams", "torch.backends", "sys.path", "sys.modules",
            "warnings.filters", "sys.stdout", "sys.stderr"}
#: and drawn from without a generator, which moves the random state of the process
DRAWS = {"random.random", "random.choice", "random.shuffle", "random.randint", "random.uniform", "random.sample",
         "torch.manual_seed"}
WRITES = {"pop", "update", "setdefault", "insert", "append", "clear"}
#: the one place for each of them that does it for all, counts its users and brings back what was there
PLACES = {
    ("core/surroundings.py", "torch.set_default_dtype"),
    ("models/quiet.py", "module.set_verbosity_warning"),  # the usual level again, after an import without a word
    ("models/quiet.py", "os.environ"),
    ("models/quiet.py", "os.environ.pop"),
    ("models/quiet.py", "torch.mps.set_rng_state"),
}


def changes(tree: ast.AST) -> Iterator[str]:
    """What a module does to the state of the process."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            owner, _, name = called.rpartition(".")
            by_name = name in FORBIDDEN and (owner or name not in ALSO_OURS)
            drawn = called.startswith("np.random.") and not called.startswith("np.random.default_rng")
            if by_name or called in DRAWS or drawn or (owner in SETTINGS and name in WRITES):
                yield called
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Delete)):
            for target in node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target]:
                written = ast.unparse(target.value if isinstance(target, ast.Subscript) else target)
                if any(written == one or written.startswith(f"{one}.") for one in SETTINGS):
                    yield written
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and "pyplot" in ast.unparse(node):
            yield ast.unparse(node)


def test_the_package_changes_nothing_of_the_whole_process() -> None:
    found = {(file.relative_to(HELPERS).as_posix(), change) for file in HELPERS.rglob("*.py")
             for change in changes(ast.parse(file.read_text(encoding="utf-8")))}
    assert found == PLACES


@pytest.mark.parametrize("line", [
    "warnings.simplefilter('ignore')", "with warnings.catch_warnings(): pass", "os.environ['A'] = 'b'",
    "random.seed(0)", "np.random.seed(0)", "np.random.rand(3)", "torch.manual_seed(0)", "torch.set_num_threads(1)",
    "torch.backends.cudnn.benchmark = True", "logging.getLogger('a').setLevel(0)", "plt.rcParams['a'] = 1",
    "del os.environ['A']", "import matplotlib.pyplot as plt", "with mpl.rc_context(): pass", "random.random()",
    "os.environ.update(A='b')", "sys.path.insert(0, 'a')"])
def test_the_search_finds(line: str) -> None:
    assert list(changes(ast.parse(line.replace("plt.rcParams", "rcParams"))))


@pytest.mark.parametrize("line", ["torch.Generator().manual_seed(0)", "np.random.default_rng(0)", "os.environ.get('A')",
                                  "torch.set_grad_enabled(False)", "random.Random(0).random()"])
def test_the_search_leaves_alone(line: str) -> None:
    assert not list(changes(ast.parse(line)))


# --- silence, and the default dtype, of two threads -------------------------------------------------------------------


def overlapping(block: Callable[[], AbstractContextManager[object]], inside: Callable[[], None] = lambda: None) -> None:
    """Two threads in such a block; the first one in is the first one out, and `inside` is called by the other then."""
    entered, left = threading.Barrier(2), threading.Event()

    def first() -> None:
        with block():
            entered.wait(30)
        left.set()

    thread = threading.Thread(target=first)
    thread.start()
    with block():
        entered.wait(30)
        assert left.wait(30)
        inside()
    thread.join(30)


@pytest.mark.parametrize("block", [silent, lambda: silent("a"), quiet])
def test_silence_of_two_threads_leaves_no_filter_behind(block: Callable) -> None:
    with quiet():  # a library that is imported for the first time sets filters of its own
        pass
    before = list(warnings.filters)
    overlapping(block)
    assert warnings.filters == before


def test_silence_is_about_one_message_and_one_thread() -> None:
    def speak(*messages: str) -> None:
        for message in messages:
            warnings.warn(message, UserWarning, stacklevel=1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with silent("Glyph .* missing"):
            speak("Glyph 9 missing from font", "something else")
            other = threading.Thread(target=speak, args=("Glyph 8 missing from font",))
            other.start()
            other.join(30)
        speak("Glyph 7 missing from font")
    heard = [str(one.message) for one in caught]
    assert heard == ["something else", "Glyph 8 missing from font", "Glyph 7 missing from font"]


def test_a_figure_with_strange_letters_warns_of_nothing_and_leaves_the_filters() -> None:
    page, before = Page(60, 20), list(warnings.filters)
    page.words("\U0001f984", 0, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page.finish("a unicorn")
    assert warnings.filters == before


@pytest.mark.parametrize("block", [float32, lambda: surroundings(grad=False), usual_torch])
def test_the_default_dtype_of_a_reader_survives_two_threads(block: Callable) -> None:
    def still() -> None:
        assert torch.get_default_dtype() == torch.float32  # the other one has left, and this one works on

    torch.set_default_dtype(torch.float64)
    try:
        overlapping(block, still)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_remarks_about_prompts_are_made_once_and_change_no_filter(models: dict) -> None:
    from helpers import PromptWarning
    from helpers.attention import attention, reweight

    model, before = models["sd"], list(warnings.filters)
    model.known_words, prompt = frozenset({"a"}), "a cat"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with attention(model, reweight(model, prompt, "cat", 2.0)):
                pass
        with pytest.warns(PromptWarning, match="cat"):
            model.embed(prompt)
    finally:
        model.known_words = None
    assert warnings.filters == before


def test_a_plane_has_no_state_either() -> None:
    state = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    AnalyticModel().generate("left", seed=3)
    assert (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == state
