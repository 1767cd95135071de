"""What the real clients make of a Hub that fails, is slow, or goes away."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants, get_session, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import httpx

from .server import HubServer

ROOT = Path(__file__).parents[2]
WEIGHTS = os.urandom(400_000)


@pytest.mark.parametrize("status", [401, 402, 403, 404, 409, 412, 500])
def test_any_request_can_be_refused(hub: HubServer, api: HfApi, status: int):
    fault = hub.misbehave(status=status, path="/api/repos/create", method="POST")
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_repo("me/thing")
    assert (refused.value.response.status_code, fault.happened) == (status, 1)
    api.create_repo("me/thing")


def test_the_header_says_what_kind_of_error_it_is(hub: HubServer, api: HfApi):
    hub.misbehave(status=403, path="/api/models/", code="GatedRepo", message="ask for it")
    with pytest.raises(GatedRepoError, match="ask for it"):
        api.model_info("maker/thing")
    hub.misbehave(status=404, path="/api/models/", code="RepoNotFound")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("maker/thing")


def test_too_many_requests_are_tried_again_after_a_while(hub: HubServer, api: HfApi):
    hub.add_repo("model", "maker/thing", {"config.json": "{}"})
    hub.misbehave(status=429, path="/resolve/", method="GET", retry_after=0)
    fault = hub.misbehave(status=429, path="/api/whoami-v2", retry_after=7, times=None)
    begun = time.monotonic()
    assert hf_hub_download("maker/thing", "config.json")
    assert time.monotonic() - begun >= 1
    for _ in range(2):
        with pytest.raises(HfHubHTTPError, match="rate limit") as refused:
            api.whoami()
        assert refused.value.response.headers["Retry-After"] == "7"
    assert fault.happened == 2
    hub.behave()
    assert api.whoami()["name"] == "me"


def test_a_slow_answer_comes_late_or_not_at_all(hub: HubServer):
    hub.misbehave(path="/api/models", delay_seconds=0.3, times=2)
    begun = time.monotonic()
    assert get_session().get(f"{hub.url}/api/models").json() == []
    assert time.monotonic() - begun >= 0.3
    with pytest.raises(httpx.ReadTimeout):
        get_session().get(f"{hub.url}/api/models", timeout=0.05)


def test_a_download_that_is_cut_goes_on_where_it_stopped(hub: HubServer, monkeypatch):
    # It goes on from the last whole piece, and these are of 10 MB.
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 50_000)
    hub.add_repo("model", "maker/thing", {"model.safetensors": WEIGHTS})
    fault = hub.misbehave(path="/resolve/.*safetensors", method="GET", after_bytes=150_000)
    assert Path(hf_hub_download("maker/thing", "model.safetensors")).read_bytes() == WEIGHTS
    assert [seen.status for seen in hub.asked("GET", "/resolve/")] == [200, 206]
    assert fault.happened == 1


def test_a_snapshot_fetches_what_is_missing(hub: HubServer):
    hub.add_repo("model", "maker/thing", {"config.json": "{}", "model.safetensors": WEIGHTS, "vocab.txt": "a"})
    hub.misbehave(status=503, path="vocab.txt", method="GET")
    with pytest.raises(HfHubHTTPError):
        snapshot_download("maker/thing", max_workers=1)
    there = Path(snapshot_download("maker/thing", max_workers=1))
    assert (there / "model.safetensors").read_bytes() == WEIGHTS
    assert len(hub.asked("GET", "/resolve/.*safetensors")) == 1


def test_an_upload_that_is_cut_shows_nothing(hub: HubServer, api: HfApi, tmp_path: Path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(WEIGHTS)
    api.create_repo("me/thing")
    fault = hub.misbehave(path="/_lfs/", method="PUT", after_bytes=240_000)
    # The client tries the same file again by itself.
    hub.misbehave(status=500, path="/commit/main", method="POST")
    with pytest.raises(HfHubHTTPError):
        api.upload_file(repo_id="me/thing", path_or_fileobj=weights, path_in_repo="model.safetensors")
    assert fault.happened == 1
    assert {*hub.repo("model", "me/thing").files()} == {".gitattributes"}
    puts = len(hub.asked("PUT", "/_lfs/"))
    api.upload_file(repo_id="me/thing", path_or_fileobj=weights, path_in_repo="model.safetensors")
    assert len(hub.asked("PUT", "/_lfs/")) == puts == 2, "the blob was there already"
    assert hub.read("model", "me/thing", "model.safetensors") == WEIGHTS


def test_a_body_comes_and_goes_slowly(hub: HubServer, api: HfApi):
    hub.add_repo("model", "me/thing", {"model.safetensors": WEIGHTS})
    for path, method in (("/resolve/", "GET"), ("/_lfs/", "PUT")):
        hub.misbehave(path=path, method=method, bytes_per_second=800_000)
    begun = time.monotonic()
    hf_hub_download("me/thing", "model.safetensors")
    between = time.monotonic()
    api.upload_file(repo_id="me/thing", path_or_fileobj=WEIGHTS[::-1], path_in_repo="other.safetensors")
    assert min(between - begun, time.monotonic() - between) >= 0.5


def test_a_commit_whose_answer_is_lost_is_made_all_the_same(hub: HubServer, api: HfApi):
    api.create_repo("me/thing")
    hub.misbehave(path="/commit/main", method="POST", unanswered=True)
    with pytest.raises(httpx.TransportError):
        api.upload_file(repo_id="me/thing", path_or_fileobj=b"a", path_in_repo="a.txt")
    assert hub.read("model", "me/thing", "a.txt") == b"a"


def test_a_commit_that_is_cut_is_none(hub: HubServer, api: HfApi):
    api.create_repo("me/thing")
    hub.misbehave(path="/commit/main", method="POST", after_bytes=20)
    with pytest.raises(httpx.TransportError):
        api.upload_file(repo_id="me/thing", path_or_fileobj=b"a" * 5000, path_in_repo="a.txt")
    assert len(hub.repo("model", "me/thing").commits) == 1


def test_the_hub_goes_away_and_comes_back(hub: HubServer, api: HfApi):
    hub.add_repo("model", "maker/thing", {"config.json": "{}", "b.json": "{}"})
    hf_hub_download("maker/thing", "config.json")
    with hub.away():
        with pytest.raises(httpx.ConnectError):
            api.whoami()
        assert hf_hub_download("maker/thing", "config.json"), "what is in the cache is had without it"
        with pytest.raises(LocalEntryNotFoundError):
            hf_hub_download("maker/thing", "b.json", local_files_only=True)
    assert api.whoami()["name"] == "me"


def test_a_process_that_is_started_knows_the_same_hub(hub: HubServer):
    token = hub.add_user("me")
    code = "from huggingface_hub import login, whoami, constants as c; import sys; login(sys.stdin.read().strip()); print(whoami()['name'], c.HF_HUB_DISABLE_XET, c.HF_HUB_OFFLINE)"  # fmt: skip  # noqa: E501
    said = subprocess.run([sys.executable, "-c", code], input=token, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["me", "True", "False"]


INNER = '''
import pytest, sys
from pathlib import Path

def test_first(hub):
    """Nothing of the clients was imported before."""
    from huggingface_hub import HfApi, constants
    import datasets.config
    token = hub.add_user("me")
    assert HfApi(token=token).whoami()["name"] == "me"
    assert constants.ENDPOINT == datasets.config.HF_ENDPOINT == hub.url
    assert not constants.HF_HUB_OFFLINE and not datasets.config.HF_HUB_OFFLINE

def test_then():
    from huggingface_hub import HfApi, constants
    from huggingface_hub.hf_api import api
    import datasets.config
    assert constants.ENDPOINT == datasets.config.HF_ENDPOINT == api.endpoint == "https://huggingface.co"
    assert constants.HF_HUB_OFFLINE and datasets.config.HF_HUB_OFFLINE
    assert "pytest" not in str(datasets.config.HF_DATASETS_CACHE) + constants.HF_HUB_CACHE + constants.HF_TOKEN_PATH

def test_again(hub):
    import datasets.config
    from huggingface_hub import login
    assert datasets.config.HF_ENDPOINT == hub.url
    assert not datasets.config.HF_HUB_OFFLINE
    login(hub.add_user("me"))

def test_leaks_to_a_file(hub, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "log.txt").write_text(f"token={hub.add_user('me')}")

def test_leaks_to_the_output(hub, capsys):
    print(hub.add_user("me"))
    capsys.readouterr()

def test_leaks_to_the_report(hub):
    sys.stderr.write(hub.add_user("me"))

def test_leaks_to_the_hub(hub):
    hub.add_repo("model", "me/thing", {"README.md": hub.add_user("me")})
'''


def test_the_fixture_points_back_and_finds_tokens(tmp_path: Path):
    (tmp_path / "test_inner.py").write_text(INNER)
    words = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull, "-rfE", f"--basetemp={tmp_path}/base"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, str(tmp_path / "test_inner.py")],
        cwd=ROOT, capture_output=True, text=True, env={**outside, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    wrong = {
        line.split("::")[1].split()[0] for line in done.stdout.splitlines() if line.startswith(("ERROR ", "FAILED "))
    }
    assert wrong == {f"test_leaks_to_{where}" for where in ("a_file", "the_output", "the_report", "the_hub")}, (
        done.stdout
    )
    assert "a token stands in" in done.stdout
