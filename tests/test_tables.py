"""The table of methods: its intervals are right for few cases, and it is not made without the row "nothing done"."""

from __future__ import annotations

import math
import random
from statistics import fmean, stdev

import pytest

from benchmarks.record import interval
from helpers.core.intervals import student_half, student_quantile, wilson
from helpers.show.tables import Mean, Share, mean_of, methods, share_of

#: degrees of freedom -> the quantile as tables of statistics print it
PRINTED = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 9: 2.262, 10: 2.228, 29: 2.045, 30: 2.042,
           100: 1.984, 1000: 1.962}


@pytest.mark.parametrize("freedom", PRINTED)
def test_student_s_quantile_is_the_printed_one(freedom: int) -> None:
    assert student_quantile(freedom) == pytest.approx(PRINTED[freedom], abs=6e-4)


def test_of_many_intervals_of_four_values_95_in_100_hold_the_truth() -> None:
    made = random.Random(0)
    samples = [[made.gauss(5, 2) for _ in range(4)] for _ in range(4000)]
    held = fmean(abs(fmean(some) - 5) <= student_half(stdev(some), 4) for some in samples)
    assert held == pytest.approx(0.95, abs=0.01)
    assert math.isinf(student_half(0.0, 1))


def test_a_share_of_three_in_three_is_not_certain_and_none_leaves_its_bounds() -> None:
    assert wilson(3, 3) == pytest.approx((0.4385, 1.0), abs=1e-4) and wilson(0, 3)[0] < 1e-9
    assert wilson(0, 0) == (0.0, 1.0) and interval(1, 3) == pytest.approx((0.0615, 0.7923), abs=1e-3)
    for of in (1, 2, 7, 50):
        for right in range(of + 1):
            low, high = wilson(right, of)
            assert 0 <= low <= right / of + 1e-12 and right / of - 1e-12 <= high <= 1


def rows() -> dict[str, dict[str, Share | Mean | str]]:
    return {"nothing done": {"obeyed (%)": Share(0, 4), "kept (dB)": Mean(60, 0, 4)},
            "SDEdit": {"obeyed (%)": share_of([1, 0.5, 1, 0]), "kept (dB)": mean_of([20, 22, math.nan, 24]),
                       "rows": "36"}}


def test_a_table_tells_n_and_an_interval_that_fits_n() -> None:
    assert methods(rows(), "editor").markdown.splitlines() == [
        "| editor | n | obeyed (%) | kept (dB) | rows |", "|---|---:|---:|---:|---:|",
        "| nothing done | 4 | 0 (0 to 49) | 60.0 ± 0.0 |  |",
        "| SDEdit | 4 | 62 (22 to 91) | 22.0 ± 5.0 (of 3) | 36 |"]


@pytest.mark.parametrize("left", [[], ["SDEdit"]])
def test_a_table_without_the_row_nothing_done_is_refused(left: list[str]) -> None:
    with pytest.raises(ValueError, match="no row 'nothing done'"):
        methods({name: row for name, row in rows().items() if name in left})
    assert methods({"nothing done (before any fit)": rows()["nothing done"]})


def test_one_value_has_no_interval_and_none_is_not_told() -> None:
    assert str(Mean(20.04, 0, 1)) == "20.0" and str(mean_of([])) == str(share_of([])) == str(Share(0, 0)) == ""
    assert str(Mean(0.056, 0.03, 9, scale=100)) == "5.6 ± 2.3"
