"""Watch and edit attention: an edit is a matrix and a vector over tokens (see `helpers.attention.edits`)."""

from helpers.attention.control import attention
from helpers.attention.edits import (
    UP_TO,
    Edit,
    SelfEdit,
    during,
    inject_self,
    mixed,
    refine,
    replace,
    reweight,
    self_attention,
)
from helpers.attention.maps import AttentionStore, Site
from helpers.attention.recording import Recording

__all__ = [
    "UP_TO",
    "AttentionStore",
    "Edit",
    "Recording",
    "SelfEdit",
    "Site",
    "attention",
    "during",
    "inject_self",
    "mixed",
    "refine",
    "replace",
    "reweight",
    "self_attention",
]
