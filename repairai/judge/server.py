"""The reasoner behind an address: any server with OpenAI's chat API that reads images.

vLLM, Ollama, llama.cpp and LM Studio are some. Phi-3 Vision runs so, too: transformers has no class for it.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import math
import os
import threading
import time
from collections.abc import Iterator
from hashlib import blake2b
from io import BytesIO
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx
import numpy as np
from PIL import Image

from repairai.errors import RepairError
from repairai.judge.limits import limits_of, measured_of
from repairai.judge.yes_no import INSTRUCTION, asked, plain_answer, probability
from repairai.schema import StateLimits

KEY = "REPAIRAI_SERVER_KEY"
"""Environment variable for the server's key; no key is ever kept in a file."""
CONNECT_SECONDS, READ_SECONDS = 2.0, 60.0
"""Somebody stands at the bench: a server that is not there is told at once, one that takes a minute is too slow."""
MOST_TOKENS = 4
"""Of an answer: room for yes or no, and for the space before it."""
TOP = 20
"""Words whose probability is asked for, with each word of the answer: the most that servers give."""
SAID = 0.95
"""Taken for the probability of what a server says without telling how sure it is."""
MOST_PX = 1024
"""Longest side of a photo that is sent: servers scale down themselves, and pay for what they are sent."""
_MOST_BYTES = 2**20
_PATH = "/chat/completions"
_SHOWN = 200


class ServerReasoner:
    """Asks a vision-language model behind an address that a person gave; see `repairai.schema.Reasoner`.

    The probability of yes comes from the probabilities of the first word, where the server tells them. One that does
    not tell them says yes or no alone: that counts as 0.95 or 0.05 and carries no sureness of its own, so that nothing
    but what is measured of the server (`limits`) makes it decide anything.

    Args:
        place: Such as http://127.0.0.1:11434 or http://127.0.0.1:8080/v1#MODEL.
        name: As it is shown; empty: the model and where it is.
        model: Its name on the server; empty: what stands behind the `#`, else the first that the server lists.
        api_key: For the server; None: the environment's, if any. It is sent to no other address.

    Raises:
        RepairError: The address is none, or what was measured of it is damaged.
    """

    def __init__(self, place: str, name: str = "", model: str = "", api_key: str | None = None) -> None:
        parts = _parts(place)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise RepairError(f"'{place[:_SHOWN]}' is no web address", "give one such as http://127.0.0.1:11434")
        if parts.username or parts.password:
            raise RepairError("the server's address holds a password", f"take it out and set {KEY} instead")
        path = parts.path.rstrip("/").removesuffix(_PATH)
        self.base_url = f"{parts.scheme}://{parts.netloc}{path or '/v1'}"
        self._where = f"the server at {parts.netloc}"
        self.model = model or parts.fragment
        self._is_named = bool(self.model)
        self.measured = measured_of(place)
        self._name = name
        self._key = os.environ.get(KEY, "") if api_key is None else api_key
        self._without_logprobs = False
        self._sent: tuple[bytes, str] = (b"", "")
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the name it was given, else the model and where it is."""
        return self._name or f"{self.model or 'the first model'} at {urlsplit(self.base_url).netloc}"

    def limits(self, question: str) -> StateLimits:
        """Return what was measured of its answers to a question; nothing where no model was named.

        Whichever model such a server lists first today may be another than the one that was measured.
        """
        return limits_of(self.measured, question) if self._is_named else StateLimits()

    def ask(self, photo: np.ndarray, question: str) -> float:
        """Return the probability of yes; see `repairai.schema.Reasoner.ask`. A photo is put into a JPEG once.

        Raises:
            RepairError: The server is not there, too slow, refuses, or says neither yes nor no.
        """
        words = asked(question)
        # No proxy and no redirect: the photo goes to the address that was given and nowhere else.
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        with self._lock, httpx.Client(timeout=timeout, headers=headers, trust_env=False) as client:
            try:
                self.model = self.model or self._first_model(client)
                return self._answer(self._said(client, self._data_url(photo), words))
            except httpx.TimeoutException:
                raise self._too_slow() from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise RepairError(
                    f"{self._where} cannot be reached: {str(error) or type(error).__name__}",
                    "start the server, or check its address",
                ) from None

    # ---- what is sent

    def _data_url(self, photo: np.ndarray) -> str:
        seen = blake2b(f"{photo.shape}".encode() + photo.tobytes(), digest_size=16).digest()
        if self._sent[0] != seen:
            image = Image.fromarray(photo)
            image.thumbnail((MOST_PX, MOST_PX), Image.Resampling.LANCZOS)
            file = BytesIO()
            image.save(file, "JPEG", quality=95)
            self._sent = seen, "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
        return self._sent[1]

    def _said(self, client: httpx.Client, image: str, question: str) -> Any:
        """Return what the server answers; one that knows no `logprobs` is asked again without, once and for all."""
        body: dict[str, Any] = {
            "model": self.model, "temperature": 0, "max_tokens": MOST_TOKENS, "stream": False,
            "messages": [{"role": "user", "content": [
                # The photo comes first: servers keep what they have read of it for the next question.
                {"type": "image_url", "image_url": {"url": image}},
                {"type": "text", "text": f"{question} {INSTRUCTION}"},
            ]}],
        }  # fmt: skip
        if not self._without_logprobs:
            status, text = self._sent_and_read(client, "POST", _PATH, {**body, "logprobs": True, "top_logprobs": TOP})
            if status not in (400, 422, 501) or "logprob" not in text.lower():
                return self._parsed(status, text)
            self._without_logprobs = True
        return self._parsed(*self._sent_and_read(client, "POST", _PATH, body))

    def _first_model(self, client: httpx.Client) -> str:
        listed = self._parsed(*self._sent_and_read(client, "GET", "/models", None))
        try:
            return str(listed["data"][0]["id"])
        except (LookupError, TypeError):
            raise RepairError(
                f"{self._where} lists no model", "name one behind the address, as http://HOST:PORT#MODEL"
            ) from None

    def _sent_and_read(self, client: httpx.Client, verb: str, path: str, body: Any) -> tuple[int, str]:
        """Return the status and the text of an answer, which has to be whole within the time for reading."""
        until = time.monotonic() + READ_SECONDS
        with client.stream(verb, self.base_url + path, json=body) as response:
            text = b""
            for piece in response.iter_bytes():
                text += piece
                if time.monotonic() > until:
                    raise self._too_slow()
                if len(text) > _MOST_BYTES:
                    raise RepairError(
                        f"{self._where} answers with more than {_MOST_BYTES >> 20} MiB",
                        "check that it speaks OpenAI's chat API",
                    )
            return response.status_code, text.decode("utf-8", "replace")

    # ---- what comes back

    def _parsed(self, status: int, text: str) -> Any:
        if status != httpx.codes.OK:
            mend = {401: f"set {KEY} to its key", 403: f"set {KEY} to its key",
                    404: "check the address and the model's name"}  # fmt: skip
            raise RepairError(
                f"{self._where} refuses with {status}: {_message(text)}",
                mend.get(status, "see what the server says of it, and whether its model reads images"),
            )
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise RepairError(
                f"{self._where} answers with what is no JSON: {text[:60]!r}", "check that it speaks OpenAI's chat API"
            ) from None

    def _answer(self, event: Any) -> float:
        try:
            choice = event["choices"][0]
            text = str(choice["message"]["content"] or "")
        except (LookupError, TypeError):
            raise RepairError(
                f"{self._where} answers with no message: {json.dumps(event)[:60]}",
                "check that it speaks OpenAI's chat API",
            ) from None
        found = probability(_first_words(choice))
        if found is None:
            plain = plain_answer(text)
            found = {"yes": SAID, "no": 1.0 - SAID}[plain] if plain else None
        if found is None:
            raise RepairError(
                f"{self._where} says neither yes nor no: {' '.join(text.split())[:60]!r}",
                "ask what can be answered by yes or no, or take another model",
            )
        return found

    def _too_slow(self) -> RepairError:
        return RepairError(
            f"{self._where} does not answer within {READ_SECONDS:.0f} seconds",
            "see whether the server runs, or take a smaller model",
        )


def sent_away(place: str) -> str:
    """Return what a person should know of an address that is not on this machine, as a sentence; else nothing."""
    parts = _parts(place)
    host = (parts and parts.hostname) or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    if local or not host:
        return ""
    return f"The photo and the question are sent to {host}, which is not this machine."


def _parts(place: str) -> SplitResult | None:
    """Return the parts of an address; None where it is none."""
    try:
        parts = urlsplit(place.strip())
        return parts if parts.port != 0 else None
    except ValueError:  # brackets that do not close, a port that is no number
        return None


def _first_words(choice: Any) -> Iterator[tuple[str, float]]:
    """Yield what might have been the answer's first word, with its probability; nothing where that is not told."""
    try:
        spoken = next(each for each in choice["logprobs"]["content"] if str(each["token"]).strip())
        found = {str(each["token"]): float(each["logprob"]) for each in spoken.get("top_logprobs") or ()}
        found.setdefault(str(spoken["token"]), float(spoken["logprob"]))
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration):
        return
    yield from ((token, math.exp(min(share, 0.0))) for token, share in found.items() if not math.isnan(share))


def _message(text: str) -> str:
    """Return what a server says is wrong, on one short line."""
    try:
        told = json.loads(text)["error"]
        told = told["message"] if isinstance(told, dict) else told
    except (ValueError, LookupError, TypeError, RecursionError):
        told = text
    return " ".join(str(told).split())[:_SHOWN] or "no reason given"
