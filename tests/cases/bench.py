"""The bench of the live trials: a loop of servers, an EHR behind TLS, and a case that points to it."""

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cases.building import Story
from tests.cases.certificates import Signed, sign
from tests.cases.judging import diagnose, judge
from tests.cases.servers import Ehr, Loop

KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
ROOT = sign("Tiny Root", ca=True)


def number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).decode().rstrip("=")


def jwk(kid: str, key: rsa.RSAPrivateKey = KEY) -> dict[str, Any]:
    public = key.public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS384", "n": number(public.n), "e": number(public.e)}


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


class Bench:
    """What a live trial needs: a place for files, the loop, and the standard integration."""

    def __init__(self, loop: Loop, folder: Path) -> None:
        self.loop, self.folder = loop, folder

    def tls(self, leaf: Signed | None = None, *more: Signed) -> ssl.SSLContext:
        leaf = leaf or sign("127.0.0.1", ROOT, hosts=("127.0.0.1", "localhost"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf.chain_file(self.folder, *more))
        return context

    def ehr(self, tls: ssl.SSLContext | None = None, **changes: Any) -> Ehr:
        ehr = Ehr(keys=[jwk("2026-05")])
        for key, value in changes.items():
            setattr(ehr, key, value)
        port = self.loop.http(ehr, tls or self.tls())
        ehr.url = f"https://127.0.0.1:{port}"
        return ehr

    def story(self, ehr: Ehr | None = None, base: str = "", *, write: bool = False, **integration: Any) -> Story:
        url = ehr.url if ehr else base
        auth = {
            "token_url": f"{url}/token",
            "authorization_server": url,
            "jwks_url": f"{url}/jwks",
            "private_key_file": "key.pem",
            "key_id": "2026-05",
            "algorithm": "RS384",
        } | integration.pop("auth", {})
        keys = {"auth": auth, "ca_bundle": "ca.pem", "timeout_s": 3} | integration
        if write:
            keys["canary"] = {"patient": "Patient/t", "encounter": "Encounter/t"}
        story = Story(base=f"{url}/r4", integration=keys)
        story.files["ca.pem"] = ROOT.pem
        story.files["key.pem"] = KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return story

    def check(self, story: Story, cause: Any, why: str, **judged: Any) -> dict[str, Any]:
        """Run the case now, with the network, and judge it; without logs the failure mode is unknown."""
        mode = judged.pop("mode", "unknown")
        trial = story.expect("live", cause, mode, why, **({"exit": 0 if cause is None else 1} | judged))
        trial.files["case.json"].pop("now")
        if not story.scribe and None in trial.causes:
            trial.files["case.json"].pop("note")  # a note of which nothing is known is no healthy note
        document, code = diagnose(trial.write(self.folder / "case"), offline=False)
        wrong = judge(trial, document, code)
        failed = [
            (c["id"], c["status"], c["says"])
            for step in document["steps"]
            for c in step["checks"]
            if c["status"] in ("failed", "warning", "error")
        ]
        assert not wrong, f"{why}: {wrong}; failed: {failed}"
        return document


@pytest.fixture
def bench(loop: Loop, tmp_path: Path) -> Bench:
    return Bench(loop, tmp_path)
