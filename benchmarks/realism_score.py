"""How real does one picture look? A score for lessons, and a map of where it does not look like a drawing.

    realism = Realism.load()
    realism.realistic([picture])       [0.31]: 31 % of held-out drawings look less real than this picture
    realism.strangeness([picture])     (1, 16, 16): how unlike any drawing each place of 8 x 8 pixels is

Every place of the picture is compared with the most similar places of two hundred drawings, in the middle maps of
the second reader (as PatchCore, Roth et al., CVPR 2022, arXiv:2106.08265, finds faults of factory parts). A picture is
as strange as its strangest tenth. No generated picture takes part: the score is of no model's making, and says nothing
about whether a picture shows what its prompt asks for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks.realism_pictures import FIRST_OTHER, as_array, drawn, scenes
from benchmarks.realism_reader import Reader, pixels

DRAWINGS, PLACES = 200, 12_000  # how many drawings the bank is from, and how many of their places it keeps
STRANGEST = 26  # places of 256


class Realism:
    """A bank of what places of drawings look like, and how strange held-out drawings are by it."""

    def __init__(self, reader: Reader, bank: np.ndarray, others: np.ndarray) -> None:
        """bank, others: drawings (n, 128, 128, 3); the others give the scale of the score."""
        self.reader = reader
        places = self._places(bank).flatten(0, 1)
        some = torch.randperm(len(places), generator=torch.Generator().manual_seed(0))[:PLACES]
        self.mean, self.deviation = places.mean(0), places.std(0) + 1e-3
        self.bank = (places[some] - self.mean) / self.deviation
        self.scale = np.sort(self._strange(others))

    @classmethod
    def load(cls, size: int = 128) -> Realism:
        """For pictures of a model of this size; takes some seconds."""
        drawings = drawn(scenes(2 * DRAWINGS, FIRST_OTHER + 500_000), size)
        return cls(Reader.load(), drawings[:DRAWINGS], drawings[DRAWINGS:])

    @torch.no_grad()
    def _places(self, pictures: np.ndarray) -> Tensor:
        """(n, 256, features): the maps at 32 x 32, averaged, and at 16 x 16, of each place with its neighbours."""
        out = []
        for i in range(0, len(pictures), 50):
            _, fine, middle, _ = self.reader.levels(pixels(pictures[i:i + 50]))
            maps = torch.cat([F.avg_pool2d(fine, 2), F.avg_pool2d(middle, 3, 1, 1, count_include_pad=False)], dim=1)
            out.append(maps.flatten(2).transpose(1, 2))
        return torch.cat(out)

    def _strangeness(self, pictures: np.ndarray) -> Tensor:
        """(n, 256): each place's distance to the most similar one of the bank."""
        places = (self._places(pictures) - self.mean) / self.deviation
        return torch.stack([torch.cdist(one, self.bank).amin(1) for one in places])

    def _strange(self, pictures: np.ndarray) -> np.ndarray:
        return self._strangeness(pictures).topk(STRANGEST).values.mean(1).numpy()

    def strangeness(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """(n, 16, 16): where a picture is unlike any drawing."""
        return self._strangeness(as_array(pictures)).reshape(-1, 16, 16).numpy()

    def realistic(self, pictures: Sequence[Image.Image]) -> list[float]:
        """The share of held-out drawings stranger than each picture, in [0, 1]; drawings have 0.5 on average."""
        return self.of_arrays(as_array(pictures)).tolist()

    def of_arrays(self, pictures: np.ndarray) -> np.ndarray:
        """The same for (n, 128, 128, 3)."""
        return 1 - np.searchsorted(self.scale, self._strange(pictures)) / len(self.scale)
