"""Every kind of file that a bench throws at us: read the right way up, or refused in one sentence."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from repairai.errors import RepairError
from repairai.vision.photo import parse_photo, read_photo

ROOT = Path(__file__).parents[2]
HEIC = Path(__file__).with_name("red_and_blue.heic")
RED, BLUE = (200, 20, 20), (20, 20, 200)


def picture(width=120, height=80) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def close(pixel, colour, within=25) -> bool:
    return bool(np.all(np.abs(np.asarray(pixel, int) - colour) <= within))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF", "GIF"])
def test_still_photos_are_read(kind):
    photo = parse_photo(saved(picture(), kind), f"a.{kind.lower()}")
    assert photo.pixels.shape == (80, 120, 3)
    assert photo.pixels.dtype == np.uint8
    assert close(photo.pixels[40, 20], RED, 40)
    assert close(photo.pixels[40, 100], BLUE, 40)


@pytest.mark.parametrize(
    ("orientation", "corner_is_red"),
    [(1, True), (2, False), (3, False), (4, True), (5, True), (6, True), (7, False), (8, False)],
)
def test_exif_rotation_is_honoured(orientation, corner_is_red):
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = parse_photo(saved(picture(), "JPEG", exif=exif, quality=95), "turned.jpg")
    assert photo.pixels.shape == ((80, 120, 3) if orientation <= 4 else (120, 80, 3))
    assert close(photo.pixels[10, 10], RED if corner_is_red else BLUE)


def test_cmyk_16_bit_grey_and_alpha_become_rgb():
    assert close(parse_photo(saved(picture().convert("CMYK"), "JPEG"), "cmyk.jpg").pixels[40, 20], RED, 40)
    deep = Image.fromarray(np.full((80, 120), 0x8000, np.uint16))
    assert close(parse_photo(saved(deep, "PNG"), "16bit.png").pixels[0, 0], (128, 128, 128), 2)
    assert close(parse_photo(saved(picture().convert("L"), "PNG"), "grey.png").pixels[0, 0], (74, 74, 74), 8)
    clear = picture().convert("RGBA")
    clear.putalpha(0)
    assert close(parse_photo(saved(clear, "PNG"), "clear.png").pixels[40, 20], (128, 128, 128), 2)
    palette = picture().convert("P")
    assert close(parse_photo(saved(palette, "PNG", transparency=255), "palette.png").pixels[40, 20], RED, 60)


def test_heic_from_a_phone():
    photo = read_photo(HEIC)
    assert photo.pixels.shape == (80, 120, 3)
    assert close(photo.pixels[40, 20], RED)
    assert close(photo.pixels[40, 100], BLUE)


def test_a_photo_of_50_megapixels_is_read_and_no_larger_one():
    photo = parse_photo(saved(picture(8192, 6144), "JPEG", quality=50), "large.jpg")
    assert photo.pixels.shape == (6144, 8192, 3)
    with pytest.raises(RepairError, match=r"larger.png has 10000 x 5100 px \(51 megapixels\); give .* at most 50"):
        parse_photo(saved(Image.new("L", (10_000, 5_100)), "PNG"), "larger.png")


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [("JPEG", "RGB", {"quality": 50}), ("PNG", "RGBA", {"compress_level": 1}), ("PNG", "LA", {"compress_level": 1})],
)
def test_a_large_photo_is_not_copied_about(tmp_path: Path, kind: str, mode: str, options: dict):
    """Decoded, 50 megapixels take 200 MB, the same again while they are turned, and 150 MB as an array."""
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells a process its peak of memory")
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "large").write_bytes(saved(Image.new(mode, (8192, 6144)), kind, exif=exif, **options))
    code = (
        "import sys, pathlib; from repairai.vision.photo import read_photo; read_photo(pathlib.Path(sys.argv[1]));"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "large")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(answer.stdout) / 1024 < 550


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"these are my notes, not a photo", "not a photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "not a photo"),
        (b"%PDF-1.7 ...", "not a photo"),
        (saved(picture(600, 400), "JPEG")[:900], "damaged or cut short"),
        (saved(picture(600, 400), "PNG")[:300], "damaged or cut short"),
        (saved(picture(20, 20), "PNG"), "only 20 x 20 px"),
        (saved(picture(), "GIF", save_all=True, append_images=[picture(), picture().rotate(9)]), "one after another"),
        (saved(picture(), "TIFF", save_all=True, append_images=[picture()]), "one after another"),
    ],
)
def test_what_is_no_photo_is_refused_in_one_sentence(content, says):
    with pytest.raises(RepairError, match=says) as refused:
        parse_photo(content, "given.jpg")
    sentence = str(refused.value)
    assert "given.jpg" in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_a_decompression_bomb_is_refused_before_it_unpacks():
    bomb = saved(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 2**20
    with pytest.raises(RepairError, match="megapixels"):
        parse_photo(bomb, "bomb.png")


def test_paths_that_are_no_photo(tmp_path):
    with pytest.raises(RepairError, match="there is no photo"):
        read_photo(tmp_path / "absent.jpg")
    with pytest.raises(RepairError, match="is a folder"):
        read_photo(tmp_path)
    with pytest.raises(RepairError, match="/dev/zero is a device or a pipe"):
        read_photo(Path("/dev/zero"))
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(RepairError, match=r"pipe\.jpg is a device or a pipe"):
        read_photo(tmp_path / "pipe.jpg")
    sparse = tmp_path / "huge.jpg"
    with sparse.open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(RepairError, match="200 MB"):
        read_photo(sparse)


WHOLE = [saved(picture(), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")] + [HEIC.read_bytes()]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WHOLE), st.data())
def test_no_damage_gives_anything_but_a_photo_or_a_sentence(whole, data):
    broken = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = parse_photo(bytes(broken), "broken").pixels
    except RepairError as error:
        said = str(error)
    else:
        said = ""
        assert (pixels.dtype, pixels.ndim) == (np.uint8, 3)
    assert "\n" not in said
