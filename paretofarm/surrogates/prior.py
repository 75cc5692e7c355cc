"""What is held likely of a kernel before anything was observed."""

import numpy as np


class Prior:
    """Of theta, normal. An even share for numbers and choices, one percent noise, scales that see all numbers alike.

    trend: whether there is one; it explains half as much as all else, or nothing.
    """

    def __init__(self, numbers: int, blocks: int, *, trend: bool = False) -> None:
        self.trend = trend
        scales, weights = np.full(numbers, -np.log(2.0 * max(numbers, 1))), np.full(blocks, np.log(1.2))
        self.mean = np.concatenate((np.log([0.6, 0.4, 0.01]), scales, weights))
        self.deviation = np.concatenate(([1.0, 1.0, 1.5], np.full(numbers, 1.5), np.full(blocks, 1.0)))
        if trend:
            self.mean = np.append(self.mean, np.log(0.5))
            self.deviation = np.append(self.deviation, 1.5)
