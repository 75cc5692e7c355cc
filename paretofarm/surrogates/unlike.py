"""Which architecture is the least like others, by a model that has seen no results."""

from collections.abc import Sequence

from paretofarm.described import Inputs, Row
from paretofarm.surrogates.kernel import Kernel, Scaling
from paretofarm.surrogates.prior import Prior


def least_like(rows: Sequence[Row], others: Sequence[Row]) -> int:
    """Place of the row whose greatest covariance with any of the others is the least; 0 where there are no others.

    A design by maximin distance (Johnson, Moore and Ylvisaker 1990) in the kernel that models begin with.
    """
    if not others:
        return 0
    scaling = Scaling(Inputs.of([*rows, *others]))
    scaled = scaling(Inputs.of(rows))
    numbers = scaled.numbers.shape[1]
    kernel = Kernel(Prior(numbers, len(scaled.blocks)).mean, numbers)
    return int(kernel(scaled, scaling(Inputs.of(others))).total.max(axis=1).argmin())
