"""How sure a measured number is: 95 % intervals that are right for few cases, too.

    wilson(54, 104)               (0.42, 0.61): a share; never below 0 or above 1, and never of no width (Wilson 1927)
    student_half(0.5, 4)          0.80: half the interval of a mean of 4 values with standard deviation 0.5
    student_quantile(3)           3.18: by how many standard errors a mean of 4 values may be off
"""

from __future__ import annotations

import math
from functools import cache

NORMAL = 1.959964  # standard deviations that hold 95 % of a normal distribution


def wilson(right: float, of: int) -> tuple[float, float]:
    """The interval of a share, each end in [0, 1]. `right` may be a sum of shares: then it is wider than need be."""
    if of == 0:
        return (0.0, 1.0)
    share, z = right / of, NORMAL
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (max(0.0, middle - half), min(1.0, middle + half))


def student_half(spread: float, n: int) -> float:
    """Half the interval of the mean of n values with this standard deviation; infinite for one value."""
    return student_quantile(n - 1) * spread / math.sqrt(n) if n > 1 else math.inf


@cache
def student_quantile(freedom: int) -> float:
    """t that a variable with Student's distribution stays within in 95 % of all cases, by bisection."""
    low, high = 0.0, math.pi / 2  # of the angle atan(t / sqrt(freedom))
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (low, angle) if student_within(angle, freedom) > 0.95 else (angle, high)
    return math.tan(low) * math.sqrt(freedom)


def student_within(angle: float, freedom: int) -> float:
    """The share of cases in which |t| is at most sqrt(freedom) tan(angle) (Abramowitz and Stegun 26.7.3, 26.7.4)."""
    odd, term, total = freedom % 2 == 1, 1.0, 0.0
    for k in range(1 + freedom % 2, freedom, 2):  # the powers of the cosine go up by 2
        total += term
        term *= k / (k + 1) * math.cos(angle) ** 2
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * math.cos(angle) * total)
    return math.sin(angle) * total
