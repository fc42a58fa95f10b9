"""The device for other processors: the unit tests of both builds on emulated ones. Minutes of building: PICCOLO_CROSS=1, or
tools/test cross, runs it; what always runs is the look at the list of what the emulator cannot do."""

import os
import pathlib
import re
import shutil

import pytest

from harness import ROOT, run

LIST = ROOT / "tests/cross/skips.txt"
MACHINES = {"arm64": ("aarch64-linux-gnu-gcc", "qemu-aarch64-static"), "armhf": ("arm-linux-gnueabihf-gcc", "qemu-arm-static")}


def listed():
    lines = [line for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return [line.split(" ", 2) for line in lines]


def test_the_list_names_tests_that_are_there_with_reasons():
    assert listed()
    for program, case, *reason in listed():
        layer, name = program.split("_", 1)
        source = pathlib.Path(ROOT / f"tests/unit/{layer}/{name}.c").read_text()
        assert case == "*" or re.search(rf"^static void {case}\(void \*\*state\)$", source, re.M), f"{program} has no {case}"
        assert reason and len(reason[0]) > 10, f"{program} {case}: why?"


@pytest.mark.parametrize("arch", MACHINES)
def test_the_unit_tests_run_on_it(arch):
    if not os.environ.get("PICCOLO_CROSS"):
        pytest.skip("long; tools/test cross runs it")
    for program in MACHINES[arch]:
        if not shutil.which(program):
            pytest.skip(f"{program} is missing: tools/setup dist")
    build = ROOT / f"build/cross-{arch}"
    jobs = str(os.cpu_count() or 1)
    run(ROOT / "tools/sysroot", arch, timeout=600)
    run("cmake", "--preset", "dev", "-S", ROOT, "-B", build, f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/cross/{arch}.cmake", timeout=1200)
    run("cmake", "--build", build, "-j", jobs, timeout=3000)
    said = run("ctest", "--test-dir", build, "-j", jobs, "--timeout", "1500", "--verbose", check=False, timeout=5000)
    skipped = sorted(set(re.findall(r"skipped on this machine: (.+)", said.stdout)))
    print(f"{arch}: not on an emulated processor:", *skipped, sep="\n  ")
    assert said.returncode == 0, "\n".join(line for line in said.stdout.splitlines() if re.search(r"FAILED|LINE|\*\*\*|ERROR", line))
    assert len(skipped) >= len(listed())
