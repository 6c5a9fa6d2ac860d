"""What a night at the quay costs."""

from decimal import Decimal

RATE_PER_METRE = Decimal("2.85")
LATE_SURCHARGE = Decimal("1.25")


def mooring_fee(length_m: float, nights: int, *, paid_late: bool = False) -> Decimal:
    """Length times nights; a bill that was settled too late costs a quarter more."""
    fee = RATE_PER_METRE * Decimal(str(length_m)) * nights
    return (fee * LATE_SURCHARGE if paid_late else fee).quantize(Decimal("0.01"))
