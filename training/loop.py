"""What every training here shares: mixed precision with a float32 master copy, averaging, checkpoints, the clock.

The random numbers of step k come from (seed, k), so a run that is killed and resumed sees what one run would have.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from helpers.finetuning.fit import fast_dtype


def device() -> torch.device:
    """A GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fast() -> torch.dtype:
    """What is computed in: bfloat16 where the machine does so, else float32, which is ten times faster there."""
    return torch.bfloat16 if fast_dtype(device()) == torch.bfloat16 else torch.float32


class Trainee:
    """Networks that compute in `fast()`, their float32 master weights, AdamW, and an average of the weights (EMA)."""

    def __init__(self, modules: dict[str, nn.Module], betas: tuple[float, float] = (0.9, 0.99),
                 weight_decay: float = 0.01, ema: float = 0.999) -> None:
        self.modules = {name: m.to(device()) for name, m in modules.items()}
        self.names = [f"{n}/{k}" for n, m in self.modules.items() for k, _ in m.named_parameters()]
        self.master = [p.detach().clone().float() for m in self.modules.values() for p in m.parameters()]
        self.average = [p.clone() for p in self.master]
        for m in self.modules.values():
            m.to(fast())
            for part in m.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.float()  # running averages need the precision
        self.working = [p for m in self.modules.values() for p in m.parameters()]
        self.ema, self.step_count, self.seconds = ema, 0, 0.0
        self.first_step = 0  # where the optimizer began; it warms up from there
        for p in self.master:
            p.requires_grad_(True)
        self.optimizer = torch.optim.AdamW(self.master, lr=1e-3, betas=betas, weight_decay=weight_decay, foreach=True)

    def step(self, lr: float, clip: float = 1.0) -> float:
        """One update from the gradients that lie in the networks; gives the gradient's norm."""
        for p, q in zip(self.master, self.working, strict=True):
            p.grad = None if q.grad is None else q.grad.float()
            q.grad = None
        norm = float(nn.utils.clip_grad_norm_(self.master, clip))
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.step_count += 1
        with torch.no_grad():
            torch._foreach_copy_(self.working, self.master)
            decay = min(self.ema, (1 + self.step_count) / (10 + self.step_count))
            torch._foreach_lerp_(self.average, self.master, 1 - decay)
        return norm

    def averaged(self) -> dict[str, dict[str, torch.Tensor]]:
        """The averaged weights, float32, and the buffers, per network."""
        out: dict[str, dict[str, torch.Tensor]] = {n: {} for n in self.modules}
        for name, value in zip(self.names, self.average, strict=True):
            network, key = name.split("/", 1)
            out[network][key] = value.detach().clone()
        for network, module in self.modules.items():
            out[network] |= {k: b.detach().clone().float() if b.is_floating_point() else b.clone()
                             for k, b in module.named_buffers() if k in module.state_dict()}
        return out

    def save(self, folder: Path) -> None:
        """A checkpoint, written whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {}
        for name, p, a in zip(self.names, self.master, self.average, strict=True):
            state = self.optimizer.state.get(p, {})
            tensors |= {f"master/{name}": p.detach(), f"average/{name}": a}
            tensors |= {f"{k}/{name}": state[k] for k in ("exp_avg", "exp_avg_sq", "step") if k in state}
        for network, module in self.modules.items():
            tensors |= {f"buffer/{network}/{k}": b for k, b in module.named_buffers() if k in module.state_dict()}
        save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "new.safetensors",
                  metadata={"clock": json.dumps(self.clock)})
        os.replace(folder / "new.safetensors", folder / "checkpoint.safetensors")

    def start_from(self, weights: Path | None) -> None:
        """Sets the clock to that of shipped weights (see `started`); the optimizer starts afresh."""
        if weights is not None:
            self.step_count, self.seconds, _ = read_clock(weights)
            self.first_step = self.step_count

    @property
    def clock(self) -> tuple[int, float, int]:
        """Steps and seconds of training so far, in all runs, and the step at which the optimizer began."""
        return self.step_count, self.seconds, self.first_step

    def resume(self, folder: Path) -> bool:
        """Goes on from the checkpoint in `folder`, if there is one."""
        file = folder / "checkpoint.safetensors"
        if not file.exists():
            return False
        tensors = load_file(file, device=str(device()))
        self.step_count, self.seconds, self.first_step = read_clock(file)
        with torch.no_grad():
            for i, name in enumerate(self.names):
                p = self.master[i]
                p.copy_(tensors[f"master/{name}"])
                self.average[i].copy_(tensors[f"average/{name}"])
                self.working[i].copy_(p)
                if f"exp_avg/{name}" in tensors:
                    self.optimizer.state[p] = {k: tensors[f"{k}/{name}"] for k in ("exp_avg", "exp_avg_sq", "step")}
            for network, module in self.modules.items():
                for k, b in module.named_buffers():
                    if f"buffer/{network}/{k}" in tensors:
                        b.copy_(tensors[f"buffer/{network}/{k}"])
        return True


def batches(trainee: Trainee, folder: Path, minutes: float, seed: int,
            every: float = 120.0, on_pause: Callable[[], None] | None = None) -> Iterator[np.random.Generator]:
    """Yields the random numbers of one step after the other until `minutes` of training (in all runs) are used up.

    Saves a checkpoint every `every` seconds and at the end, and calls `on_pause` (a sample sheet) after it.
    """
    trainee.resume(folder)
    last = saved = time.monotonic()
    while trainee.seconds < 60 * minutes:
        yield np.random.default_rng([seed, trainee.step_count])
        now = time.monotonic()
        trainee.seconds += now - last
        last = now
        if now - saved > every:
            trainee.save(folder)
            if on_pause is not None:
                on_pause()
            saved = last = time.monotonic()
    trainee.save(folder)
    if on_pause is not None:
        on_pause()


def started(network: nn.Module, weights: Path | None) -> nn.Module:
    """`network` with the weights of a file, the shipped ones say, for a run that has no checkpoint to go on from."""
    if weights is not None:
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(weights).items()})
    return network


def one_cycle(trainee: Trainee, minutes: float, peak: float, warmup_steps: int = 200, decay: float = 0.3) -> float:
    """The learning rate now: up in `warmup_steps`, level, and down to zero over the last `decay` of `minutes`."""
    up = min(1.0, (trainee.step_count - trainee.first_step + 1) / warmup_steps)
    left = max(0.0, 1 - trainee.seconds / (60 * minutes))
    return peak * up * min(1.0, left / decay if decay else 1.0)


class Log:
    """Prints and writes down running means of the numbers of a training."""

    def __init__(self, folder: Path, every: int = 50) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.every, self.sums, self.count = folder / "log.jsonl", every, {}, 0

    def add(self, trainee: Trainee, **numbers: float) -> None:
        """Adds one step's numbers; every `every` steps a line is written."""
        for k, v in numbers.items():
            self.sums[k] = self.sums.get(k, 0.0) + float(v.detach() if isinstance(v, torch.Tensor) else v)
        self.count += 1
        if self.count == self.every:
            line = {"step": trainee.step_count, "minutes": round(trainee.seconds / 60, 2)}
            line |= {k: round(v / self.count, 5) for k, v in self.sums.items()}
            print(json.dumps(line), flush=True)
            with self.file.open("a") as f:
                f.write(json.dumps(line) + "\n")
            self.sums, self.count = {}, 0


def read_clock(file: Path) -> tuple[int, float, int]:
    """Steps and seconds of training behind a checkpoint or shipped weights, and where the optimizer began."""
    with safe_open(file, "pt") as f:
        steps, seconds, first_step = json.loads((f.metadata() or {}).get("clock", "[0, 0, 0]"))
    return steps, seconds, first_step


def save_half(tensors: dict[str, torch.Tensor], file: Path, clock: tuple[int, float, int]) -> None:
    """Weights in half precision, readable by everybody (safetensors writes files with mode 0600)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: (v.half() if v.is_floating_point() else v).cpu().contiguous() for k, v in tensors.items()}, file,
              metadata={"format": "pt", "clock": json.dumps(clock)})
    file.chmod(0o644)


def sheet(pictures: Iterable[np.ndarray], columns: int, file: Path) -> None:
    """Writes pictures (H, W, 3) uint8 side by side into one PNG."""
    from PIL import Image
    tiles = list(pictures)
    h, w = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    page = np.full((rows * h, columns * w, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        page[i // columns * h:(i // columns + 1) * h, i % columns * w:(i % columns + 1) * w] = tile
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(page).save(file)
