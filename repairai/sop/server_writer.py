"""The writer behind an address: any server that speaks OpenAI's chat API, such as Ollama, llama.cpp and vLLM."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from repairai.errors import RepairError
from repairai.sop.prompts import Passage, conversation

KEY = "REPAIRAI_SERVER_KEY"
"""Environment variable for the server's key; no key is ever kept in a file."""
CONNECT_SECONDS, READ_SECONDS = 10.0, 300.0
"""A large model may think for minutes before its first word; a server that is not there is told at once."""
MOST_TOKENS = 2048
_PATH = "/chat/completions"
_SHOWN = 200


class ServerWriter:
    """Asks a model behind an address that a person gave.

    Args:
        base_url: Such as http://127.0.0.1:11434 or http://127.0.0.1:8080/v1.
        model: Its name on the server; empty: the first that the server lists.
        api_key: For the server; None: the environment's, if any. It is sent to no other address.

    Raises:
        RepairError: The address is none.
    """

    length_tokens = 0

    def __init__(self, base_url: str, model: str = "", api_key: str | None = None) -> None:
        parts = urlsplit(base_url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RepairError(f"'{base_url[:_SHOWN]}' is no web address", "give one such as http://127.0.0.1:11434")
        if parts.username or parts.password:
            raise RepairError("the server's address holds a password", f"take it out and set {KEY} instead")
        path = parts.path.rstrip("/").removesuffix(_PATH)
        self.base_url = f"{parts.scheme}://{parts.netloc}{path or '/v1'}"
        self.model = model
        self._key = os.environ.get(KEY, "") if api_key is None else api_key

    @property
    def name(self) -> str:
        """Return the model and where it is."""
        return f"{self.model or 'the model'} at {urlsplit(self.base_url).netloc}"

    def answer(self, question: str, passages: Sequence[Passage]) -> Iterator[str]:
        """Yield an answer piece by piece; see `repairai.sop.ask.Writer`.

        Raises:
            RepairError: The server is not there, refuses, or says what is no answer.
        """
        # No proxy and no redirect: the question goes to the address that was given and nowhere else.
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        with httpx.Client(timeout=timeout, headers=headers, trust_env=False) as client:
            try:
                model = self.model or self._first_model(client)
                body = {"model": model, "messages": conversation(question, passages), "stream": True,
                        "temperature": 0, "max_tokens": MOST_TOKENS}  # fmt: skip
                with client.stream("POST", self.base_url + _PATH, json=body) as response:
                    self._refuse(response)
                    yield from self._pieces(response)
            except httpx.TimeoutException:
                raise RepairError(f"{self.base_url} does not answer in time", "see whether the server runs") from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise RepairError(
                    f"{self.base_url} cannot be reached: {str(error) or type(error).__name__}",
                    "start the server, or check its address",
                ) from None

    def _first_model(self, client: httpx.Client) -> str:
        response = client.get(f"{self.base_url}/models")
        self._refuse(response)
        try:
            return str(response.json()["data"][0]["id"])
        except (ValueError, LookupError, TypeError):
            raise RepairError(f"{self.base_url} lists no model", "name one: --server-model NAME") from None

    def _refuse(self, response: httpx.Response) -> None:
        """Tell what is wrong where a server says anything but yes."""
        if response.status_code == httpx.codes.OK:
            return
        response.read()
        said = _message(response.text)
        mend = {401: f"set {KEY} to its key", 403: f"set {KEY} to its key",
                404: "check the address and the model's name"}  # fmt: skip
        raise RepairError(
            f"{self.base_url} refuses with {response.status_code}: {said}",
            mend.get(response.status_code, "see what the server says of it"),
        )

    def _pieces(self, response: httpx.Response) -> Iterator[str]:
        """Yield the text of server-sent events; a server that does not stream answers in one piece."""
        if "text/event-stream" not in response.headers.get("content-type", ""):
            response.read()
            yield _content(_parsed(response.text, self.base_url), "message")
            return
        for line in response.iter_lines():
            if not line.startswith("data:"):
                continue
            data = line[5:].strip()
            if data == "[DONE]":
                return
            event = _parsed(data, self.base_url)
            if isinstance(event, dict) and event.get("error"):
                raise RepairError(f"{self.base_url} broke off: {_message(data)}", "see what the server says of it")
            if text := _content(event, "delta"):
                yield text


def sent_away(base_url: str) -> str:
    """Return what a person should know of an address that is not on this machine, as a sentence; else nothing."""
    host = urlsplit(base_url.strip()).hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost" or host.endswith(".localhost")
    if local or not host:
        return ""
    return f"The question and the steps are sent to {host}, which is not this machine."


def _parsed(text: str, base_url: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RepairError(
            f"{base_url} answers with what is no JSON: {text[:60]!r}", "check that it speaks OpenAI's chat API"
        ) from None


def _content(event: Any, field: str) -> str:
    try:
        return str(event["choices"][0][field]["content"] or "")
    except (LookupError, TypeError):
        return ""


def _message(text: str) -> str:
    """Return what a server says is wrong, on one short line."""
    try:
        told = json.loads(text)["error"]
        told = told["message"] if isinstance(told, dict) else told
    except (ValueError, LookupError, TypeError, RecursionError):
        told = text
    return " ".join(str(told).split())[:_SHOWN] or "no reason given"
