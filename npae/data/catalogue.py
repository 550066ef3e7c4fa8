"""The data sets known by name, as data: files, mirrors, checksums, licences.

A download is checked by the SHA-256 of the bytes that travel (`sha256`), a file found on this machine by that of its content
(`content_sha256`): genuine copies exist under other gzip headers, and unpacked. The content is

    IDX files                  the unpacked file
    binarized-mnist            the pixels of one split, np.packbits(axis=1): the same for the text files and for a packed .npz

Sources: digits, Alpaydin & Kaynak 1998 (UCI), as scikit-learn ships it. MNIST, LeCun, Bottou, Bengio & Haffner 1998. Fashion-MNIST, Xiao,
Rasul & Vollgraf 2017. Binarised MNIST, Larochelle & Murray 2011, one fixed draw of pixels as in Salakhutdinov & Murray 2008; its test rows
are sorted by class: shuffle them before taking a subset. tones are made by tones.py, dates by dates.py.
"""

from __future__ import annotations

from dataclasses import dataclass

DIGITS = [str(digit) for digit in range(10)]
NOTES = ["A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#"]
GARMENTS = ["T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]


@dataclass(frozen=True)
class File:
    """One file of a data set: the name it is downloaded under, its size in bytes, and both checksums."""

    name: str
    size: int
    sha256: str
    content_sha256: str


@dataclass(frozen=True)
class Entry:
    """One data set. Without files it is always here, and `origin` says why; `mirrors` are folders that hold all its files."""

    shape: str
    licence: str
    origin: str | None = None
    files: tuple[File, ...] = ()
    mirrors: tuple[str, ...] = ()
    label_names: tuple[str, ...] | None = None
    packed: str | None = None


CATALOGUE: dict[str, Entry] = {
    "digits": Entry(
        shape="1500 + 297 test, 8 x 8",
        licence="CC BY 4.0, ships with scikit-learn",
        origin="scikit-learn",
        label_names=tuple(DIGITS),
    ),
    "tones": Entry(
        shape="6000 + 1000 test, 256 samples at 8 kHz",
        licence="none: synthetic",
        origin="generated",
        label_names=tuple(NOTES),
    ),
    "dates": Entry(
        shape="20000 + 10000 test, 17 letters to 10",
        licence="none: generated",
        origin="generated",
    ),
    "dates-reverse": Entry(
        shape="20000 + 10000 test, 10 letters to 17",
        licence="none: generated",
        origin="generated",
    ),
    "mnist": Entry(
        shape="60000 + 10000 test, 28 x 28",
        licence="CC BY-SA 3.0, as commonly stated",
        label_names=tuple(DIGITS),
        mirrors=(
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ),
        files=(
            File(
                "train-images-idx3-ubyte.gz",
                9912422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                28881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                1648877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                4542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ),
    ),
    "fashion-mnist": Entry(
        shape="60000 + 10000 test, 28 x 28",
        licence="MIT",
        label_names=tuple(GARMENTS),
        mirrors=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        files=(
            File(
                "train-images-idx3-ubyte.gz",
                26421880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            ),
            File(
                "train-labels-idx1-ubyte.gz",
                29515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            ),
            File(
                "t10k-images-idx3-ubyte.gz",
                4422102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            ),
            File(
                "t10k-labels-idx1-ubyte.gz",
                5148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
        ),
    ),
    "binarized-mnist": Entry(
        shape="50000 + 10000 validation + 10000 test, 28 x 28",
        licence="as MNIST",
        packed="binarized_mnist_packed.npz",
        mirrors=("http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",),
        files=(
            File(
                "binarized_mnist_train.amat",
                78400000,
                "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d",
                "727146c35424b019f3e350e1e69faa05644a0abaf787e3f4e1a9632220a13906",
            ),
            File(
                "binarized_mnist_valid.amat",
                15680000,
                "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
                "a256ac44ae26be720fad8616a05ed6ecfd1619930d9a208379bb2a4405df5b6d",
            ),
            File(
                "binarized_mnist_test.amat",
                15680000,
                "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c",
                "9fcd8da6f0fdf09b2ba30fe63a0bb784042a0de82563172530229b983e294ff2",
            ),
        ),
    ),
}
