"""Class folders of pictures, and what torchvision's `ImageFolder` makes of them.

    python3.11 -m venv venv
    venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/image_folder.py

writes the folder `image_folder` and `image_folder.json` beside this file, which `tests/class_folders.rs` reads. Of each of
the sets `grey` and `colour` the latter has

    {"classes": names in the order of their labels,
     "train": [[path, label, pixels of the picture, flat: channel, row, column]], "test": [...]}

with the three channels that torchvision makes of every picture. The pictures are 2 rows of 3 pixels; the classes' names
are chosen for their order. A single picture of the set `colour` is in colour, a JPEG without edges, which every decoder
decodes alike; its test pictures lie in `val`.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.datasets import ImageFolder

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "image_folder"
CLASSES = ["10", "2", "Zebra", "_other", "ape"]


def grey(first):
    return Image.fromarray((40 * np.arange(6) + first).astype(np.uint8).reshape(2, 3))


def save(part, name, picture, **options):
    path = FOLDER / part / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)


def write(part, brightness):
    """A picture of each class."""
    for number, name in enumerate(CLASSES):
        save(part, f"{name}/b.png", grey(number + brightness))


def write_all_kinds(part):
    """A second picture of each class, of all kinds that are grey, and files that are none."""
    save(part, "10/A.PNG", grey(20))
    save(part, "2/a.png", grey(21).convert("RGB"))
    save(part, "Zebra/c.png", grey(22).convert("RGB").quantize(8))  # a palette
    save(part, "_other/0.png", grey(23).point(lambda value: 255 * (value > 100)).convert("1"))
    save(part, "ape/a.jpeg", Image.new("L", (3, 2), 77))
    (FOLDER / part / "notes.txt").write_text("no class\n")
    (FOLDER / part / "ape" / "labels.csv").write_text("no picture\n")


def read(part):
    def pixels(picture):
        return np.moveaxis(np.asarray(picture), 2, 0).ravel().tolist()

    found = ImageFolder(FOLDER / part)
    samples = [
        [str(Path(path).relative_to(FOLDER)), label, pixels(found.loader(path))] for path, label in found.samples
    ]
    return found.classes, samples


def main():
    for brightness, part in enumerate(["grey/train", "grey/test", "colour/train", "colour/val"]):
        write(part, 10 * brightness)
    write_all_kinds("grey/train")
    save("colour/val", "Zebra/red.jpg", Image.new("RGB", (3, 2), (200, 30, 40)), quality=100, subsampling=0)
    sets = []
    for name, test in [("grey", "test"), ("colour", "val")]:
        (classes, train), (of_test, test) = read(f"{name}/train"), read(f"{name}/{test}")
        assert classes == of_test
        rows = lambda samples: "[\n  " + ",\n  ".join(json.dumps(row) for row in samples) + "]"
        classes = json.dumps(classes)
        sets.append(f' "{name}": {{"classes": {classes},\n "train": {rows(train)},\n "test": {rows(test)}}}')
    (HERE / "image_folder.json").write_text("{\n" + ",\n".join(sets) + "\n}\n")


main()
