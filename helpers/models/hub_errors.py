"""What went wrong between here and the hub: each failure has its own sentence, with the one thing to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from socket import gaierror

from helpers.models.catalogue import WITHOUT_IT, Entry, HubOutOfReach, closest_first, out_of_reach

KEPT = "what has arrived is kept"


class WrongModel(ValueError):
    """The model is there, but it is none that this package can use."""


class HubRefusal(PermissionError):
    """The hub knows the model and does not give it out to just anybody."""


class HubBusy(ConnectionError):
    """The hub is there, but cannot answer now."""


class DiskTrouble(OSError):
    """There is no room for the model, or no right to write it."""


def explained(entry: Entry, errors: Sequence[Exception], damaged: Sequence[Exception] = ()) -> Exception:
    """The errors of all sources of an entry as one, in our words: the one that says most."""
    told = [told_apart(entry, error) for error in errors]
    best = min(told, key=lambda one: one[0])[1]
    if damaged and isinstance(best, HubOutOfReach):
        return HubOutOfReach(f"{damaged[0]} The hub is out of reach now; once it is there, load({entry.name!r}) "
                             f"fetches that file again. {WITHOUT_IT}")
    return best


def told_apart(entry: Entry, error: Exception) -> tuple[int, Exception]:
    """(rank, error in our words): lower ranks say more. Looks through all the errors that an error came from."""
    from huggingface_hub import errors as hub

    chain = list(causes(error))
    name, page = entry.name, f"https://huggingface.co/{entry.sources[0][0]}"

    def among(*kinds: type[BaseException]) -> BaseException | None:
        return next((one for one in chain if isinstance(one, kinds)), None)

    if (here := by_disk(entry, chain) or between(entry, chain)) is not None:
        return 0, here
    if among(hub.OfflineModeIsEnabled):
        return 1, HubOutOfReach(f"{name!r} is not on this machine, and the variable HF_HUB_OFFLINE forbids to fetch "
                                f"it: remove it, and start Python again. {WITHOUT_IT}")
    if among(hub.GatedRepoError):
        return 1, HubRefusal(f"{name!r} is given out to those only who accept its licence: log in on {page}, accept it "
                             f"there, and run `hf auth login` here. {WITHOUT_IT}")
    if among(hub.HFValidationError):
        return 1, no_such_model(entry)
    answers = (getattr(one, "response", None) for one in chain)
    code = next((answer.status_code for answer in answers if answer is not None), None)
    if (coded := by_code(entry, code, page)) is not None:
        return coded
    if isinstance(error, ValueError) or among(hub.FileMetadataError):  # no JSON, no ETag: what answers is not the hub
        return 5, HubBusy(f"What answers in the hub's place is not the hub ({str(error).splitlines()[0][:160]}). A "
                          f"network's login page, perhaps: open any page in a browser, log in, and call load({name!r}) "
                          f"again. {WITHOUT_IT}")
    if timed_out(chain):
        return 6, HubBusy(f"The hub stopped answering while {name!r} was fetched. Call load({name!r}) again: {KEPT}, "
                          f"and it goes on from there. {WITHOUT_IT}")
    if any(type(one).__name__ in ("RemoteProtocolError", "ReadError", "IncompleteRead") for one in chain):
        return 6, HubBusy(f"The connection broke off while {name!r} was fetched. Call load({name!r}) again: {KEPT}, "
                          f"and it goes on from there. {WITHOUT_IT}")
    if unanswered(chain):
        return 7, out_of_reach(entry, [error])
    short = " ".join(str(error).split())[:200]
    return 8, ValueError(f"{name!r} could not be fetched ({type(error).__name__}: {short}). "
                         f"Call load({name!r}) again. {WITHOUT_IT}")


def by_disk(entry: Entry, chain: Sequence[BaseException]) -> DiskTrouble | None:
    """The error for a disk that is full, or not to be written to; None if it is neither."""
    from huggingface_hub.errors import HfHubHTTPError

    for error in chain:
        number = None if isinstance(error, HfHubHTTPError) else getattr(error, "errno", None)
        if number in (errno.ENOSPC, errno.EDQUOT):
            return DiskTrouble(number, no_room(entry))
        if number in (errno.EACCES, errno.EROFS, errno.EPERM):
            return DiskTrouble(number, f"The folder for downloads cannot be written to ({error}). Let the variable "
                                       f"HF_HOME name one that can, and start Python again. {WITHOUT_IT}")
    return None


def between(entry: Entry, chain: Sequence[BaseException]) -> HubBusy | None:
    """The error for what stands between here and the hub and lets nothing through; None if nothing is known to."""
    kinds, told = {type(one).__name__ for one in chain}, " ".join(map(str, chain))
    if "CERTIFICATE_VERIFY_FAILED" in told:
        return HubBusy("The certificate of what answers in the hub's place is not trusted: this network looks into "
                       "connections, or the clock of this computer is wrong. Try another network, or let the variable "
                       f"SSL_CERT_FILE name the certificates of whoever runs it. {WITHOUT_IT}")
    if "ProxyError" in kinds:
        return HubBusy(f"The proxy lets nothing through to the hub ({told[:160]}): look at the variable HTTPS_PROXY, "
                       f"which may need a name and a password, and call load({entry.name!r}) again. {WITHOUT_IT}")
    if kinds & {"UnsupportedProtocol", "InvalidURL"}:
        return HubBusy(f"The address of the hub or of a proxy is none ({told[:160]}): look at the variables "
                       f"HF_ENDPOINT and HTTPS_PROXY, which begin with https://, and start Python again. {WITHOUT_IT}")
    return None


def by_code(entry: Entry, code: int | None, page: str) -> tuple[int, Exception] | None:
    """The error for an answer with a code of its own."""
    if code is None or code < 400:
        return None
    if code == 429:
        return 3, HubBusy(f"The hub has had too many requests from here (429). Wait some minutes and call "
                          f"load({entry.name!r}) again; `hf auth login` raises the limit. {WITHOUT_IT}")
    if code >= 500:
        return 4, HubBusy(f"The hub has trouble of its own ({code}). Try load({entry.name!r}) again in some minutes. "
                          f"{WITHOUT_IT}")
    if code in (401, 404):
        return 5, no_such_model(entry)
    if code == 403:
        return 2, HubRefusal(f"The hub does not give {entry.name!r} to this account (403): ask for it on {page}, and "
                             f"run `hf auth login` here. {WITHOUT_IT}")
    return 6, HubBusy(f"The hub answers {code} for {entry.name!r}. Try again later. {WITHOUT_IT}")


def no_such_model(entry: Entry) -> ValueError:
    """The error for a hub that answers, but has no such model."""
    return ValueError(f"huggingface.co has no model {entry.name!r}, or it is private (then run `hf auth login`). Check "
                      f"the spelling; known models: {', '.join(closest_first(entry.name))}. {WITHOUT_IT}")


def no_room(entry: Entry) -> str:
    """The sentence for a full disk."""
    from huggingface_hub.constants import HF_HUB_CACHE

    price = f" {entry.name!r} needs {entry.download_gb:g} GB." if entry.download_gb else ""
    return (f"The disk is full: there is no room for the download in {HF_HUB_CACHE!r}.{price} Make room, or let the "
            f"variable HF_HOME name a folder on another disk; {KEPT}. {WITHOUT_IT}")


def timed_out(chain: Sequence[BaseException]) -> bool:
    """Whether somebody was waited for in vain, after a connection stood."""
    return any(isinstance(one, TimeoutError) or type(one).__name__ in ("ReadTimeout", "WriteTimeout", "PoolTimeout")
               for one in chain)


def unanswered(chain: Sequence[BaseException]) -> bool:
    """Whether the errors come from the network rather than from the hub."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    network = (ConnectionError, TimeoutError, gaierror, LocalEntryNotFoundError)
    return any(isinstance(one, network) or type(one).__module__.startswith(("httpx", "httpcore", "requests"))
               for one in chain)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and the errors it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
