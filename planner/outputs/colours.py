"""The colours of every map and legend, told apart by colour-blind eyes and on a pale projector."""

from __future__ import annotations

# Okabe and Ito's colours.
TIER_COLOURS = ("#4B0082", "#CC79A7", "#0072B2", "#56B4E9", "#999933", "#882255")
# Blue within 15 minutes, orange beyond.
BAND_COLOURS = ("#08306B", "#2171B5", "#6BAED6", "#FEE391", "#FE9929", "#CC4C02", "#662506")
UNKNOWN_COLOUR = "#9E9E9E"
GAP_COLOUR = "#B2182B"
PROPOSAL_COLOUR = "#F0E442"
CIRCLE_COLOUR = "#0072B2"
STATUS_COLOURS = {"served": "#009E73", "unserved": "#D55E00", "unknown": UNKNOWN_COLOUR}


def tier_colour(tier: str, tiers: tuple[str, ...]) -> str:
    """Return the colour of a tier: by its rank in the pyramid, grey for a tier that the scenario does not know."""
    return TIER_COLOURS[tiers.index(tier) % len(TIER_COLOURS)] if tier in tiers else "#777777"
