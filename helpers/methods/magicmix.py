"""MagicMix: denoise under a prompt and, at first, pull every step back towards the noised picture.

Liew et al., "MagicMix: Semantic mixing with diffusion models", arXiv:2210.16056, image-text mixing.
Not here: the paper's text-text mixing, where a prompt's own trajectory gives the layout (make a picture of that prompt
and mix it), and its re-weighting of the prompt's words.

    paper         here      what                                           shape or range
    x_0           image     picture that gives the layout                  any picture; latent (1, C, h, w)
    y             prompt    what the content shall be                      a text
    K_max / T     k_max     noise level to start from                      [0, 1]; SDEdit's strength
    K_min / T     k_min     noise level below which nothing is mixed in    [0, k_max]
    nu            nu        weight of the denoised state in the mix        [0, 1]; 0 the layout, 1 the prompt
    eps           z         the noise, the same at every level             (1, C, h, w)
    x_k           layout_s  the picture noised to time s                   (1, C, h, w)
    x^_k          x         the state                                      (1, C, h, w)
    T             steps     steps from pure noise to clean                 k_max * steps of them are run
    w             guidance  how strongly the prompt pulls                  1 is plain conditional

The mix replaces the state, so that the next step starts from it. To mix only what the network sees and step from the
unmixed state is another algorithm: with nu = 0 it does not give the layout back.
"""

from __future__ import annotations

from helpers.core.diffusion import cfg, encode_one, pairs
from helpers.core.interface import Made, Model, Picture, Progress, Watch, ignore
from helpers.core.randomness import noise
from helpers.core.shapes import Latents
from helpers.core.values import Guidance, Prompt, Seed, Share, Steps
from helpers.methods.contract import OWN, method


def mix(x: Latents, layout_s: Latents, nu: float) -> Latents:
    """nu x + (1 - nu) x_s: between the state and the noised picture, both at the same time s."""
    return nu * x + (1 - nu) * layout_s


@method
def magicmix(model: Model[Made], image: Picture, prompt: Prompt, *, k_min: Share = 0.3, k_max: Share = 0.6,
             nu: Share = 0.5, seed: Seed = 0, steps: Steps = OWN, guidance: Guidance = OWN, progress: Progress = True,
             watch: Watch = ignore) -> Made:
    """The content of `prompt` in the layout of `image`, as a picture of the model's size.

    k_min, k_max: shares of the steps, 0 <= k_min <= k_max <= 1. The state is mixed at every time from K_max down to
        K_min and left alone below. With k_min = k_max nothing is mixed: SDEdit at that strength.
    nu: in [0, 1]. 1 is SDEdit at strength k_max, 0 is SDEdit at strength k_min, both with the same noise.
    seed, steps, guidance, progress, watch: see helpers.methods.contract. round(k_max * steps) calls of the model.
    """
    if k_min > k_max:
        raise ValueError(f"k_min is {k_min}, above k_max, {k_max}: mixing starts at k_max and ends at k_min.")
    times = model.times(steps, k_max)  # K_max > ... > CLEAN
    last_mixed = model.times(steps, k_min)[0]  # K_min
    text = model.embed(prompt)
    x0 = encode_one(model, image)
    z = noise(seed, x0.shape)
    x = model.add_noise(x0, z, times[0])
    for t, s in pairs(times, progress):  # from t down to s
        eps = cfg(model, x, t, text, guidance)
        x = model.step(x, eps, t, s)
        if s >= last_mixed:
            x = mix(x, model.add_noise(x0, z, s), nu)
        watch(x=x, t=s, eps=eps)
    return model.decode(x)[0]
