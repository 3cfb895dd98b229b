"""Draw an SVG as a PNG, for who is shown no SVG: an untrusted notebook, some web views.

It is twice as large as it is shown, for sharp screens, with a palette, to be small.
"""

import io
from functools import cache

from PIL import Image
from resvg_py import svg_to_bytes

from helpers.timing.drawing import GROUND

FONTS = ("DejaVu Sans", "Liberation Sans", "Arial", "Helvetica", "Noto Sans")


def png(svg: str) -> bytes:
    """Return the PNG; RuntimeError if this machine has no font for its words."""
    image = Image.open(io.BytesIO(_draw(svg, font()))).convert("RGB")
    few = image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


@cache
def font() -> str:
    """Find a sans serif font. Where a font is missing, words are left out silently."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    word = f'{head}<text y="15" font-family="sans-serif">o</text></svg>'
    for name in FONTS:
        if _draw(word, name) != _draw(f"{head}</svg>", name):
            return name
    raise RuntimeError(
        "no sans serif font for the pictures; on Debian: apt install fonts-dejavu-core"
    )


def _draw(svg: str, sans_serif: str) -> bytes:
    return svg_to_bytes(
        svg_string=svg, zoom=2, background=GROUND, sans_serif_family=sans_serif
    )
