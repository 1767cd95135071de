"""How the page looks, and what every page of RepairAI is served with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from repairai.vision.photo import MAX_BYTES

STYLE, FRAME = (Path(__file__).with_name(name) for name in ("style.css", "frame.css"))
LACKING = {"common.upload": "Upload"}
"""Words that Gradio asks for and has in no language: else a button is called by their key."""


def look() -> dict[str, Any]:
    """Return words for Gradio's `launch`: how a page looks, and that it shows and stores nothing beside itself."""
    return {
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "max_file_size": MAX_BYTES,
        "strict_cors": True,
        "footer_links": [],
        "theme": _theme(),
        "css_paths": [STYLE],
        "head": f"<style>{FRAME.read_text()}</style>",
        "i18n": gr.I18n(en=LACKING),
    }


def _theme() -> gr.themes.Base:
    fonts: Any = ["system-ui", "sans-serif"]
    mono: Any = ["ui-monospace", "monospace"]
    links = ("", "_hover", "_active", "_visited")
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        text_size=gr.themes.sizes.text_lg,
        font=fonts,
        font_mono=mono,
    ).set(
        body_background_fill="*neutral_50",
        block_border_width="1px",
        color_accent="*primary_700",
        **{f"link_text_color{each}": "*primary_700" for each in links},
        **{f"link_text_color{each}_dark": "*primary_400" for each in links},
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_text_color="white",
    )
