"""Spaces and Jobs of the Hub for tests, spoken to by the real client."""

import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, JobNotFoundError

from .jobs import Play
from .server import HubServer
from .test_repos import status_of

CARD = "---\nsdk: gradio\nsdk_version: 6.31.0\napp_file: app.py\ntitle: Inspector\n---\n"


def make_space(api: HfApi, name: str, hardware: str = "zero-a10g", **more) -> None:
    api.create_repo(name, repo_type="space", space_sdk="gradio", space_hardware=hardware, **more)


def test_a_free_account_has_two_zero_gpu_spaces_and_none_on_cpu(hub: HubServer, api: HfApi):
    with pytest.raises(HfHubHTTPError, match="requires a PRO subscription") as refused:
        api.create_repo("me/one", repo_type="space", space_sdk="gradio")
    assert refused.value.response.status_code == 402
    for name in ("me/one", "me/two"):
        make_space(api, name)
    assert status_of(make_space, api, "me/three") == 403
    make_space(api, "me/three", "t4-small")
    hub.users["me"].credit = 0
    assert status_of(make_space, api, "me/four", "t4-small") == 402
    api.create_repo("me/page", repo_type="space", space_sdk="static")
    rich = HfApi(token=hub.add_user("rich", pro=True))
    rich.create_repo("rich/one", repo_type="space", space_sdk="gradio")


def test_a_space_is_set_up_runs_and_rests(hub: HubServer, api: HfApi):
    secrets, variables = [{"key": "KEY", "value": "hush"}], [{"key": "MODEL", "value": "me/thing"}]
    make_space(api, "me/one", space_secrets=secrets, space_variables=variables, space_sleep_time=600, private=True)
    assert api.get_space_runtime("me/one").stage == "NO_APP_FILE"
    for path, content in (("README.md", CARD), ("app.py", "print()")):
        api.upload_file(repo_id="me/one", repo_type="space", path_or_fileobj=content.encode(), path_in_repo=path)
    running = api.get_space_runtime("me/one")
    assert (running.stage, running.hardware, running.sleep_time) == ("RUNNING", "zero-a10g", 600)
    api.add_space_secret("me/one", "OTHER", "hush", description="for tests")
    told = api.get_space_secrets("me/one")
    assert ({*told}, told["OTHER"].description) == ({"KEY", "OTHER"}, "for tests")
    assert hub.repo("space", "me/one").space.secrets["OTHER"]["value"] == "hush"
    assert api.add_space_variable("me/one", "COLOUR", "red")["MODEL"].value == "me/thing"
    api.delete_space_secret("me/one", "KEY")
    api.delete_space_variable("me/one", "MODEL")
    assert ({*api.get_space_secrets("me/one")}, {*api.get_space_variables("me/one")}) == ({"OTHER"}, {"COLOUR"})
    assert api.request_space_hardware("me/one", "t4-small", sleep_time=300).requested_hardware == "t4-small"
    assert api.set_space_sleep_time("me/one", 900).sleep_time == 900
    assert api.pause_space("me/one").stage == "PAUSED"
    assert api.restart_space("me/one", factory_reboot=True).stage == "RUNNING"
    hub.repo("space", "me/one").space.run_log += ["Running on local URL", "hello"]
    assert [*api.fetch_space_logs("me/one")] == ["Running on local URL\n", "hello\n"]
    assert len([*api.fetch_space_logs("me/one", build=True)]) == 2
    info = api.space_info("me/one")
    assert (info.sdk, info.runtime.stage, info.card_data.title) == ("gradio", "RUNNING", "Inspector")
    hub.add_user("somebody")
    stranger = HfApi(token=hub.add_token("somebody"))
    assert status_of(stranger.pause_space, "me/one") == 404
    reader = HfApi(token=hub.add_token("me", "read"))
    assert status_of(reader.add_space_secret, "me/one", "KEY", "x") == 403


def test_a_space_is_copied_without_its_secrets(hub: HubServer, api: HfApi):
    one = hub.add_repo(
        "space", "maker/one", {"README.md": CARD, "app.py": "1"}, sdk="gradio", hardware="zero-a10g",
        secrets=[{"key": "KEY", "value": "hush"}], variables=[{"key": "MODEL", "value": "maker/thing"}],
    )  # fmt: skip
    assert one.space.stage == "RUNNING"
    made = api.duplicate_repo("maker/one", "me/mine", repo_type="space", space_hardware="zero-a10g")
    assert made.repo_id == "me/mine"
    assert ({*api.get_space_secrets("me/mine")}, {*api.get_space_variables("me/mine")}) == (set(), {"MODEL"})
    assert hub.read("space", "me/mine", "app.py") == b"1"
    assert status_of(api.duplicate_repo, "maker/one", "me/mine", repo_type="space", space_hardware="zero-a10g") == 409


def test_a_space_whose_card_is_wrong_is_refused(hub: HubServer, api: HfApi):
    make_space(api, "me/one")
    for wrong in (CARD.replace("gradio", "flask"), CARD.replace("title: ", "colorFrom: "), "no head"):
        with pytest.raises((BadRequestError, ValueError)):
            api.upload_file(
                repo_id="me/one", repo_type="space", path_or_fileobj=wrong.encode(), path_in_repo="README.md"
            )


def test_a_job_goes_as_the_test_says(hub: HubServer, api: HfApi):
    hub.next_job = Play(("step 1", "out of memory"), "ERROR", "Job failed with exit code: 1")
    job = api.run_job(
        image="python:3.12", command=["python", "-c", "1"], flavor="t4-small", timeout="2h", labels={"run": "mine"},
        env={"A": "1"}, secrets={"HF_TOKEN": api.token},
    )  # fmt: skip
    assert [*api.fetch_job_logs(job_id=job.id, follow=True)] == ["step 1", "out of memory"]
    ended = api.inspect_job(job_id=job.id)
    assert (ended.status.stage, ended.status.message) == ("ERROR", "Job failed with exit code: 1")
    assert (ended.flavor, ended.environment, [*ended.secrets]) == ("t4-small", {"A": "1"}, ["HF_TOKEN"])
    assert hub.job(job.id).spec["timeoutSeconds"] == 7200
    assert [each.id for each in api.list_jobs(labels={"run": "mine"}, status="ERROR", namespace="me")] == [job.id]
    assert not [*api.list_jobs(status="RUNNING", namespace="me")]
    assert [*api.fetch_job_logs(job_id=job.id, tail=1)] == ["out of memory"]
    hub.next_job = Play(("step 1",), None)
    long = api.rerun_job(job_id=job.id)
    while api.inspect_job(job_id=long.id).status.stage != "RUNNING":
        time.sleep(0.01)
    api.cancel_job(job_id=long.id)
    assert api.wait_for_job(long.id).status.stage == "CANCELED"
    with pytest.raises(JobNotFoundError):
        api.inspect_job(job_id="0" * 24)


def test_a_job_costs(hub: HubServer, api: HfApi):
    prices = {each.name: each for each in api.list_jobs_hardware()}
    assert round(prices["l4x1"].unit_cost_usd * 60, 2) == 0.80
    assert (prices["a100-large"].accelerator.vram, prices["cpu-basic"].accelerator) == ("80 GB", None)
    hub.users["me"].credit = 0
    with pytest.raises(HfHubHTTPError, match="credit") as refused:
        api.run_job(image="python:3.12", command=["true"])
    assert refused.value.response.status_code == 402
    hub.users["me"].credit = 1
    assert status_of(HfApi(token=hub.add_token("me", "read")).run_job, image="python:3.12", command=["true"]) == 403


PUSHES = """
import os, sys
from huggingface_hub import HfApi, hf_hub_download
print("words", sys.argv[1:], os.environ["COLOUR"], os.environ["JOB_ID"], flush=True)
given = open(hf_hub_download("me/input", "recipe.txt", repo_type="dataset")).read()
HfApi().create_repo("me/result", private=True)
HfApi().upload_file(repo_id="me/result", path_or_fileobj=given.upper().encode(), path_in_repo="result.txt")
"""


def test_a_job_is_really_run_from_what_was_pushed_to_what_it_pushes(hub: HubServer, api: HfApi, tmp_path: Path):
    hub.jobs = "run"
    hub.add_repo("dataset", "me/input", {"recipe.txt": "learn", "job.py": PUSHES}, private=True)
    hub.add_repo("dataset", "me/code", {"job.py": PUSHES})
    script = f"{hub.url}/datasets/me/code/resolve/main/job.py"
    job = api.run_job(
        image="ghcr.io/astral-sh/uv:python3.12-bookworm",
        command=["uv", "run", "--with", "huggingface_hub", script, "--steps", "3"],
        env={"COLOUR": "red"}, secrets={"HF_TOKEN": api.token}, timeout="5m",
    )  # fmt: skip
    said = [*api.fetch_job_logs(job_id=job.id, follow=True)]
    assert api.inspect_job(job_id=job.id).status.stage == "COMPLETED", said
    assert said[0] == f"words ['--steps', '3'] red {job.id}"
    assert hub.read("model", "me/result", "result.txt") == b"LEARN"


@pytest.mark.parametrize(
    ("command", "timeout", "stage", "message"),
    [
        (["python", "-c", "raise SystemExit(3)"], "5m", "ERROR", "Job failed with exit code: 3"),
        (["sleep", "60"], 1, "ERROR", "Job timeout"),
        (["no-such-program"], "5m", "ERROR", "the container has no command no-such-program"),
    ],
)
def test_a_job_that_is_run_can_fail(hub: HubServer, api: HfApi, command, timeout, stage, message):
    hub.jobs = "run"
    job = api.run_job(image="python:3.12", command=command, timeout=timeout)
    ended = api.wait_for_job(job.id, timeout=60, poll_interval=0.1)
    assert (ended.status.stage, ended.status.message) == (stage, message)


def test_a_job_that_is_run_is_ended_when_it_is_cancelled(hub: HubServer, api: HfApi):
    hub.jobs = "run"
    job = api.run_job(image="python:3.12", command=["sleep", "600"])
    while hub.job(job.id).process is None:
        time.sleep(0.01)
    api.cancel_job(job_id=job.id)
    assert hub.job(job.id).process.wait(20) == -9
    assert api.inspect_job(job_id=job.id).status.stage == "CANCELED"
