"""Accounts, repos and files of the Hub for tests, spoken to by the real client."""

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    EvalResult,
    HfApi,
    ModelCard,
    ModelCardData,
    get_session,
    hf_hub_download,
    hf_hub_url,
    login,
    logout,
    snapshot_download,
    whoami,
)
from huggingface_hub.errors import (
    BadRequestError,
    GatedRepoError,
    HfHubHTTPError,
    LocalTokenNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from .server import HubServer


def status_of(do, *words, **named) -> int:
    with pytest.raises(HfHubHTTPError) as refused:
        do(*words, **named)
    return refused.value.response.status_code


def test_a_token_tells_whose_it_is_and_what_it_may(hub: HubServer):
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
    logout()
    with pytest.raises(LocalTokenNotFoundError):
        whoami()
    scoped = whoami(narrow)["auth"]["accessToken"]["fineGrained"]["scoped"]
    assert [(each["entity"]["name"], each["permissions"]) for each in scoped] == [
        ("me", ["repo.content.read"]),
        ("other/thing", ["repo.content.read"]),
    ]
    hub.revoke(reader)
    for unknown in ("hf_" + "x" * 34, reader):
        with pytest.raises(HfHubHTTPError, match="Invalid user token"):
            whoami(unknown)


def test_a_repo_is_made_once_by_those_who_may(hub: HubServer, api: HfApi):
    hub.add_user("somebody")
    hub.add_organisation("workshop", me="write")
    hub.add_organisation("library", me="read")
    assert api.create_repo("thing").repo_id == "me/thing"
    assert not hub.repo("model", "me/thing").private
    assert status_of(api.create_repo, "me/thing") == 409
    assert api.create_repo("me/thing", exist_ok=True).repo_id == "me/thing"
    assert status_of(api.create_repo, "somebody/thing") == 403
    assert status_of(api.create_repo, "library/thing") == 403
    for kind in ("model", "dataset"):
        assert api.create_repo("workshop/thing", repo_type=kind, visibility="private").repo_type in (kind, None)
        assert hub.repo(kind, "workshop/thing").private
    reader = HfApi(token=hub.add_token("me", "read"))
    assert status_of(reader.create_repo, "me/other") == 403
    assert status_of(HfApi(token=False).create_repo, "me/other") == 401
    narrow = hub.add_token("me", "fineGrained", permissions=("repo.write",), scopes=("model:me/thing",))
    assert status_of(HfApi(token=narrow).create_repo, "me/other") == 403
    HfApi(token=narrow).upload_file(repo_id="me/thing", path_or_fileobj=b"1", path_in_repo="one.txt")
    assert hub.read("model", "me/thing", "one.txt") == b"1"


def test_a_repo_is_moved_gated_and_deleted(hub: HubServer, api: HfApi):
    api.create_repo("me/thing", private=True)
    api.move_repo("me/thing", "me/better")
    api.update_repo_settings("me/better", gated="auto", private=False)
    assert (hub.repo("model", "me/better").gated, hub.repo("model", "me/better").private) == ("auto", False)
    reader = HfApi(token=hub.add_token("me", "read"))
    assert status_of(reader.delete_repo, "me/better") == 403
    api.auth_check("me/better", write=True)
    assert status_of(reader.auth_check, "me/better", write=True) == 403
    api.delete_repo("me/better")
    assert not api.repo_exists("me/better")
    api.delete_repo("me/better", missing_ok=True)


def test_a_folder_goes_up_and_comes_down(hub: HubServer, api: HfApi, tmp_path: Path):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "sub" / "model.safetensors").write_bytes(b"w" * 300_000)
    api.create_repo("me/thing", private=True)
    commit = api.upload_folder(repo_id="me/thing", folder_path=folder)
    assert api.upload_folder(repo_id="me/thing", folder_path=folder).oid == commit.oid, "nothing had changed"
    assert len(hub.asked("PUT", "/_lfs/")) == 1
    there = Path(snapshot_download("me/thing", token=api.token))
    assert tmp_path / "hf" in there.parents
    assert (there / "sub" / "model.safetensors").read_bytes() == b"w" * 300_000
    large = hub.store.lfs_path(hashlib.sha256(b"w" * 300_000).hexdigest())
    assert large.stat().st_size == 300_000, "what is large lies on disk"
    # The same content under another name, in another repo, is known already.
    api.create_repo("me/data", repo_type="dataset")
    api.upload_file(
        repo_id="me/data", repo_type="dataset", path_or_fileobj=b"w" * 300_000, path_in_repo="copy.safetensors"
    )
    assert len(hub.asked("PUT", "/_lfs/")) == 1
    assert hub.read("dataset", "me/data", "copy.safetensors") == b"w" * 300_000
    with pytest.raises(RepositoryNotFoundError):
        HfApi(token=False).model_info("me/thing")
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download("me/thing", "none.json", token=api.token)
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download("me/thing", "config.json", revision="gone", token=api.token)
    hub.add_user("somebody")
    with pytest.raises(RepositoryNotFoundError):
        hf_hub_download("me/thing", "other.json", token=hub.add_token("somebody"))


def test_a_large_upload_whose_content_is_not_what_was_announced_is_refused(hub: HubServer):
    answer = get_session().put(f"{hub.url}/_lfs/{'0' * 64}", content=b"something")
    assert answer.status_code == 400
    answer = get_session().post(f"{hub.url}/_lfs/verify", json={"oid": "0" * 64, "size": 9})
    assert answer.status_code == 404
    # In chunks, as a stream of unknown length comes.
    oid = hashlib.sha256(b"abcdef").hexdigest()
    answer = get_session().put(f"{hub.url}/_lfs/{oid}", content=iter([b"abc", b"def"]))
    assert (answer.status_code, hub.store.lfs_path(oid).read_bytes()) == (200, b"abcdef")


def test_commits_follow_one_another(hub: HubServer, api: HfApi):
    api.create_repo("me/thing")
    first = api.create_commit("me/thing", [add("a.txt", b"a"), add("sub/b.txt", b"b")], commit_message="two")
    second = api.create_commit("me/thing", [add("c.txt", b"c")], commit_message="one", parent_commit=first.oid)
    assert status_of(api.create_commit, "me/thing", [add("d.txt", b"d")], commit_message="x", parent_commit=first.oid) == 412  # fmt: skip  # noqa: E501
    gone = [CommitOperationDelete("a.txt"), CommitOperationDelete("sub/", is_folder=True)]
    api.create_commit("me/thing", gone, commit_message="less")
    assert {*hub.repo("model", "me/thing").files()} == {".gitattributes", "c.txt"}
    assert {*hub.repo("model", "me/thing").files(second.oid)} == {".gitattributes", "a.txt", "sub/b.txt", "c.txt"}
    titles = [commit.title for commit in api.list_repo_commits("me/thing")]
    assert titles == ["less", "one", "two", "initial commit"]
    api.create_branch("me/thing", branch="try/out", revision=first.oid)
    api.create_tag("me/thing", tag="v1", revision=second.oid)
    assert status_of(api.create_tag, "me/thing", tag="v1") == 409
    refs = api.list_repo_refs("me/thing")
    assert {branch.name: branch.target_commit for branch in refs.branches}["try/out"] == first.oid
    assert [tag.target_commit for tag in refs.tags] == [second.oid]
    assert Path(hf_hub_download("me/thing", "a.txt", revision="v1")).read_text() == "a"
    assert api.model_info("me/thing", revision="try/out").sha == first.oid
    api.upload_file(repo_id="me/thing", revision="try/out", path_or_fileobj=b"e", path_in_repo="e.txt")
    assert "e.txt" not in hub.repo("model", "me/thing").files()
    pull = api.create_commit("me/thing", [add("f.txt", b"f")], commit_message="ask", create_pr=True)
    assert (pull.pr_revision, "f.txt" in hub.repo("model", "me/thing").files()) == ("refs/pr/1", False)
    assert Path(hf_hub_download("me/thing", "f.txt", revision="refs/pr/1")).read_text() == "f"
    api.delete_tag("me/thing", tag="v1")
    api.delete_branch("me/thing", branch="try/out")
    assert [branch.name for branch in api.list_repo_refs("me/thing").branches] == ["main"]


def add(path: str, content: bytes) -> CommitOperationAdd:
    return CommitOperationAdd(path, content)


def test_trees_and_paths_are_told(hub: HubServer, api: HfApi):
    hub.add_repo("dataset", "maker/data", {"a.txt": "aaa", "x/y/b.parquet": b"bb", "x/c.txt": "c"})
    tree = {node.path: node for node in api.list_repo_tree("maker/data", repo_type="dataset", recursive=True)}
    assert {*tree} == {".gitattributes", "a.txt", "x", "x/y", "x/y/b.parquet", "x/c.txt"}
    assert tree["x/y/b.parquet"].lfs.sha256 == hashlib.sha256(b"bb").hexdigest()
    top = [node.path for node in api.list_repo_tree("maker/data", "x", repo_type="dataset", expand=True)]
    assert top == ["x/c.txt", "x/y"]
    with pytest.raises(RemoteEntryNotFoundError):
        [*api.list_repo_tree("maker/data", "none", repo_type="dataset")]
    some = api.get_paths_info("maker/data", ["a.txt", "x", "none"], repo_type="dataset", expand=True)
    assert [(node.path, getattr(node, "size", None)) for node in some] == [("a.txt", 3), ("x", None)]
    assert api.file_exists("maker/data", "x/c.txt", repo_type="dataset")
    assert not api.file_exists("maker/data", "x/d.txt", repo_type="dataset")
    info = api.dataset_info("maker/data", files_metadata=True)
    assert {each.rfilename: each.size for each in info.siblings}["x/y/b.parquet"] == 2


def test_part_of_a_file_is_given(hub: HubServer):
    hub.add_repo("model", "maker/thing", {"model.safetensors": bytes(range(100)), "a.txt": "0123456789"})
    for path, whole in (("model.safetensors", bytes(range(100))), ("a.txt", b"0123456789")):
        url = hf_hub_url("maker/thing", path)
        part = get_session().get(url, headers={"Range": "bytes=3-5"})
        assert (part.status_code, part.content) == (206, whole[3:6])
        assert part.headers["Content-Range"] == f"bytes 3-5/{len(whole)}"
        assert get_session().get(url, headers={"Range": "bytes=4-"}).content == whole[4:]
        assert get_session().get(url, headers={"Range": "bytes=200-"}).status_code == 416
        head = get_session().head(url)
        assert head.headers["Content-Length"] == str(len(whole))
        assert len(head.headers["X-Repo-Commit"]) == 40
    assert get_session().head(hf_hub_url("maker/thing", "model.safetensors")).headers["X-Linked-Size"] == "100"


def test_a_gated_repo_is_told_of_but_not_given(hub: HubServer, api: HfApi):
    repo = hub.add_repo("model", "maker/gated", {"config.json": "{}"})
    repo.gated = "manual"
    assert api.model_info("maker/gated").gated == "manual"
    for token in (api.token, False):
        with pytest.raises(GatedRepoError):
            hf_hub_download("maker/gated", "config.json", token=token)
    HfApi(token=hub.add_token("maker")).grant_access("maker/gated", "me")
    assert hf_hub_download("maker/gated", "config.json", token=api.token)


def test_what_fits_is_listed_in_pages(hub: HubServer, api: HfApi):
    card = "---\nlicense: mit\ntags: [repair]\n---\n"
    for n in range(5):
        hub.add_repo("model", f"maker/part-{n}", {"README.md": card if n < 2 else "hello"})
    hub.add_repo("model", "maker/hidden-part", {}, private=True)
    hub.add_repo("model", "me/own-part", {}, private=True)
    hub.page_size = 2
    assert len([*api.list_models(search="PART-")]) == 5
    assert len(hub.asked("GET", "^/api/models$")) == 3
    assert {model.id for model in api.list_models(author="me")} == {"me/own-part"}
    assert {model.id for model in api.list_models(filter=["repair", "license:mit"])} == {"maker/part-0", "maker/part-1"}
    assert len([*api.list_models(search="part", limit=3)]) == 3
    newest = [model.id for model in api.list_models(search="part-", sort="last_modified")]
    assert newest[0] == "maker/part-4"
    assert not [*HfApi(token=False).list_models(author="me")]
    assert [(own.id, own.type, own.visibility) for own in api.list_user_repos()] == [
        ("me/own-part", "model", "private")
    ]
    assert not [*api.list_datasets(author="maker")]


def test_a_card_is_read_and_a_wrong_one_refused(hub: HubServer, api: HfApi):
    api.create_repo("me/thing")
    score = EvalResult("object-detection", "own", "Bench photos", "ap50", 0.9)
    about = ModelCardData(
        license="cc-by-nc-sa-4.0", base_model="maker/base", tags=["repair"], model_name="thing", eval_results=[score]
    )
    ModelCard(f"---\n{about.to_yaml()}\n---\n# Thing\n").push_to_hub("me/thing", token=api.token)
    info = api.model_info("me/thing")
    assert {"repair", "license:cc-by-nc-sa-4.0", "base_model:maker/base"} <= {*info.tags}
    assert info.card_data.eval_results[0].metric_value == 0.9
    for wrong in ("license: whatever", "base_model: not/a/name", "a: [b"):
        with pytest.raises((ValueError, BadRequestError)):
            api.upload_file(
                repo_id="me/thing", path_or_fileobj=f"---\n{wrong}\n---\n".encode(), path_in_repo="README.md"
            )
    assert hub.read("model", "me/thing", "README.md").endswith(b"# Thing\n")
