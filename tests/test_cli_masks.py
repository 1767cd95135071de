"""`inspect --masks`: the same verdict, and the px of each part."""

import json

from repairai.cli import main
from repairai.files import read_record
from repairai.schema import Inspection
from tests.test_cli import FOUR
from tests.vision.tiny_open_models import sam


def test_masks_of_what_is_found(tmp_path, capsys):
    order = ["inspect", str(FOUR), "--require", "4 screw", "--json", "--no-record"]
    code = main(order)
    plain = json.loads(capsys.readouterr().out)
    model = sam(tmp_path / "tiny-sam")
    assert main([*order, "--masks", str(model), "--save", str(tmp_path / "out")]) == code
    seen = json.loads(capsys.readouterr().out)
    assert seen["models"][0] == plain["models"][0]
    assert seen["models"][1].startswith("tiny-sam@")
    assert [{**each, "mask": None} for each in seen["detections"]] == plain["detections"]
    assert all(each["mask"]["counts"] for each in seen["detections"])
    (record,) = (tmp_path / "out").glob("*.json")
    assert read_record(record, Inspection).detections[0].mask is not None


def test_what_is_no_segmenter_is_one_sentence(tmp_path, capsys):
    assert main(["inspect", str(FOUR), "--require", "4 screw", "--no-record", "--masks", str(tmp_path)]) == 2
    assert "holds no config.json" in capsys.readouterr().err
