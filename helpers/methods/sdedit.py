"""SDEdit: noise the picture to an intermediate time, then denoise it under a prompt.

Meng et al., ICLR 2022, arXiv:2108.01073, Algorithm 1.
Differs from the paper: deterministic DDIM steps instead of the SDE solver; latents instead of pixels.

    paper    here        what                                    shape or range
    x^(g)    image       picture to start from (the guide)       any picture; latent (1, C, h, w)
    t_0      strength    how far to noise it                     [0, 1]; 0 gives it back, 1 forgets it
    z        z           the noise, drawn from `seed`            (1, C, h, w)
    x(t)     x           noisy latent                            (1, C, h, w)
    N        steps       steps from pure noise to clean          strength * steps of them are run
    w        guidance    how strongly the prompt pulls           1 is plain conditional
"""

from __future__ import annotations

from helpers.core.diffusion import cfg, encode_one, pairs
from helpers.core.interface import Made, Model, Picture, Progress, Watch, ignore
from helpers.core.randomness import noise
from helpers.core.values import Guidance, Prompt, Seed, Share, Steps
from helpers.methods.contract import OWN, method


@method
def sdedit(model: Model[Made], image: Picture, prompt: Prompt, *, strength: Share = 0.6, seed: Seed = 0,
           steps: Steps = OWN, guidance: Guidance = OWN, progress: Progress = True,
           watch: Watch = ignore) -> Made:
    """The picture `image` redrawn under `prompt`, as a picture of the model's size.

    strength: in [0, 1]. 0 gives the picture back (through the autoencoder), 1 starts from noise alone.
    seed, steps, guidance, progress, watch: see helpers.methods.contract. round(strength * steps) calls of the model.
    """
    times = model.times(steps, strength)  # t_0 > ... > CLEAN; just [CLEAN] when strength is 0
    text = model.embed(prompt)
    guide = encode_one(model, image)
    z = noise(seed, guide.shape)
    x = model.add_noise(guide, z, times[0])  # x(t_0) = sqrt(alpha_bar) x^(g) + sqrt(1 - alpha_bar) z
    for t, s in pairs(times, progress):  # from t down to s
        eps = cfg(model, x, t, text, guidance)
        x = model.step(x, eps, t, s)
        watch(x=x, t=s, eps=eps)
    return model.decode(x)[0]
