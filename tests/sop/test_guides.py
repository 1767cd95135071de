"""Guides come in from files, folders and the web; what cannot be read is said and the rest is kept."""

import json
from pathlib import Path

import pytest

from repairai import files
from repairai.errors import RepairError
from repairai.schema import Guide, Line, Step
from repairai.sop.guides import fetch_guides, import_guides
from repairai.sop.library import Library, LibraryFault, Report
from repairai.sop.sources.ifixit_api import IfixitApi, ServerFault
from tests.sop.conftest import Imported
from tests.sop.ifixit_server import IfixitServer, api_guide

GUIDE = Guide("own-1", "Fan", "Laptop", "CC0-1.0", (Step(1, (Line("Lift."),)),))


def myfixit(number: int, text: str = "Remove the two screws.") -> str:
    step = {"Order": 0, "Lines": [{"Text": text.lower()}], "Text_raw": text, "Images": [], "StepId": 1}
    facts = {"Title": f"Thing {number}", "Guidid": number, "Category": "Thing", "Subject": "", "Toolbox": []}
    return json.dumps({**facts, "Url": f"https://www.ifixit.com/Guide/Thing/{number}", "Steps": [step]})


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, len(report.problems)


def test_all_five_myfixit_files(myfixit: Imported):
    """Counted in the files themselves: 1,713 guides with 15,020 steps."""
    assert counts(myfixit.report) == (1713, 0, 0, 0)
    assert (250, 250, "Apparel.json") in myfixit.progress
    assert (53, 53, "Skills.json") in myfixit.progress
    library = myfixit.library
    imported = [guide for guide in library.guides() if guide.id.startswith("ifixit-")]
    assert len(imported) == 1713
    assert sum(len(guide.steps) for guide in imported) == 15020
    assert {guide.licence for guide in imported} == {"CC-BY-NC-SA-3.0"}
    assert all(guide.url.startswith("https://www.ifixit.com/") for guide in imported)
    assert not [guide.id for guide in imported for step in guide.steps if "[[" in step.text or "'''" in step.text]

    before = library.fingerprint()
    assert counts(import_guides(str(myfixit.folder), library)) == (0, 0, 1713, 0)
    assert library.fingerprint() == before

    ribbon = library.guide("ifixit-10262")
    assert (ribbon.title, ribbon.device) == ("Clothing Ribbon Button Replacement", "patagonia clothing")
    assert ribbon.tools == ("utility scissors", "sewing machine")
    # Two lines, cut where the source cuts them and spelt as its raw text is; the text itself stays where it lies.
    assert [len(line.text) for line in ribbon.steps[0].lines] == [113, 100]
    assert all(line.text[0].isupper() and line.text.endswith(".") for line in ribbon.steps[0].lines)
    assert "[[" not in ribbon.steps[2].text


def test_broken_lines_are_numbered_and_the_rest_is_kept(tmp_path: Path, library: Library):
    lines = [myfixit(1), '{"Title": "cut off', "", "[1, 2]", '{"a": 1}', "\xff", myfixit(2), myfixit(3), "[" * 100_000]
    lines[7] = lines[7].replace('"Steps": [{', '"Steps": [], "x": [{')
    (tmp_path / "dirt.json").write_bytes("\n".join(lines).encode("latin-1"))
    report = import_guides(tmp_path / "dirt.json", library)
    assert counts(report) == (2, 0, 0, 7)
    assert report.ids == ("ifixit-1", "ifixit-2")
    said = [str(problem) for problem in report.problems]
    assert said[0] == "line 2 of dirt.json is not JSON: invalid control character at column 19; mend the line."
    assert said[1].startswith("line 4 of dirt.json is not a guide: it holds a number;")
    assert said[3].startswith("line 5 of dirt.json is not a guide: it holds an object with a;")
    assert said[4].startswith("line 6 of dirt.json is not JSON: it is not UTF-8 text")
    assert said[5] == "line 8 of dirt.json ('Thing 3') has no steps; leave it out or fetch it again."
    assert said[6].startswith("line 9 of dirt.json is not JSON: it is nested too deep")


def test_a_broken_first_line_is_only_a_broken_line(tmp_path: Path, library: Library):
    (tmp_path / "x.json").write_text("garbage\n" + myfixit(1) + "\n")
    assert counts(import_guides(tmp_path / "x.json", library)) == (1, 0, 0, 1)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_ifixit_files_one_guide_or_many(tmp_path: Path, library: Library, indent: int | None, encoding: str):
    one, many = tmp_path / "one.json", tmp_path / "many.json"
    one.write_text(json.dumps(api_guide(3141), indent=indent), encoding=encoding)
    listed = [api_guide(1), {"guideid": 2, "revisionid": 5, "flags": []}, api_guide(3)]
    many.write_text(json.dumps(listed, indent=indent), encoding=encoding)
    assert import_guides(one, library).ids == ("ifixit-3141",)
    assert counts(import_guides(many, library)) == (2, 0, 0, 1)
    assert library.guide("ifixit-3141").author == "Andrew"


def test_a_large_file_reports_its_progress(tmp_path: Path, library: Library):
    (tmp_path / "many.jsonl").write_text("\n".join(myfixit(number) for number in range(1, 251)))
    seen: list[tuple[int, int | None, str]] = []
    import_guides(tmp_path / "many.jsonl", library, lambda *told: seen.append(told))
    assert seen == [(100, 250, "many.jsonl"), (200, 250, "many.jsonl"), (250, 250, "many.jsonl")]


def test_our_own_guides_come_back_from_json_and_yaml(tmp_path: Path, library: Library):
    files.write_record(tmp_path / "a.json", GUIDE)
    files.write_record(tmp_path / "b.yaml", GUIDE)
    assert counts(import_guides(tmp_path, library)) == (1, 0, 1, 0)
    assert library.guide("own-1") == GUIDE
    (tmp_path / "c.yaml").write_text((tmp_path / "b.yaml").read_text().replace("device:", "devise:"))
    with pytest.raises(RepairError, match="unknown key 'devise', did you mean 'device'?"):
        import_guides(tmp_path / "c.yaml", library)


def test_a_folder_keeps_what_is_good(tmp_path: Path, library: Library):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "good.json").write_text(myfixit(1))
    (tmp_path / "bad.json").write_text("{ not json")
    (tmp_path / "LICENSE").write_text("words")
    report = import_guides(tmp_path, library)
    assert counts(report) == (1, 0, 0, 1)
    assert report.problems[0].where == "bad.json"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.txt", b"Just some notes", "notes.txt is not JSON: expecting value at column 1; give iFixit's"),
        ("photo.json", b"\xff\xd8\xff\xe0\x00\x10JFIF", "photo.json is not JSON: it is not UTF-8 text"),
        ("empty.json", b" \n\n ", "empty.json is empty"),
        ("list.json", b"[]", "list.json holds no guides"),
        ("other.json", b'{"a": 1, "b": 2}', "is not a guide: it holds an object with a, b"),
        ("none.json", json.dumps(api_guide(1, steps=[])).encode(), "has no steps; leave it out"),
        ("text.json", b'"my secret"', "text.json is not a guide: it holds a text;"),
        ("deep.yaml", b"[" * 20_000, "deep.yaml is not YAML: maximum recursion depth"),
        ("date.yaml", b"a: 2020-13-45", "date.yaml is not YAML: month must be in 1..12;"),
        ("when.yaml", b"a: !!timestamp soon", "when.yaml is not YAML: a value does not fit its tag;"),
        ("two.json", b'{"a": 1}\n{"b": 1}\n', r"line 1 of two.json is not a guide: .* \(and 1 more like it\)"),
    ],
)
def test_a_file_without_guides_is_one_sentence(tmp_path: Path, library: Library, name: str, content: bytes, words: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RepairError, match=words):
        import_guides(tmp_path / name, library)
    assert not library.folder.exists()


def test_a_folder_without_guides_and_no_file_at_all(tmp_path: Path, library: Library):
    (tmp_path / "readme.md").write_text("words")
    with pytest.raises(RepairError, match=r"holds no guides: none of its 1 files ends in \.json"):
        import_guides(tmp_path, library)
    with pytest.raises(RepairError, match=r"gone\.json does not exist; check the name"):
        import_guides(tmp_path / "gone.json", library)
    (tmp_path / "bad.json").write_text("words")
    with pytest.raises(RepairError, match=r"bad\.json is not JSON"):
        import_guides(tmp_path, library)


def test_names_that_no_file_can_have(library: Library):
    with pytest.raises(RepairError, match="~nosuch/x begins with a home folder that is not known"):
        import_guides("~nosuch/x", library)
    with pytest.raises(RepairError, match="cannot be read: File name too long"):
        import_guides("x" * 5_000, library)
    with pytest.raises(RepairError, match="/dev/zero is a device or a pipe"):
        import_guides("/dev/zero", library)


def test_no_source_at_all(library: Library):
    with pytest.raises(RepairError, match="no file, folder or web address was given"):
        import_guides(" ", library)


def test_half_a_surrogate_pair_does_no_harm(tmp_path: Path, library: Library):
    (tmp_path / "a.json").write_text(myfixit(1, "Lift \ud83d."))
    own = json.dumps(files.to_data(GUIDE)).replace("Lift.", "Lift \\ud83d.")
    (tmp_path / "b.json").write_text(own)
    report = import_guides(tmp_path, library)
    assert counts(report) == (2, 0, 0, 0)
    assert library.guide("ifixit-1").steps[0].text == library.guide("own-1").steps[0].text == "Lift ?."


def test_a_full_disk_stops_a_folder_at_once(tmp_path: Path, library: Library):
    """A library that cannot be written is not the fault of each file in turn."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text(myfixit(1))
    library.folder.parent.mkdir(parents=True)
    library.folder.write_text("in the way")
    with pytest.raises(LibraryFault):
        import_guides(tmp_path / "in", library)


def test_a_guide_by_its_web_address(server: IfixitServer, api: IfixitApi, library: Library):
    server.guides[3141] = api_guide(3141)
    page = "https://www.ifixit.com/Guide/iPhone+4+Battery+Replacement/3141#s1"
    assert counts(import_guides(page, library, api=api)) == (1, 0, 0, 0)
    assert library.guide("ifixit-3141").licence == "CC-BY-NC-SA-3.0"
    assert counts(import_guides("3141", library, api=api)) == (0, 0, 1, 0)
    assert len(server.asked) == 1
    server.guides[3141]["title"] = "New title"
    assert counts(import_guides("ifixit-3141", library, api=api, refresh=True)) == (0, 1, 0, 0)
    assert library.guide("ifixit-3141").title == "New title"


def test_a_web_address_that_is_no_guide(server: IfixitServer, api: IfixitApi, library: Library):
    with pytest.raises(RepairError, match="is not the address of an iFixit guide"):
        import_guides("https://example.com/Guide/x/1", library, api=api)
    with pytest.raises(RepairError, match="has no guide 99"):
        import_guides("https://www.ifixit.com/Guide/x/99", library, api=api)
    server.guides[5] = api_guide(5, steps=[])
    with pytest.raises(RepairError, match=r"guide 5 \('iPhone 4 Battery Replacement'\) has no steps"):
        import_guides("5", library, api=api)
    assert not library.folder.exists()


def test_a_stopped_fetch_goes_on_where_it_stopped(server: IfixitServer, api: IfixitApi, library: Library):
    server.guides = {number: api_guide(number) for number in range(1, 6)}
    server.faults = [(200, {}), (200, {}), *[(503, {})] * 4]
    wanted = [f"https://www.ifixit.com/Guide/x/{number}" for number in range(1, 6)]
    with pytest.raises(ServerFault, match="the 2 guides before it are kept, and the same import goes on from there"):
        fetch_guides(wanted, library, api=api)
    assert sorted(library.origins()) == ["ifixit-1", "ifixit-2"]
    server.asked.clear()
    seen: list[tuple[int, int | None, str]] = []
    report = fetch_guides(wanted, library, lambda *told: seen.append(told), api=api)
    assert counts(report) == (3, 0, 2, 0)
    assert server.asked == [f"/api/2.0/guides/{number}" for number in (3, 4, 5)]
    assert seen[0] == (0, 5, "guide 1")
    assert seen[-1] == (5, 5, "done")


def test_a_list_of_addresses_with_bad_ones(tmp_path: Path, server: IfixitServer, api: IfixitApi, library: Library):
    server.guides = {number: api_guide(number) for number in (1, 2, 7, 8)}
    server.devices["Some Phone"] = [7, 8, 1]
    lines = [
        "# what I repair",
        "https://www.ifixit.com/Guide/x/1",
        "https://www.ifixit.com/Device/Some_Phone",
        "https://example.com/no",
        "99",
        "",
        "2",
        "1",
    ]
    (tmp_path / "list.txt").write_text("\n".join(lines[1:]))
    report = import_guides(tmp_path / "list.txt", library, api=api)
    assert sorted(report.ids) == ["ifixit-1", "ifixit-2", "ifixit-7", "ifixit-8"]
    assert [problem.where for problem in report.problems] == ["https://example.com/no", "guide 99"]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    server.asked.clear()
    assert counts(import_guides(tmp_path / "list.txt", library, api=api)) == (0, 0, 4, 2)
    assert server.asked == ["/api/2.0/categories/Some%20Phone", "/api/2.0/guides/99"]


def test_a_listing_fetches_all_and_says_so(server: IfixitServer, api: IfixitApi, library: Library):
    server.guides = {number: api_guide(number) for number in range(1, 106)}
    seen: list[tuple[int, int | None, str]] = []
    report = import_guides("https://www.ifixit.com/Guide", library, lambda *told: seen.append(told), api=api)
    assert counts(report) == (105, 0, 0, 0)
    assert seen[0] == (0, None, "guide 1")


def test_myfixit_after_ifixit_keeps_what_is_fresh(
    tmp_path: Path, server: IfixitServer, api: IfixitApi, library: Library
):
    (tmp_path / "x.json").write_text(myfixit(3141))
    import_guides(tmp_path / "x.json", library)
    server.guides[3141] = api_guide(3141)
    assert counts(import_guides("3141", library, api=api)) == (0, 1, 0, 0)
    assert counts(import_guides(tmp_path / "x.json", library)) == (0, 0, 1, 0)
    assert library.guide("ifixit-3141").author == "Andrew"
