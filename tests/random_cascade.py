"""Small random cascades of the real diffusers classes: ours (CLIP, CrossAttn blocks) and DeepFloyd's (T5)."""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase
from typing import Any

import random_pipelines
import torch

WITHOUT = {"safety_checker": None, "feature_extractor": None, "watermarker": None, "requires_safety_checker": False}
BASE, LARGE, WIDTH = 8, 32, 16  # sides in pixels, numbers of a token


def t5() -> tuple[Any, Any]:
    """A T5Tokenizer that spells every word out except for "cat", and a T5EncoderModel of one layer."""
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    words: list[tuple[str, float]] = [("<pad>", 0), ("</s>", 0), ("<unk>", 0), ("▁", -2), ("▁cat", -1)]
    words += [(letter, -3) for letter in ascii_lowercase + ",."]
    tokenizer = T5Tokenizer(vocab=words, extra_ids=0, model_max_length=random_pipelines.ROOM)
    config = T5Config(vocab_size=len(words), d_model=WIDTH, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    return tokenizer, T5EncoderModel(config).eval()


def clip() -> tuple[Any, Any]:
    """The tokenizer and the text encoder of the small Stable Diffusion."""
    words = random_pipelines.tokenizer()
    return words, random_pipelines.text_encoder(words, WIDTH)


def unet(taken: int, side: int, deepfloyd: bool, **knobs: Any) -> Any:
    """A UNet of two levels on pixels; DeepFloyd's predicts a variance, too, and reads text through a layer."""
    from diffusers import UNet2DConditionModel

    blocks: dict[str, Any] = {"down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
                              "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"), "attention_head_dim": 2,
                              "cross_attention_dim": WIDTH}
    if deepfloyd:
        blocks = {"down_block_types": ("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
                  "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
                  "up_block_types": ("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"), "attention_head_dim": 8,
                  "cross_attention_dim": 8, "encoder_hid_dim": WIDTH, "encoder_hid_dim_type": "text_proj",
                  "addition_embed_type": "text", "addition_embed_type_num_heads": 2,
                  "resnet_time_scale_shift": "scale_shift", "act_fn": "gelu"}
    return UNet2DConditionModel(sample_size=side, in_channels=taken, out_channels=6 if deepfloyd else 3,
                                block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=4,
                                **blocks, **knobs).eval()


def scheduler(deepfloyd: bool) -> Any:
    """The cosine schedule; DeepFloyd's is a DDPMScheduler with its own settings."""
    from diffusers import DDIMScheduler, DDPMScheduler

    if deepfloyd:
        return DDPMScheduler(beta_schedule="squaredcos_cap_v2", variance_type="learned_range", thresholding=True,
                             dynamic_thresholding_ratio=0.95, sample_max_value=1.5, clip_sample=False)
    return DDIMScheduler(beta_schedule="squaredcos_cap_v2", clip_sample=False, timestep_spacing="trailing")


def pipelines(deepfloyd: bool = False, own_text: bool = False, seed: int = 0) -> tuple[Any, Any]:
    """A base and a super-resolution stage, which has a text encoder of its own where asked for."""
    from diffusers import IFPipeline, IFSuperResolutionPipeline

    from helpers.models.quiet import quiet

    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        tokenizer, text_encoder = t5() if deepfloyd else clip()
        base = IFPipeline(tokenizer=tokenizer, text_encoder=text_encoder, unet=unet(3, BASE, deepfloyd),
                          scheduler=scheduler(deepfloyd), **WITHOUT)
        words, reader = (tokenizer, text_encoder) if own_text else (None, None)
        large = IFSuperResolutionPipeline(
            tokenizer=words, text_encoder=reader, unet=unet(6, LARGE, deepfloyd, class_embed_type="timestep"),
            scheduler=scheduler(deepfloyd), image_noising_scheduler=scheduler(deepfloyd), **WITHOUT)
    return base, large


def save(folder: Path, **knobs: Any) -> Path:
    """A small cascade in a folder."""
    from helpers.models.quiet import quiet

    base, large = pipelines(**knobs)
    with quiet():
        base.save_pretrained(folder / "base")
        large.save_pretrained(folder / "super_resolution")
    return folder
