"""How many images go through a phone at once while a network is scored."""

CHUNK = 4
"""Images travel in archives of so many, which stay on the phone: batches are multiples of it, so that each candidate's
archives are the same."""
FIRST_IMAGES = CHUNK
"""Until it is known how long one takes."""
MOST_IMAGES = 48
MOST_BYTES = 32 * 2**20
"""Of inputs, their archives, and outputs together: all of it lies in the agent's memory too."""
SPARE_BYTES = 64 * 2**20
"""Left free on the phone."""
BATCH_S = 20.0
"""What an interruption may cost. A simulator can take that long for a single image."""
FLOAT_BYTES = 4


def images_per_batch(*, inputs: int, outputs: int, free_bytes: int, seconds_per_image: float | None) -> int:
    """0 where the phone has no room for a single image beside what must stay free.

    inputs, outputs: how many numbers go in and come out for one. seconds_per_image: in the batch before, its overhead
    included; None for the first.
    """
    per_image = (2 * inputs + outputs) * FLOAT_BYTES
    room = free_bytes - SPARE_BYTES
    if room < per_image:
        return 0
    in_time = FIRST_IMAGES if seconds_per_image is None else int(BATCH_S / max(seconds_per_image, 1e-6))
    images = max(1, min(MOST_IMAGES, min(room, MOST_BYTES) // per_image, in_time))
    return images - images % CHUNK or images
