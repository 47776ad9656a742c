"""llama.cpp's sources out of llama-cpp-python's package on PyPI: fetch.py FOLDER. Prints where they are."""

import hashlib
import sys
import tarfile
import urllib.request
from pathlib import Path

VERSION = "0.3.36"
HASH = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
URL = (
    "https://files.pythonhosted.org/packages/ec/e9/e7de2b0463ea3ffbf0ede6cb21b58c1258a8f6521aae45ca773a59fe7cf3/"
    f"llama_cpp_python-{VERSION}.tar.gz"
)


def main():
    folder = Path(sys.argv[1])
    package = folder / "llama-cpp-python.tar.gz"
    if not package.exists() or hashlib.sha256(package.read_bytes()).hexdigest() != HASH:
        urllib.request.urlretrieve(URL, package)
    if hashlib.sha256(package.read_bytes()).hexdigest() != HASH:
        raise SystemExit(f"{package} is not the package that is pinned here")
    with tarfile.open(package) as all:
        all.extractall(folder, filter="data")
    print(folder / f"llama_cpp_python-{VERSION}" / "vendor" / "llama.cpp")


main()
