from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.judge.reasoner import load_reasoner


@pytest.mark.parametrize("place", ["", "nowhere", "/no/such/folder", "./no/folder", "a/b/c"])
def test_what_is_no_place_is_said(place: str):
    with pytest.raises(RepairError, match="there is no judge at"):
        load_reasoner(place, "gone")


def test_a_folder_without_a_model_is_said(tmp_path: Path):
    with pytest.raises(RepairError, match="holds no model"):
        load_reasoner(str(tmp_path), "empty")
