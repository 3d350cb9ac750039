"""Prints what TensorBoard finds in a folder of event files, as JSON: of each scalar (step, value), of each image (step, width, height,
the file's bytes)."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import IMAGES, SCALARS, EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={SCALARS: 0, IMAGES: 0})
events.Reload()
tags = events.Tags()
found = {
    "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags[SCALARS]},
    "images": {tag: [[e.step, e.width, e.height, list(e.encoded_image_string)] for e in events.Images(tag)] for tag in tags[IMAGES]},
}
print(json.dumps(found))
