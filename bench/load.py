"""Events for benchmarks: the stream of `make_load.py` beside the checkout, or one of our own in its shape."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson

MAKE_LOAD = Path(__file__).resolve().parents[2] / "shared" / "scripts" / "make_load.py"


def load_lines(events: int, *, batch: int = 0, seed: int = 1) -> Iterator[bytes]:
    """One event a line, or JSON arrays of `batch` events. The same arguments give the same bytes."""
    if not MAKE_LOAD.exists():
        yield from _own_lines(events, batch, seed)
        return
    command = [sys.executable, str(MAKE_LOAD), "--events", str(events), "--batch", str(batch), "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as made:
        assert made.stdout is not None
        for line in made.stdout:
            yield line.rstrip(b"\n")
    if made.returncode:
        raise RuntimeError(f"make_load.py failed with {made.returncode}; it needs numpy, which `make setup` installs")


def _own_lines(events: int, batch: int, seed: int) -> Iterator[bytes]:
    pending: list[bytes] = []
    for line in own_events(events, seed):
        if not batch:
            yield line
            continue
        pending.append(line)
        if len(pending) == batch:
            yield b"[" + b",".join(pending) + b"]"
            pending = []
    if pending:
        yield b"[" + b",".join(pending) + b"]"


def own_events(events: int, seed: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    start = 1_767_571_200_000
    for number in range(events):
        at = start + number * 86_400_000 // events
        person = int(rng.paretovariate(1)) % 2000
        user = f"user{person}@example.com"
        ip = f"203.0.{rng.randrange(4)}.{int(rng.paretovariate(0.7)) % 250}"
        event: dict[str, object] = {"timestamp": at, "hostname": f"ip-10-0-{rng.randrange(30)}-{rng.randrange(10)}"}
        event["ddtags"] = "env:prod,team:web"
        match rng.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                path = rng.choice(["/", "/cart", "/item/7", "/login", "/images/a.png", "/.env", "/wp-login.php"])
                event |= {
                    "ddsource": "nginx",
                    "service": "web-store",
                    "message": f'{ip} - - [05/Jan/2026:01:58:53 +0000] "GET {path} HTTP/1.1" '
                    f'{rng.choice([200, 304, 404])} {rng.randrange(90000)} "-" '
                    f'"Mozilla/5.0 (X11; Linux x86_64) Chrome/{rng.randrange(90, 120)}.0"',
                }
            case 5 | 6 | 7:
                event |= {
                    "ddsource": "cloudtrail",
                    "service": "cloudtrail",
                    "eventSource": "iam.amazonaws.com",
                    "eventName": rng.choice(["ListUsers", "GetUser", "CreateUser", "AssumeRole", "PutObject"]),
                    "sourceIPAddress": ip,
                    "userIdentity": {
                        "type": "IAMUser",
                        "userName": user,
                        "accountId": str(123_456_789_000 + person % 12),
                    },
                    "eventID": f"{rng.getrandbits(128):032x}",
                }
            case 8:
                outcome = rng.choice(["Failed", "Failed", "Accepted"])
                event |= {
                    "ddsource": "sshd",
                    "service": "ssh",
                    "message": f"sshd[{rng.randrange(9999)}]: {outcome} password for root from {ip} port "
                    f"{rng.randrange(65535)} ssh2",
                }
            case _:
                event |= {
                    "ddsource": "okta",
                    "service": "okta",
                    "eventType": "user.session.start",
                    "outcome": {"result": rng.choice(["SUCCESS", "FAILURE"])},
                    "actor": {"alternateId": user},
                    "client": {"ipAddress": ip},
                }
        yield orjson.dumps(event)
