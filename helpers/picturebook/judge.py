"""The judge: a small network that reads from a picture what is in it.

    reading = Judge.load().read([picture])[0]
    reading.attributes["color"]     "red"
    reading.amounts["fluffy"]       0.6

It is trained on drawings, also as they come out of the autoencoder, and scores pictures for which
there is no drawing to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..core.files import damaged, existing, read_header
from ..core.interface import Picture
from ..core.pictures import Several, as_picture
from ..core.shapes import Latents
from ..core.values import File, OneOf, entrance, known
from ..models.checksums import check_files
from ..models.safetensor_files import of_the_package
from .drawing import PARTS
from .scene import Scene
from .vocabulary import CLASSES, GRADED

WEIGHTS = Path(__file__).parent / "weights" / "judge.safetensors"
SIZE, GRID = 128, 16
WIDTHS = (32, 64, 128, 256)  # of the maps at 64 x 64, 32 x 32, 16 x 16 and 8 x 8
FEATURES = 256
TEXTURE = sum(WIDTHS[:2])

Pictures = Float[Tensor, "B 3 128 128"]  # in [-1, 1]
Answer = tuple[dict[str, Float[Tensor, "B _"]], Float[Tensor, "B graded"], Float[Tensor, "B parts 16 16"]]

#: where to look for an attribute; the others are read from the whole picture
LOOK_AT = {"thing": "thing", "color": "thing", "doing": "thing", "topping": "topping", "rainbow": "rainbow",
           "ride": "ride", "ride_color": "ride", "wearing": "wearing", "wearing_color": "wearing", "holding": "holding",
           "holding_color": "holding", "beside": "beside", "beside_color": "beside", "fluffy": "thing",
           "crowded": "crowd", "cloudy": "clouds", "snowy": "snow"}


class Reading(NamedTuple):
    """What the judge reads from one picture."""

    attributes: dict[str, str]  # every attribute of vocabulary.CLASSES
    amounts: dict[str, float]  # every graded word, in [0, 1]
    confidence: dict[str, float]  # the probability of each attribute's value, in [0, 1]

    def agrees(self, scene: Scene, attribute: str) -> bool:
        """Whether the picture shows this attribute of `scene`; a graded word counts as shown from 0.1 on."""
        if attribute == "character":
            raise ValueError("The judge cannot tell a character from others of its kind: a subjects.Recognizer can.")
        if attribute in GRADED:
            return bool((self.amounts[attribute] > 0.1) == (getattr(scene, attribute) > 0))
        return bool(self.attributes[attribute] == getattr(scene, attribute))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                                  nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Latents) -> Latents:
        return torch.relu(x + self.body(x))


@known("the judge: Judge.load()")
class Judge(nn.Module):
    """First finds the parts of the picture, then reads each attribute from its part.

    Pictures in [-1, 1] -> logits of every attribute's values, the graded amounts, and the parts' logits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after),
                          nn.ReLU(), *(_Residual(after) for _ in range(blocks)))
            for before, after, blocks in zip((3, *WIDTHS[:-1]), WIDTHS, (0, 1, 2, 2), strict=True))
        self.merge = nn.Sequential(nn.Conv2d(sum(WIDTHS[1:]), FEATURES, 1, bias=False), nn.BatchNorm2d(FEATURES),
                                   nn.ReLU())
        self.parts = nn.Conv2d(FEATURES, len(PARTS), 1)
        self.heads = nn.ModuleDict({name: nn.Linear(3 * FEATURES + 1 + TEXTURE, len(CLASSES.get(name, "1")))
                                    for name in (*CLASSES, *GRADED)})

    def maps(self, x: Pictures) -> tuple[Float[Tensor, "B 256 16 16"], Float[Tensor, "B 96"]]:
        """Features of each place, from fine, middle and coarse maps; of the texture."""
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        finest, fine, middle, coarse = levels
        merged = self.merge(torch.cat([F.avg_pool2d(fine, 2), middle, F.interpolate(coarse, scale_factor=2.0)], dim=1))
        return merged, torch.cat([finest.mean((2, 3)), fine.mean((2, 3))], dim=1)

    def features(self, x: Pictures) -> Float[Tensor, "B 512"]:
        """The mean and the maximum of the maps."""
        maps, _ = self.maps(x)
        return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)

    def forward(self, x: Pictures) -> Answer:
        """Logits of each attribute's values; amounts in [0, 1]; logits of the parts in each cell."""
        maps, texture = self.maps(x)
        parts = self.parts(maps)
        share = parts.softmax(1).flatten(2)  # (B, parts, cells)
        size = share.sum(2, keepdim=True)  # cells of each part
        inside = share @ maps.flatten(2).transpose(1, 2) / (size + 0.1)  # (B, parts, features)
        whole = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)
        out = {}
        for name, head in self.heads.items():
            p = PARTS.index(LOOK_AT.get(name, "place"))
            out[name] = head(torch.cat([whole, inside[:, p], size[:, p] / 16, texture], dim=1))
        amounts = torch.cat([out.pop(name) for name in GRADED], dim=1)
        return out, amounts.sigmoid(), parts

    @classmethod
    @entrance
    def load(cls, file: File = WEIGHTS) -> Judge:
        """The trained judge, from the package."""
        with torch.device("meta"):  # without numbers, so that none is drawn from anybody's random state
            judge = cls()
        if Path(file) == WEIGHTS:
            with of_the_package("The judge"):
                check_files(WEIGHTS.parent)
        tensors, _ = read_header(existing(file))
        try:
            floats = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
            judge.load_state_dict(floats, assign=True)
        except RuntimeError as error:
            raise damaged(Path(file), "these are not the weights of a judge") from error
        return judge.eval().requires_grad_(False)

    def looked(self, x: Pictures) -> Answer:
        """`forward` where the network is; what it gives is on the CPU."""
        logits, amounts, parts = self(x.to(self.parts.weight.device))
        return {name: values.cpu() for name, values in logits.items()}, amounts.cpu(), parts.cpu()

    @torch.no_grad()
    @entrance
    def read(self, pictures: Several) -> list[Reading]:
        """What is in each picture and its mirror image, averaged; pictures of other sizes are resized to 128 x 128."""
        readings = []
        for start in range(0, len(pictures), 64):
            x = pixels(pictures[start:start + 64])
            (logits, amounts, _), (mirrored, mirrored_amounts, _) = self.looked(x), self.looked(x.flip(3))
            amounts = (amounts + mirrored_amounts) / 2
            best = {name: ((logits[name].softmax(1) + mirrored[name].softmax(1)) / 2).max(1) for name in logits}
            for i in range(len(amounts)):
                readings.append(Reading({n: CLASSES[n][int(b.indices[i])] for n, b in best.items()},
                                        dict(zip(GRADED, amounts[i].tolist(), strict=True)),
                                        {n: float(b.values[i]) for n, b in best.items()}))
        return readings

    @torch.no_grad()
    @entrance
    def find(self, picture: Picture, part: Annotated[str, OneOf(*PARTS)]) -> Image.Image:
        """Where a part is (drawing.PARTS): mode "L", 128 x 128, white where it is surely seen, in cells of 8 x 8."""
        share = self.looked(pixels([picture]))[2].softmax(1)[0, PARTS.index(part)]
        return Image.fromarray((share * 255).byte().numpy()).resize((SIZE, SIZE), Image.Resampling.NEAREST)

    @torch.no_grad()
    @entrance
    def describe(self, pictures: Several) -> Float[Tensor, "pictures 512"]:
        """Features whose distance says how different two pictures are."""
        if not pictures:
            raise ValueError("There are no pictures to describe: give at least one.")
        batches = (pixels(pictures[i:i + 64]).to(self.parts.weight.device) for i in range(0, len(pictures), 64))
        return torch.cat([self.features(x).cpu() for x in batches])


def pixels(pictures: Sequence[Picture]) -> Pictures:
    """The pictures in [-1, 1]."""
    upright = map(as_picture, pictures)
    arrays = [np.asarray(p.resize((SIZE, SIZE)) if p.size != (SIZE, SIZE) else p) for p in upright]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1
