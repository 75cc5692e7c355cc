"""The program in an exported folder; a test runs it as a user would."""

RUN_EXAMPLE = '''"""Segments a picture: python run.py PICTURE [MASK.png]. Needs numpy, onnxruntime and pillow."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

here = Path(__file__).parent
info = json.loads((here / "network.json").read_text())
side, names = info["input"]["shape"][-1], info["class_names"]
picture = Image.open(sys.argv[1]).convert("RGB")
pixels = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR), np.float32) / 255
session = onnxruntime.InferenceSession(here / info["run"], providers=["CPUExecutionProvider"])
logits = session.run(None, {session.get_inputs()[0].name: pixels.transpose(2, 0, 1)[None]})[0]
mask = logits[0].argmax(0).astype(np.uint8)
for index in np.unique(mask):
    print(f"{names[index] if names else index}: {np.mean(mask == index):.1%} of the picture")
if len(sys.argv) > 2:
    Image.fromarray(mask).resize(picture.size, Image.Resampling.NEAREST).save(sys.argv[2])
'''
