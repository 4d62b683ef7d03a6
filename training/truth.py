"""What every cell of a picture shows, known because we drew it: the denoiser's middle features have to tell.

After REPA (Yu et al. 2024, arXiv 2410.06940), which aligns a denoiser's features with those of a large network that
understands pictures. We need no such network: a linear map of the features names each cell's part, which one it is (a
cat, a bicycle) and which colour it has. It makes the denoiser decide early what is where.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.picturebook.drawing import PARTS
from helpers.picturebook.scene import Scene
from helpers.picturebook.vocabulary import CLASSES, COLORS

#: the attribute that says which one a part is, and the one that says its colour
_KIND = {"place": "place", "sky": "sky", "thing": "thing", "topping": "topping", "ride": "ride", "wearing": "wearing",
         "holding": "holding", "beside": "beside", "prop": "doing"}
_COLOR = {"thing": "color"} | {part: f"{part}_color" for part in ("ride", "wearing", "holding", "beside")}
KINDS = {pair: i for i, pair in enumerate((p, v) for p in PARTS for v in (CLASSES[_KIND[p]] if p in _KIND else ("",)))}


def truth(scenes: Sequence[Scene], cell_parts: Tensor) -> tuple[Tensor, Tensor]:
    """cell_parts (B, 16, 16) -> per cell the index into `KINDS` and into COLORS (-100: none): (B, 16, 16) int64."""
    kinds = torch.tensor([[KINDS[p, str(getattr(s, _KIND[p])) if p in _KIND else ""] for p in PARTS] for s in scenes])
    colors = torch.tensor([[COLORS.index(getattr(s, _COLOR[p])) if p in _COLOR and s.has(_COLOR[p]) else -100
                            for p in PARTS] for s in scenes])
    cells = cell_parts.flatten(1).long()
    return tuple(table.to(cells.device).gather(1, cells).view(cell_parts.shape) for table in (kinds, colors))


class CellReader(nn.Module):
    """Names each cell from the denoiser's features; thrown away after the training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kind, self.color = nn.Linear(width, len(KINDS)), nn.Linear(width, len(COLORS))

    def loss(self, features: Tensor, kinds: Tensor, colors: Tensor) -> Tensor:
        """features (B, width, 16, 16) -> the mean cross-entropy of the two answers."""
        flat = features.permute(0, 2, 3, 1).flatten(0, 2)
        asked = F.cross_entropy(self.kind(flat).float(), kinds.flatten())
        return asked + F.cross_entropy(self.color(flat).float(), colors.flatten(), ignore_index=-100)
