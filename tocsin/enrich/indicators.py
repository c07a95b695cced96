"""Indicators of compromise: what they are, and the one way to write each (siem.md §6.1, §6.2). Pure.

An indicator and a value of a log are compared in the same form, so whatever a feed calls `hxxp://Evil[.]example/`
or `::ffff:203.0.113.7` is found as a log writes it.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.enrich.domains import domain_of, is_public_suffix
from tocsin.event import Json
from tocsin.remembering import remembered

TYPES: Mapping[str, str] = {
    "ip_address": "IP",
    "domain": "DOMAIN",
    "url": "URL",
    "md5": "MD5",
    "sha1": "SHA1",
    "sha256": "SHA256",
    "ssdeep": "SSDEEP",
    "aws_account_id": "AWS_ACCOUNT_ID",
    "container_image_name": "CONTAINER_IMAGE",
    "container_registry_account_name": "CONTAINER_REGISTRY_ACCOUNT",
    "ssh_public_key": "SSH_PUBLIC_KEY",
    "user_agent": "USER_AGENT",
}
"""The name of a type in feeds, and on events (`threat_intel.indicators_matched`)."""

CATEGORIES = (
    "attack",
    "malware",
    "scanner",
    "bruteforcer",
    "tor",
    "residential_proxy",
    "hosting_proxy",
    "botnet_proxy",
    "malware_proxy",
    "corp_vpn",
    "cryptomining",
    "c2",
    "phishing",
    "disposable_email",
)
"""Those that the specification knows; a feed may have others."""

INTENTIONS = ("malicious", "suspicious", "benign", "unknown")

HASH_TYPES: Mapping[int, str] = {32: "md5", 40: "sha1", 64: "sha256"}
"""By the number of hexadecimal digits."""

LONGEST = 4_000
"""Characters of an indicator: RSA keys of 16,384 bits have 2,800."""

WIDEST_V4, WIDEST_V6 = 8, 16
"""Prefix lengths. A feed that lists a wider network would mark the whole internet."""

_HEX = re.compile(r"[0-9a-fA-F]+")
_SCHEME = re.compile(r"(?i)h(?:xx|tt)p(s?)(?:\[:\]|:)//")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^/?#:]*)(?::(\d{1,5}))?([/?#].*)?", re.S)
_PORTS = {"http": "80", "https": "443", "ftp": "21"}
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._\-]*(?::\d+)?(?:/[a-z0-9][a-z0-9._\-]*)*(?::[\w.\-]+)?(?:@sha256:[0-9a-f]{64})?")
_SSDEEP = re.compile(r"\d+:[A-Za-z0-9+/]*:[A-Za-z0-9+/]*")
_KEY_TYPES = ("ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-", "sk-ssh-ed25519", "sk-ecdsa-sha2-")


class BadIndicator(Exception):
    """A value cannot be an indicator of its type; says why."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row of a feed. `value` is in the form of `canonical`; `expires_at` in Unix milliseconds."""

    type: str
    value: str
    category: str
    intention: str
    source_name: str
    source_url: str = ""
    additional_data: Mapping[str, Json] = field(default_factory=dict, hash=False)
    expires_at: int | None = None

    def result(self) -> dict[str, Any]:
        """The entry of `threat_intel.results` (siem.md §6.3); empty members are left out."""
        source = {"name": self.source_name} | ({"url": self.source_url} if self.source_url else {})
        found: dict[str, Any] = {
            "indicator": self.value,
            "type": TYPES[self.type],
            "category": self.category,
            "intention": self.intention,
            "source": source,
        }
        if self.additional_data:
            found["additional_data"] = dict(self.additional_data)
        return found


def refanged(text: str) -> str:
    """`hxxps://evil[.]example` as it was before somebody made it harmless to click."""
    text = text.strip()
    for written, meant in (("[.]", "."), ("(.)", "."), ("[dot]", "."), ("[:]", ":"), ("[@]", "@")):
        text = text.replace(written, meant)
    return _SCHEME.sub(lambda found: f"http{found[1].lower()}://", text, count=1)


def canonical(kind: str, text: str) -> str:
    """The form in which an indicator of a type is kept and compared. Raises `BadIndicator` with the reason."""
    if kind not in TYPES:
        raise BadIndicator(f"'{kind[:60]}' is no type of indicators")
    text = text.strip()
    if not text:
        raise BadIndicator("it is empty")
    if len(text) > LONGEST:
        raise BadIndicator(f"it has more than {LONGEST:,} characters")
    if "\n" in text or "\0" in text:
        raise BadIndicator("it has more than one line")
    return _CANONICAL[kind](text)


def _address(text: str) -> str:
    text = refanged(text)
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BadIndicator(f"'{text[:60]}' is no IP address or network") from None
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= 96:
            network = ipaddress.ip_network((mapped, network.prefixlen - 96))
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    if network.prefixlen < (WIDEST_V4 if network.version == 4 else WIDEST_V6):
        raise BadIndicator(f"the network {network} is too wide: it would mark a large part of the internet")
    return str(network)


def _domain(text: str) -> str:
    text = refanged(text).lower()
    found = domain_of(text.removeprefix("*."))
    if found is None:
        raise BadIndicator(f"'{text[:60]}' is no domain")
    if is_public_suffix(found, private=False):
        raise BadIndicator(f"'{found}' is a public suffix, under which anybody can register")
    return found


def _url(text: str) -> str:
    text = refanged(text)
    found = url_key(text if "://" in text else f"http://{text}")
    if found is None:
        raise BadIndicator(f"'{text[:60]}' is no URL with a host")
    return found


def url_key(text: str) -> str | None:
    """A URL with scheme and host in lower case, without user, default port and fragment; None if it has no host."""
    parts = _URL.fullmatch(text)
    if parts is None or not parts[2]:
        return None
    scheme, host, port = parts[1].lower(), parts[2].lower().rstrip("."), parts[3]
    rest = (parts[4] or "/").partition("#")[0] or "/"
    if not rest.startswith("/"):
        rest = f"/{rest}"
    return f"{scheme}://{host}{'' if port is None or _PORTS.get(scheme) == port else f':{port}'}{rest}"


def host_of(url: str) -> str | None:
    """The host of a URL with a scheme, in lower case."""
    parts = _URL.fullmatch(url)
    return parts[2].lower().strip("[]") or None if parts else None


def _hash(kind: str, digits: int) -> Callable[[str], str]:
    def of(text: str) -> str:
        if len(text) != digits or not _HEX.fullmatch(text):
            raise BadIndicator(f"a {kind} hash has {digits} hexadecimal digits, not '{text[:80]}'")
        return text.lower()

    return of


def _ssdeep(text: str) -> str:
    if not _SSDEEP.fullmatch(text):
        raise BadIndicator(f"'{text[:60]}' is no ssdeep hash (blocksize:hash:hash)")
    return text


def _aws_account(text: str) -> str:
    digits = text.replace("-", "")
    if len(digits) != 12 or not digits.isdecimal() or not digits.isascii():
        raise BadIndicator(f"an AWS account has 12 digits, not '{text[:60]}'")
    return digits


def _image(text: str) -> str:
    found = image_key(refanged(text))
    if found is None:
        raise BadIndicator(f"'{text[:60]}' is no name of a container image (registry/repository:tag)")
    return found


@remembered(4096)
def image_key(text: str) -> str | None:
    """An image's name in full, as container engines complete it: `nginx` is `docker.io/library/nginx:latest`."""
    name = text.strip().removeprefix("docker-pullable://").removeprefix("docker://")
    if not name or "\\" in name or name.startswith("/"):
        return None
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif "." not in first and ":" not in first and first != "localhost":
        name = f"docker.io/{name}"
    if "@" not in name and ":" not in name.rpartition("/")[2]:
        name = f"{name}:latest"
    return name if _IMAGE.fullmatch(name) else None


def registry_account(image: str) -> str | None:
    """Whose the image is in its registry: `docker.io/acme` of `acme/tool:1`."""
    name = image_key(image)
    return name.partition("@")[0].rpartition("/")[0] or None if name else None


def _registry_account(text: str) -> str:
    account = text.strip("/").lower()
    if not account or not re.fullmatch(r"[a-z0-9._\-:/]+", account):
        raise BadIndicator(f"'{text[:60]}' is no account of a container registry")
    first, slash, _ = account.partition("/")
    return account if slash and ("." in first or ":" in first) else f"docker.io/{account}"


def _ssh_key(text: str) -> str:
    found = ssh_key(text)
    if found is None:
        raise BadIndicator(f"'{text[:40]}…' is no public SSH key such as `ssh-ed25519 AAAA…`")
    return found


def ssh_key(text: str) -> str | None:
    """Type and key without the comment; None if the text is no key in the form of one line."""
    kind, _, rest = text.strip().partition(" ")
    body = rest.strip().partition(" ")[0]
    if not kind.startswith(_KEY_TYPES) or len(body) < 20:
        return None
    return f"{kind} {body}"


_CANONICAL: Mapping[str, Callable[[str], str]] = {
    "ip_address": _address,
    "domain": _domain,
    "url": _url,
    "md5": _hash("MD5", 32),
    "sha1": _hash("SHA-1", 40),
    "sha256": _hash("SHA-256", 64),
    "ssdeep": _ssdeep,
    "aws_account_id": _aws_account,
    "container_image_name": _image,
    "container_registry_account_name": _registry_account,
    "ssh_public_key": _ssh_key,
    "user_agent": str,
}


_LIKE_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}(?:/[0-9]+)?|[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:/[0-9]+)?")


def guess_type(text: str) -> str | None:
    """The type that a bare value has by its shape, for feeds that do not say; None if it has none."""
    value = refanged(text)
    if (kind := HASH_TYPES.get(len(value))) and _HEX.fullmatch(value):
        return kind
    if "://" in value:
        return "url"
    if _LIKE_ADDRESS.fullmatch(value):
        return "ip_address"
    if value.startswith(_KEY_TYPES):
        return "ssh_public_key"
    if _SSDEEP.fullmatch(value):
        return "ssdeep"
    return "domain" if domain_of(value.removeprefix("*.")) else None
