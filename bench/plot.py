"""Two bar charts on a logarithmic scale in one SVG: what a million rows cost, and the rows a second of a core."""

import math
from collections.abc import Mapping
from html import escape

_WIDTH, _BAR, _GAP, _LEFT, _TOP = 760, 26, 12, 190, 44
_COLOURS = ("#1f6f5c", "#9aa5ab", "#9aa5ab", "#9aa5ab", "#9aa5ab")


def svg(cost: Mapping[str, float], speed: Mapping[str, float]) -> str:
    """The first bar of each is ours."""
    charts = [
        ("Dollars per million rows (list prices; less is better; logarithmic)", cost, "{:,.2f} $"),
        ("Rows a second of one core, request to both stores (more is better; logarithmic)", speed, "{:,.0f}"),
    ]
    parts, top = [], 0
    for title, bars, form in charts:
        parts.append(_chart(title, bars, form, top))
        top += _TOP + len(bars) * (_BAR + _GAP) + _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" font-family="sans-serif" font-size="14">'
    )
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>', *parts, "</svg>", ""])


def _chart(title: str, bars: Mapping[str, float], form: str, top: int) -> str:
    lines = [f'<text x="10" y="{top + 26}" font-weight="bold">{escape(title)}</text>']
    for place, ((name, value), colour) in enumerate(zip(bars.items(), _COLOURS, strict=False)):
        y = top + _TOP + place * (_BAR + _GAP)
        width = _length(value, bars)
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 18}" text-anchor="end">{escape(name)}</text>')
        lines.append(f'<rect x="{_LEFT}" y="{y}" width="{width:.0f}" height="{_BAR}" rx="3" fill="{colour}"/>')
        lines.append(f'<text x="{_LEFT + width + 8:.0f}" y="{y + 18}">{form.format(value)}</text>')
    return "\n".join(lines)


def _length(value: float, bars: Mapping[str, float]) -> float:
    """Logarithmic, from a little below the least."""
    floor = math.log10(min(bars.values())) - 0.3
    return (math.log10(value) - floor) / (math.log10(max(bars.values())) - floor) * (_WIDTH - _LEFT - 130)
