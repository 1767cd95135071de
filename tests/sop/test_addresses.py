"""Which guide a web address means."""

import pytest

from repairai.errors import RepairError
from repairai.sop.sources.addresses import Address, is_address, read_address
from repairai.sop.sources.ifixit_api import IFIXIT


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://www.ifixit.com/Guide/iPhone+4+Battery+Replacement/3141", Address("guide", "3141")),
        ("http://ifixit.com/Guide/X/3141#s12345", Address("guide", "3141")),
        ("www.ifixit.com/Guide/X/3141?lang=de", Address("guide", "3141")),
        ("ifixit.com/Guide/X/3141", Address("guide", "3141")),
        ("https://de.ifixit.com/Anleitung/Akku+austauschen/3141", Address("guide", "3141")),
        ("https://es.ifixit.com/Gu%C3%ADa/X/3141", Address("guide", "3141")),
        ("https://www.ifixit.com/Teardown/iPhone+5+Teardown/10525", Address("guide", "10525")),
        ("https://www.ifixit.com/Guide/edit/3141/2", Address("guide", "3141")),
        ("https://www.ifixit.com/Guide/2000-2006+BMW+M3/3141/", Address("guide", "3141")),
        ("https://www.ifixit.com/GuidePDF/link/3141/en", Address("guide", "3141")),
        ("https://www.ifixit.com/api/2.0/guides/3141", Address("guide", "3141")),
        ("http://127.0.0.1:9/Guide/X/3141", Address("guide", "3141")),
        ("3141", Address("guide", "3141")),
        ("ifixit-3141", Address("guide", "3141")),
        ("https://www.ifixit.com/Device/iPhone_4", Address("device", "iPhone 4")),
        ("https://www.ifixit.com/Device/Samsung_Galaxy_S9%2B", Address("device", "Samsung Galaxy S9+")),
        ("https://www.ifixit.com/api/2.0/categories/iPhone%204", Address("device", "iPhone 4")),
        ("https://www.ifixit.com/api/2.0/guides?filter=teardown&offset=20", Address("listing", "filter=teardown")),
        ("https://www.ifixit.com/Guide", Address("listing", "")),
    ],
)
def test_addresses_are_understood(text: str, address: Address):
    assert read_address(text, "http://127.0.0.1:9/api/2.0") == address
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/Guide/X/3141",
        "https://notifixit.com/Guide/X/3141",
        "https://ifixit.com.evil.example/Guide/X/3141",
        "https://www.ifixit.com/Answers/View/12345/Why",
        "https://www.ifixit.com/Store/Parts/IF145-002",
        "https://www.ifixit.com/",
        "https://www.ifixit.com/Guide/X",
        "https://www.ifixit.com/Guide/X/0",
        "https://[broken",
        "ftp.example",
        "0",
        "",
    ],
)
def test_other_addresses_are_refused_in_one_sentence(text: str):
    with pytest.raises(RepairError, match="is not the address of an iFixit guide") as told:
        read_address(text, IFIXIT)
    assert "https://www.ifixit.com/Guide/<title>/<number>" in told.value.next_step


def test_paths_are_no_addresses():
    assert not any(map(is_address, ("guides.json", "C:\\guides", "/tmp/3141.json", "./3141x", "https://", "httpx")))
