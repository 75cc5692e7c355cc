"""`paretofarm data`: writes data sets."""

from pathlib import Path

import click

from cli.progress_bar import progress_bar

OUT = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR", help="Folder to write."
)


@click.group()
def data() -> None:
    """Write data sets to train on."""


@data.command()
@click.option("--count", type=click.IntRange(1, 1_000_000), default=1200, show_default=True, metavar="N", help="Faces.")
@click.option(
    "--size",
    type=click.IntRange(16, 2048),
    default=64,
    show_default=True,
    metavar="PIXELS",
    help="Side of the squares.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=7, show_default=True, metavar="N", help="Same seed, same faces."
)
@OUT
def faces(count: int, size: int, seed: int, out: Path) -> None:
    """Draw faces with labels, in the format of FaceSynthetics.

    19 classes from background to facewear. A folder that is complete already takes a moment; one that is not is
    completed. For a search: `dataset: {type: face_synthetics, path: DIR, size: PIXELS}`. The real FaceSynthetics
    download has the same format.

    \b
    Example:
      paretofarm data faces --count 1200 --size 64 --out data/faces
    """
    from workers.datasets.faces import count_faces, write_faces  # needs the extra `worker`

    with progress_bar("drawing faces", count) as progress:
        write_faces(out, count, size, seed, progress)
    click.echo(f"{out}: {count} faces of {size}x{size} pixels, seed {seed}", err=True)
    held = count_faces(out)
    if held > count:
        click.echo(f"the folder holds {held}, and a search trains on all of them: say `limit: {count}` there", err=True)


@data.command()
@OUT
def brain(out: Path) -> None:
    """Write real MRI slices with labels, cut from the atlas that the nilearn package ships.

    The atlas is ICBM 152 (2009a), free for any purpose as long as its copyright notice goes with every copy: keep
    ATTRIBUTION.txt beside the images, and cite the papers it names.

    For a search: `dataset: {type: image_mask_folder, path: DIR, size: 64}`; examples/brain_demo.yaml uses them.

    \b
    Example:
      paretofarm data brain --out data/brain
    """
    from workers.datasets.brain import COPYRIGHT, write_brain  # needs the extra `brain`

    count = write_brain(out)
    click.echo(f"{out}: {count} slices of the ICBM 152 atlas", err=True)
    click.echo(f"{COPYRIGHT}; its terms: {out / 'ATTRIBUTION.txt'}", err=True)


@data.command()
@click.option(
    "--source",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the four files are, if not where Debian's package puts them.",
)
@OUT
def fashion(source: Path | None, out: Path) -> None:
    """Write Fashion-MNIST: 70,000 pictures of clothes of ten classes, 28 pixels square, real and grey.

    They come with Debian's package dataset-fashion-mnist (apt-get install dataset-fashion-mnist; Ubuntu has it too), or
    from wherever you have them. MIT licence, Zalando SE.

    For a search: `dataset: {type: idx, path: DIR, size: 32}`; examples/fashion_demo.yaml uses them.

    \b
    Example:
      paretofarm data fashion --out data/fashion
    """
    from workers.datasets.fashion import INSTALLED, write_fashion  # needs the extra `worker`

    count = write_fashion(out, source or INSTALLED)
    click.echo(f"{out}: {count} pictures of clothes, Fashion-MNIST; its terms: {out / 'LICENCE.txt'}", err=True)


@data.command()
@click.option(
    "--faces",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="A folder that `paretofarm data faces` wrote, or the FaceSynthetics download.",
)
@OUT
def accessories(faces: Path, out: Path) -> None:
    """Sort faces by what they wear: bare, glasses, headwear or facewear, a folder of pictures for each.

    For a search: `dataset: {type: image_folder, path: DIR, size: 64}`.

    \b
    Example:
      paretofarm data faces --count 3000 --size 64 --out data/faces
      paretofarm data accessories --faces data/faces --out data/accessories
    """
    from workers.datasets.accessories import write_accessories  # needs the extra `worker`

    counts = write_accessories(faces, out)
    click.echo(f"{out}: {', '.join(f'{count} {name}' for name, count in counts.items())}", err=True)
