"""Stable Diffusion's networks at their real size: of diffusers' and transformers' own classes, with no trained weights.

    networks("stable-diffusion-v1-5", "meta")    tensors without contents: nothing is computed, everything is counted
    pipeline("stable-diffusion-v1-5", "cpu")     random numbers, half precision: computes, and makes noise
    pipeline("small", "cpu")                     as many steps and calls as a large one, in no time
"""

from __future__ import annotations

from functools import partial
from string import ascii_lowercase
from typing import Any

import torch

HALF = torch.float16
LARGE = ("stable-diffusion-v1-5", "stable-diffusion-xl-base-1.0")
UNETS: dict[str, dict[str, Any]] = {
    "stable-diffusion-v1-5": {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8},
    "stable-diffusion-xl-base-1.0": {
        "sample_size": 128, "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10), "attention_head_dim": (5, 10, 20), "cross_attention_dim": 2048,
        "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816},
    "small": {
        "sample_size": 16, "block_out_channels": (16, 32), "layers_per_block": 1, "norm_num_groups": 4,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "attention_head_dim": 2,
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"), "cross_attention_dim": 16},
}
TEXTS: dict[str, list[dict[str, int]]] = {  # width, layers, heads
    "stable-diffusion-v1-5": [{"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}],
    "stable-diffusion-xl-base-1.0": [{"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
                                     {"hidden_size": 1280, "num_hidden_layers": 32, "num_attention_heads": 20}],
    "small": [{"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}],
}
#: numbers in each network, as they are published with the weights: the configurations above are the real ones
PARAMETERS = {
    "stable-diffusion-v1-5": {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480},
    "stable-diffusion-xl-base-1.0": {"unet": 2_567_463_684, "vae": 83_653_863, "text_encoder": 123_060_480,
                                     "text_encoder_2": 694_659_840},
}


def unet(name: str) -> Any:
    """The network that predicts noise."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(**UNETS[name])


def vae(name: str) -> Any:
    """The autoencoder."""
    from diffusers import AutoencoderKL

    channels = (8, 16) if name == "small" else (128, 256, 512, 512)
    groups = 4 if name == "small" else 32
    return AutoencoderKL(block_out_channels=channels, down_block_types=["DownEncoderBlock2D"] * len(channels),
                         up_block_types=["UpDecoderBlock2D"] * len(channels), norm_num_groups=groups,
                         layers_per_block=1 if name == "small" else 2, latent_channels=4)


def text_encoder(name: str, number: int) -> Any:
    """One of the text encoders; the second has a projection."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    size = TEXTS[name][number]
    config = CLIPTextConfig(**size, vocab_size=49408, intermediate_size=4 * size["hidden_size"],
                            max_position_embeddings=77, projection_dim=size["hidden_size"])
    return (CLIPTextModelWithProjection if number else CLIPTextModel)(config)


def tokenizer() -> Any:
    """A tokenizer that spells: what a prompt says makes no difference to time and memory, 77 tokens as it always is."""
    from transformers import CLIPTokenizer

    letters = [*ascii_lowercase, *(letter + "</w>" for letter in ascii_lowercase)]
    vocabulary = {token: i for i, token in enumerate([*letters, "<|unk|>", "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77, unk_token="<|unk|>")


def networks(name: str, device: str) -> dict[str, Any]:
    """All networks of a model by diffusers' names; in half precision, the autoencoder in float32, as `load` has it."""
    makers = {"unet": partial(unet, name), "vae": partial(vae, name)}
    makers |= {f"text_encoder{'_2' * n}": partial(text_encoder, name, n) for n in range(len(TEXTS[name]))}
    made = {}
    for part, make in makers.items():
        with torch.device("meta"):
            network = make()
        network.to(torch.float32 if part == "vae" or name not in LARGE else HALF)
        made[part] = network if device == "meta" else filled(network, device)
        made[part].requires_grad_(False).eval()
    return made


def filled(network: Any, device: str) -> Any:
    """A network without contents with small random numbers in it, norms as they begin."""
    network = network.to_empty(device=device)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        for name, value in network.named_parameters():
            if "norm" in name and name.endswith("weight"):
                value.fill_(1.0)
            elif name.endswith("bias"):
                value.zero_()
            else:
                value.normal_(0.0, 0.02)
        for name, value in network.named_buffers():
            if name.endswith("position_ids"):
                value.copy_(torch.arange(value.shape[-1]).expand_as(value))
    return network


def pipeline(name: str, device: str) -> Any:
    """A pipeline as `DiffusersModel` takes one, of these networks."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    parts = networks(name, device)
    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
                              set_alpha_to_one=False, steps_offset=1)
    return StableDiffusionPipeline(**parts, tokenizer=tokenizer(), scheduler=scheduler, safety_checker=None,
                                   feature_extractor=None, requires_safety_checker=False)
