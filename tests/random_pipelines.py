"""Small pipelines of the real diffusers classes with random weights, for tests: no network, no trained model."""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any

import torch

ROOM = 16  # tokens a prompt may have, with its start and end


def tokenizer() -> Any:
    """A CLIPTokenizer that spells every word out in letters, except for the word "cat"."""
    from transformers import CLIPTokenizer

    letters = [*ascii_lowercase, *digits, ",", "."]
    tokens = [*letters, *(letter + "</w>" for letter in letters), "ca", "cat</w>"]
    tokens += ["<|unk|>", "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    merges = [("c", "a"), ("ca", "t</w>")]
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=ROOM, unk_token="<|unk|>")


def text_encoder(words: Any, width: int, projected: bool = False) -> Any:
    """A CLIPTextModel of two layers, with a projection for SDXL's second one."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=ROOM,
        projection_dim=width,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def scheduler(prediction: str = "epsilon", **knobs: Any) -> Any:
    """Stable Diffusion's schedule."""
    from diffusers import DDIMScheduler

    settings = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "clip_sample": False,
        "set_alpha_to_one": False,
        "steps_offset": 1,
        "prediction_type": prediction,
    }
    return DDIMScheduler(**{**settings, **knobs})


def kl_autoencoder(channels: int = 4) -> Any:
    """An AutoencoderKL that shrinks four times."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 16, 16),
        down_block_types=["DownEncoderBlock2D"] * 3,
        up_block_types=["UpDecoderBlock2D"] * 3,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=32,
        scaling_factor=0.5,
    ).eval()


def tiny_autoencoder(channels: int = 16) -> Any:
    """An AutoencoderTiny that shrinks four times."""
    from diffusers import AutoencoderTiny

    return AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
        latent_channels=channels,
    ).eval()


def unet(channels: int, text_width: int, **knobs: Any) -> Any:
    """A UNet of two levels on 8 x 8 latents."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=2,
        cross_attention_dim=text_width,
        **knobs,
    ).eval()


def stable_diffusion(prediction: str = "epsilon", tiny: bool = False, seed: int = 0, **schedule: Any) -> Any:
    """A StableDiffusionPipeline for 32 px pictures."""
    from diffusers import StableDiffusionPipeline

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        words = tokenizer()
        vae = tiny_autoencoder() if tiny else kl_autoencoder()
        return StableDiffusionPipeline(
            vae=vae,
            text_encoder=text_encoder(words, 16),
            tokenizer=words,
            unet=unet(16 if tiny else 4, 16),
            scheduler=scheduler(prediction, **schedule),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )


def stable_diffusion_xl(seed: int = 0) -> Any:
    """A StableDiffusionXLPipeline for 32 px pictures, with both text encoders."""
    from diffusers import StableDiffusionXLPipeline

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        words = tokenizer()
        sizes = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8}
        network = unet(4, 32, projection_class_embeddings_input_dim=6 * 8 + 16, **sizes)
        return StableDiffusionXLPipeline(
            vae=kl_autoencoder(),
            text_encoder=text_encoder(words, 16),
            text_encoder_2=text_encoder(words, 16, projected=True),
            tokenizer=words,
            tokenizer_2=words,
            unet=network,
            scheduler=scheduler(),
            add_watermarker=False,
        )


UNET_NAMES = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "down_blocks.0.resnets.0": "input_blocks.1.0",
    "down_blocks.0.attentions.0": "input_blocks.1.1",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op",
    "down_blocks.1.resnets.0": "input_blocks.3.0",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
    "up_blocks.0.resnets.0": "output_blocks.0.0",
    "up_blocks.0.resnets.1": "output_blocks.1.0",
    "up_blocks.0.upsamplers.0": "output_blocks.1.1",
    "up_blocks.1.resnets.0": "output_blocks.2.0",
    "up_blocks.1.attentions.0": "output_blocks.2.1",
    "up_blocks.1.resnets.1": "output_blocks.3.0",
    "up_blocks.1.attentions.1": "output_blocks.3.1",
}
UNET_LAYERS = {
    ".norm1.": ".in_layers.0.",
    ".conv1.": ".in_layers.2.",
    ".time_emb_proj.": ".emb_layers.1.",
    ".norm2.": ".out_layers.0.",
    ".conv2.": ".out_layers.3.",
    ".conv_shortcut.": ".skip_connection.",
}
VAE_NAMES = {
    "conv_norm_out": "norm_out",
    "mid_block.attentions.0.group_norm": "mid.attn_1.norm",
    "mid_block.attentions.0.to_q": "mid.attn_1.q",
    "mid_block.attentions.0.to_k": "mid.attn_1.k",
    "mid_block.attentions.0.to_v": "mid.attn_1.v",
    "mid_block.attentions.0.to_out.0": "mid.attn_1.proj_out",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "downsamplers.0": "downsample",
    "upsamplers.0": "upsample",
    "resnets": "block",
    "conv_shortcut": "nin_shortcut",
    "down_blocks": "down",
    "up_blocks.0": "up.2",
    "up_blocks.1": "up.1",
    "up_blocks.2": "up.0",
}


def renamed(name: str, names: dict[str, str]) -> str:
    """`name` with every part that occurs in `names` replaced."""
    for old, new in names.items():
        name = name.replace(old, new)
    return name


def save_single_file(pipeline: Any, path: Path) -> None:
    """A `stable_diffusion()` pipeline as one file, with the names Stable Diffusion's own code gives its weights."""
    from safetensors.torch import save_file

    weights = {}
    for name, value in pipeline.unet.state_dict().items():
        start = max((part for part in UNET_NAMES if name.startswith(part)), key=len)
        rest = name.removeprefix(start)
        rest = rest if "transformer_blocks" in rest else renamed(rest, UNET_LAYERS)
        weights[f"model.diffusion_model.{UNET_NAMES[start]}{rest}"] = value
    for name, value in pipeline.vae.state_dict().items():
        matrix = value[:, :, None, None] if "attentions" in name and value.ndim == 2 else value
        weights[f"first_stage_model.{renamed(name, VAE_NAMES)}"] = matrix
    for name, value in pipeline.text_encoder.state_dict().items():
        weights[f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"] = value
    save_file({name: value.contiguous() for name, value in weights.items()}, path)


def save_all(folder: Path) -> dict[str, Path]:
    """Every small pipeline saved below `folder`, by name."""
    pipelines = {
        "sd": stable_diffusion(),
        "v": stable_diffusion("v_prediction", tiny=True, set_alpha_to_one=True, beta_schedule="squaredcos_cap_v2"),
        "xl": stable_diffusion_xl(),
    }
    for name, pipeline in pipelines.items():
        pipeline.save_pretrained(folder / name)
    return {name: folder / name for name in pipelines}
