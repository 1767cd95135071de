"""The Hub for tests, spoken to by the real clients."""

from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download, login, snapshot_download, whoami
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalTokenNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from .server import HubServer


@pytest.fixture
def api(hub: HubServer) -> HfApi:
    return HfApi(token=hub.add_user("me"))


def test_a_token_tells_who_it_is_of_and_what_it_may(hub: HubServer):
    with pytest.raises(LocalTokenNotFoundError):
        whoami()
    hub.add_user("me")
    hub.add_organisation("workshop", me="write")
    reader = hub.add_token("me", "read")
    narrow = hub.add_token("me", "fineGrained", permissions=("repo.content.read",), scopes=("me", "model:other/thing"))
    login(reader)
    about = whoami()
    assert (about["name"], about["auth"]["accessToken"]["role"]) == ("me", "read")
    assert [(org["name"], org["roleInOrg"]) for org in about["orgs"]] == [("workshop", "write")]
    scoped = whoami(narrow)["auth"]["accessToken"]["fineGrained"]["scoped"]
    assert [(each["entity"]["name"], each["permissions"]) for each in scoped] == [
        ("me", ["repo.content.read"]),
        ("other/thing", ["repo.content.read"]),
    ]
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        whoami("hf_" + "x" * 34)


def test_a_folder_goes_up_and_comes_down(hub: HubServer, api: HfApi, tmp_path):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "sub" / "model.safetensors").write_bytes(b"w" * 300_000)
    assert api.create_repo("me/thing", private=True).repo_id == "me/thing"
    commit = api.upload_folder(repo_id="me/thing", folder_path=folder)
    assert api.upload_folder(repo_id="me/thing", folder_path=folder).oid == commit.oid, "nothing had changed"
    there = snapshot_download("me/thing", token=api.token)
    assert (tmp_path / "hf") in Path(there).parents
    assert hub.read("model", "me/thing", "sub/model.safetensors") == b"w" * 300_000
    with pytest.raises(RepositoryNotFoundError):
        HfApi(token=False).model_info("me/thing")
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download("me/thing", "none.json", token=api.token)
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download("me/thing", "config.json", revision="gone", token=api.token)


def test_a_gated_repo_is_told_of_but_not_given(hub: HubServer, api: HfApi):
    repo = hub.add_repo("model", "maker/gated", {"config.json": "{}"})
    repo.gated = "manual"
    assert api.model_info("maker/gated").gated == "manual"
    with pytest.raises(GatedRepoError):
        hf_hub_download("maker/gated", "config.json", token=api.token)
    repo.admitted.add("me")
    assert hf_hub_download("maker/gated", "config.json", token=api.token)
