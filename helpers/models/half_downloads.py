"""A large file from the hub in as many attempts as it takes: huggingface_hub throws half a file away.

The bytes gather in `blobs/<etag>.part` of the repository's folder in the cache. A whole file becomes `blobs/<etag>`,
where huggingface_hub looks before it downloads anything.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlparse


def goes_on(repository: str, revision: str, file: str) -> None:
    """The file's bytes in the cache, beginning where an earlier attempt stopped; nothing if they are there already."""
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils._fixes import WeakFileLock
    from huggingface_hub.utils._headers import build_hf_headers

    if isinstance(try_to_load_from_cache(repository, file, revision=revision), str):
        return
    address = hf_hub_url(repository, file, revision=revision, endpoint=constants.ENDPOINT)
    about = get_hf_file_metadata(address, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    if about.etag is None or about.size is None:
        return
    blob = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model") / "blobs" / about.etag
    if blob.exists():
        return
    blob.parent.mkdir(parents=True, exist_ok=True)
    headers = build_hf_headers()
    if urlparse(about.location).netloc != urlparse(address).netloc:
        headers.pop("authorization", None)  # the files lie on another host, whose address is leave enough
    part = blob.with_name(f"{about.etag}.part")
    with WeakFileLock(f"{part}.lock"), part.open("ab") as gathered:
        there = gathered.tell()
        if there > about.size:
            gathered.truncate(there := 0)
        http_get(about.location, gathered, resume_size=there, headers=headers, expected_size=about.size,
                 displayed_filename=file)
    os.replace(part, blob)
    Path(f"{part}.lock").unlink(missing_ok=True)
