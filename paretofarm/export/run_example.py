"""The programs in exported folders, by what the network says of an image; tests run them as a user would."""

from collections.abc import Mapping
from types import MappingProxyType

from paretofarm.task import Task

_COMMON = """
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

here = Path(__file__).parent
info = json.loads((here / "network.json").read_text())
side, names = info["input"]["shape"][-1], info["class_names"]
picture = Image.open(sys.argv[1])
if picture.mode.startswith("I;16"):  # grey of 16 bits, which Pillow would clip
    picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
# As in training: black shows through where a picture is transparent.
picture = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture.convert("RGBA")).convert("RGB")
pixels = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR), np.float32) / 255
session = onnxruntime.InferenceSession(here / info["run"], providers=["CPUExecutionProvider"])
logits = session.run(None, {session.get_inputs()[0].name: pixels.transpose(2, 0, 1)[None]})[0]
"""

_SEGMENTATION = f'''"""Segments a picture: python run.py PICTURE [MASK.png]. Needs numpy, onnxruntime and pillow."""
{_COMMON}mask = logits[0].argmax(0).astype(np.uint8)
for index in np.unique(mask):
    print(f"{{names[index] if names else index}}: {{np.mean(mask == index):.1%}} of the picture")
if len(sys.argv) > 2:
    Image.fromarray(mask).resize(picture.size, Image.Resampling.NEAREST).save(sys.argv[2])
'''

_CLASSIFICATION = f'''"""Says what is on a picture: python run.py PICTURE. Needs numpy, onnxruntime and pillow."""
{_COMMON}exponentials = np.exp(logits.ravel() - logits.max())
for index in exponentials.argsort()[::-1][:5]:
    print(f"{{names[index] if names else index}}: {{exponentials[index] / exponentials.sum():.1%}}")
'''

RUN_EXAMPLES: Mapping[Task, str] = MappingProxyType(
    {Task.SEGMENTATION: _SEGMENTATION, Task.CLASSIFICATION: _CLASSIFICATION}
)
