"""Whether a pipeline is one that the methods can use as it is: nothing put on it, and its weights where they belong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.models.recognise import INSTEAD, PARTS, Kind, recognised

OFFLOADED = ("The pipeline keeps its weights elsewhere until they are wanted ({what}); these methods need them on one "
             "device. Load it anew without, with load(..., dtype=torch.float16) or a smaller model to save memory.")
FUSE = ("unload it with model.pipeline.unload_lora_weights(), or make it a part of the model: "
        "model.pipeline.fuse_lora(), then model.pipeline.unload_lora_weights()")


def kind_of(pipeline: Any) -> Kind:
    """What a loaded pipeline is; a ValueError with a sentence if these methods cannot use it."""
    name = type(pipeline).__name__
    parts = {part: getattr(pipeline, part, None) for part in PARTS}
    needed = [part for part in PARTS if not part.endswith("_2") or "XL" in name]
    if missing := [part for part in needed if parts[part] is None]:
        raise ValueError(f"This {name} has no {missing[0]}; expected a whole Stable Diffusion (XL) pipeline. {INSTEAD}")
    configs = {part: as_dict(one) for part, one in parts.items() if one is not None and hasattr(one, "config")}
    configs["scheduler"].setdefault("_class_name", type(parts["scheduler"]).__name__)
    check_in_place(pipeline)
    check_tokens(pipeline)
    return recognised(name, configs, f"This {name}", str(getattr(pipeline, "name_or_path", "") or ""))


def as_dict(part: Any) -> dict[str, Any]:
    """The configuration of a part of diffusers or of transformers."""
    return dict(part.config) if isinstance(part.config, Mapping) else part.config.to_dict()


def check_in_place(pipeline: Any) -> None:
    """A ValueError if weights are kept elsewhere, or pictures are asked for beside the text."""
    for network in (pipeline.unet, getattr(pipeline, "vae", None)):
        hook = getattr(network, "_hf_hook", None)  # accelerate's
        leaves = getattr(hook, "offload", False) or "Offload" in type(hook).__name__
        if network is not None and hook is not None and (leaves or next(network.parameters()).is_meta):
            raise ValueError(OFFLOADED.format(what="cpu_offload or device_map"))
        if getattr(network, "_diffusers_hook", None) is not None:
            raise ValueError(OFFLOADED.format(what="group offloading"))
    if getattr(pipeline.unet, "encoder_hid_proj", None) is not None:
        raise ValueError("An IP-Adapter is loaded, and it wants a picture with each prompt: unload it with "
                         "model.pipeline.unload_ip_adapter().")


def check_tokens(pipeline: Any) -> None:
    """A ValueError if a tokenizer makes tokens, or more of them, that its text encoder has no room for."""
    for tokenizer, encoder in (("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2")):
        tokens, reader = getattr(pipeline, tokenizer, None), getattr(pipeline, encoder, None)
        if tokens is None or reader is None:
            continue
        known, room = reader.config.vocab_size, reader.config.max_position_embeddings
        if len(tokens) > known:
            raise ValueError(f"The {tokenizer} makes {len(tokens)} tokens, the {encoder} knows {known}: call "
                             f"pipeline.{encoder}.resize_token_embeddings({len(tokens)}).")
        if tokens.model_max_length > room:
            raise ValueError(f"The {tokenizer} makes prompts longer than the {room} tokens that the {encoder} reads: "
                             f"set pipeline.{tokenizer}.model_max_length = {room}; of a folder, in "
                             "tokenizer_config.json.")


def networks_of(pipeline: Any) -> dict[str, Any]:
    """The denoiser and the text encoders of a pipeline."""
    parts = {name: getattr(pipeline, name, None) for name in ("unet", "text_encoder", "text_encoder_2")}
    return {name: part for name, part in parts.items() if part is not None}


def adapters_of(networks: Mapping[str, Any]) -> list[str]:
    """The names of the LoRAs and other adapters on the networks, by peft."""
    return list(dict.fromkeys(name for part in networks.values() for name in getattr(part, "peft_config", None) or ()))


def check_unadapted(networks: Mapping[str, Any]) -> None:
    """A ValueError with the remedy if something sits between us and the weights that are to be changed."""
    for part in (part for network in networks.values() for part in network.modules()):
        if getattr(part, "fused_projections", False):
            raise ValueError("The projections of this model's attention are fused: it computes with a copy of its "
                             "weights, and changes of them would do nothing. Take them apart again: "
                             "model.pipeline.unfuse_qkv_projections().")
        if getattr(part, "_diffusers_hook", None) is not None:
            raise ValueError("Something of diffusers casts or moves this model's weights at each call (layerwise "
                             "casting, group offloading), and they cannot be changed underneath it. Load it anew "
                             "without.")
    if names := adapters_of(networks):
        listed = ", ".join(map(repr, names))
        raise ValueError(f"A LoRA or another adapter ({listed}) is on this model, and its weights cannot be changed "
                         f"underneath it: {FUSE}.")
