"""Some of many, evenly apart."""

import numpy as np
import numpy.typing as npt


def apart(count: int, wanted: int) -> npt.NDArray[np.int64]:
    """Indices of so many of `count`, or of all, ascending: both ends among them where two are wanted, and distances
    that differ by one at most."""
    return np.linspace(0, count - 1, min(wanted, count)).round().astype(np.int64)


def of_each_class(labels: npt.NDArray[np.integer], wanted: int) -> npt.NDArray[np.int64]:
    """The same of things that have one class each, labels [count]: of every class as large a part, to one.

    Where classes come in turn, those that are evenly apart may all be of one: every tenth of ten classes.
    """
    class_by_class = np.argsort(labels, kind="stable")
    return np.sort(class_by_class[apart(len(labels), wanted)])
