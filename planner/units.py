"""Conversions between the units that names carry: the only place where they are converted."""

CENTISECONDS_PER_MINUTE = 6_000
CENTISECONDS_PER_SECOND = 100
SECONDS_PER_MINUTE = 60.0
METRES_PER_KM = 1_000.0
M2_PER_KM2 = 1_000_000.0


def mps_from_kph(speed_kph: float) -> float:
    """Metres per second from kilometres per hour."""
    return speed_kph / 3.6


def kph_from_mps(speed_mps: float) -> float:
    """Kilometres per hour from metres per second."""
    return speed_mps * 3.6


def cs_from_min(minutes: float) -> int:
    """Whole centiseconds from minutes, rounded to the nearest."""
    return round(minutes * CENTISECONDS_PER_MINUTE)


def distance_m(speed_kph: float, minutes: float) -> float:
    """Metres travelled on the level in `minutes` at `speed_kph`: what "15 min" means on the ground."""
    return mps_from_kph(speed_kph) * minutes * SECONDS_PER_MINUTE
