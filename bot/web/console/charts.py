"""Charts as pictures: drawn on the server, without a script, legible in black and white since every one has its table."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import Response

if TYPE_CHECKING:
    import pygal

FONT = 'system-ui, "Noto Sans", "PingFang HK", "Microsoft JhengHei", "Noto Sans CJK HK", sans-serif'
COLOURS = ("#0a5a6b", "#c2570c", "#5b3fa8", "#11603a", "#a3161a", "#8a6d00", "#4a5a66")


def stacked(labels: Sequence[str], rows: Mapping[str, Sequence[int]], nothing: str) -> Response:
    """Counts over time, one on the other; `nothing` stands there when there is none."""
    chart = _library().StackedBar(**_usual(nothing))
    chart.x_labels = list(labels)
    for name, numbers in rows.items():
        chart.add(name, list(numbers))
    return _picture(chart)


def bars(numbers: Mapping[str, int], name: str, nothing: str) -> Response:
    """One number for each name, as lying bars, so that long names can be read."""
    # Chinese characters are twice as wide as the library reckons.
    wide = max((sum(ord(one) > 0x2E7F for one in label) for label in numbers), default=0)
    shown = {"show_legend": False, "print_values": True, "margin": 20, "margin_left": 20 + 8 * wide}
    chart = _library().HorizontalBar(**{**_usual(nothing), **shown})
    chart.x_labels = list(numbers)
    chart.add(name, list(numbers.values()))
    return _picture(chart)


def _library() -> Any:
    import pygal  # 2 MB: only for whoever looks at charts

    # It puts a finder for plug-ins into every import of the process, of a kind that Python no longer knows; there are none.
    # A new list, since another thread may be going through the old one.
    sys.meta_path = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]
    return pygal


def _style() -> pygal.style.Style:
    from pygal.style import Style

    return Style(
        background="#ffffff",
        plot_background="#ffffff",
        foreground="#14212b",
        foreground_strong="#14212b",
        foreground_subtle="#6b7c88",
        colors=COLOURS,
        value_colors=("#ffffff",) * len(COLOURS),
        font_family=FONT,
        label_font_size=14,
        major_label_font_size=14,
        legend_font_size=14,
        value_font_size=13,
        no_data_font_size=18,
        guide_stroke_color="#d3dae0",
        opacity="1",
        transition="0s",
    )


def _usual(nothing: str) -> dict[str, object]:
    return {
        "style": _style(),
        "js": (),
        "width": 760,
        "height": 400,
        "margin_bottom": 46,
        "show_minor_y_labels": True,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 3,
        "truncate_legend": 26,
        "truncate_label": 28,
        "rounded_bars": 1,
        "order_min": 0,
        "min_scale": 2,
        "integer_values": True,
        "value_formatter": lambda number: f"{number:.0f}",
        "no_data_text": nothing,
        "disable_xml_declaration": True,
        "x_label_rotation": 0,
    }


def _picture(chart: pygal.graph.graph.Graph) -> Response:
    from xml.etree import ElementTree as ET

    tree = chart.render_tree()
    for parent in tree.iter():
        for child in list(parent):
            if isinstance(child.tag, str) and child.tag.endswith("script"):
                parent.remove(child)
    return Response(ET.tostring(tree, encoding="utf-8"), media_type="image/svg+xml")
