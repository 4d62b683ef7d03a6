"""How far one set of pictures is from another, in features: kernel distance and Frechet distance.

    KID    Binkowski et al., ICLR 2018, arXiv:1801.01401: unbiased squared MMD, k(x, y) = (x.y / d + 1)^3
    FID    Heusel et al., NeurIPS 2017, arXiv:1706.08500: |m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2))

Features are standardised on the drawings that everything is compared with. The Frechet distance takes their first 64
principal axes (a covariance of 416 features needs more pictures than there are); it is never zero for finite sets, so
the number of two sets of drawings stands beside it. Intervals: 1.96 standard deviations over bootstrap resamples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

AXES = 64
RESAMPLES = 200


class Space(NamedTuple):
    """Features standardised on the reference, and its principal axes."""

    mean: np.ndarray
    deviation: np.ndarray
    axes: np.ndarray  # (features, 64)

    @classmethod
    def of(cls, reference: np.ndarray) -> Space:
        """The space that a set of reference features spans."""
        mean, deviation = reference.mean(0), reference.std(0) + 1e-3
        _, _, axes = np.linalg.svd((reference - mean) / deviation, full_matrices=False)
        return cls(mean, deviation, axes[:AXES].T)

    def standard(self, features: np.ndarray) -> np.ndarray:
        """Mean 0 and deviation 1 on the reference."""
        return ((features - self.mean) / self.deviation).astype(np.float64)


def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The cubic polynomial kernel of all pairs."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def pair_mean(k: np.ndarray, weight: np.ndarray) -> float:
    """The mean of k over pairs of *different* rows, row i counted weight[i] times."""
    pairs = np.outer(weight, weight)
    np.fill_diagonal(pairs, 0)
    return float((k * pairs).sum() / pairs.sum())


def kernel_distance(x: np.ndarray, y: np.ndarray, seed: int = 0) -> dict[str, object]:
    """Unbiased squared MMD of two sets of standardised features, with its 95 % interval.

    A resample counts a row several times but never pairs it with itself: that would be a bias.
    """
    kxx, kyy, kxy = kernel(x, x), kernel(y, y), kernel(x, y)

    def distance(w: np.ndarray, v: np.ndarray) -> float:
        return pair_mean(kxx, w) + pair_mean(kyy, v) - 2 * float(w @ kxy @ v / (w.sum() * v.sum()))

    rng, n, m = np.random.default_rng(seed), len(x), len(y)
    again = [distance(rng.multinomial(n, np.full(n, 1 / n)).astype(float),
                      rng.multinomial(m, np.full(m, 1 / m)).astype(float)) for _ in range(RESAMPLES)]
    return with_interval(distance(np.ones(n), np.ones(m)), again, n)


def frechet(x: np.ndarray, y: np.ndarray) -> float:
    """The Frechet distance of two sets, as if each were normally distributed."""
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(a @ b).real.clip(min=0)).sum()
    return float(np.square(x.mean(0) - y.mean(0)).sum() + np.trace(a) + np.trace(b) - 2 * root)


def frechet_distance(x: np.ndarray, y: np.ndarray, seed: int = 0) -> dict[str, object]:
    """The Frechet distance with its 95 % interval."""
    rng = np.random.default_rng(seed)
    again = [frechet(x[rng.integers(len(x), size=len(x))], y[rng.integers(len(y), size=len(y))])
             for _ in range(RESAMPLES)]
    return with_interval(frechet(x, y), again, len(x))


def with_interval(value: float, again: list[float], of: int) -> dict[str, object]:
    """A value with 1.96 standard deviations of its resamples on both sides."""
    half = 1.96 * float(np.std(again))
    return {"distance": round(value, 4), "of": of, "interval": (round(value - half, 4), round(value + half, 4))}
