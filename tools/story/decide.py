"""A person at a browser: opens the address of a mail in Chromium, reads the request, presses Approve.

    decide.py ADDRESS [PICTURE.png]    prints what the page says; exit 3: there is no Chromium
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "system"))

import browser  # noqa: E402


def main():
    if not browser.CHROMIUM:
        sys.exit(3)
    with browser.Browser() as tab:
        tab.open(sys.argv[1])
        tab.shows("Approve")
        for line in tab.text().splitlines():
            if line.strip():
                print(line.strip())
        if sys.argv[2:]:
            tab.picture(sys.argv[2])
        tab.press("button[value=approve]")
        tab.shows("Approved by")
        print("--")
        print(next(line for line in tab.text().splitlines() if "Approved by" in line))


main()
