"""The device for other processors, on emulated ones: the unit tests of both builds, then the device beside this machine's hub
(tests/cross/stand_in.c says what the emulator lacks). Minutes of building: PICCOLO_CROSS=1, or tools/test cross, runs it; what
always runs is the look at the list of what the emulator cannot do."""

import os
import pathlib
import re
import shutil
import sys

import pytest

import harness
from harness import BIN, ROOT, run

LIST = ROOT / "tests/cross/skips.txt"
# compiler, emulator, loader
MACHINES = {"arm64": ("aarch64-linux-gnu", "qemu-aarch64-static", "ld-linux-aarch64.so.1"),
            "armhf": ("arm-linux-gnueabihf", "qemu-arm-static", "ld-linux-armhf.so.3")}
# Of the system tests, those whose device is two programs started apart: the emulator cannot run what a program executes.
STORY = {"test_story.py": "moves_the_module or delete_leaves_nothing",
         "test_agent.py": "killed_agent or killed_supervisor or all_killed_at_once"}


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


@pytest.fixture(scope="module", params=MACHINES)
def built(request):
    """The folder of the build for a machine, and the machine."""
    arch = request.param
    if not os.environ.get("PICCOLO_CROSS"):
        pytest.skip("long; tools/test cross runs it")
    triplet, emulator, _ = MACHINES[arch]
    for program in (f"{triplet}-gcc", emulator):
        if not shutil.which(program):
            pytest.skip(f"{program} is missing: tools/setup dist")
    build = ROOT / f"build/cross-{arch}"
    run(ROOT / "tools/sysroot", arch, timeout=600)
    run("cmake", "--preset", "dev", "-S", ROOT, "-B", build, f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/cross/{arch}.cmake", timeout=1200)
    run("cmake", "--build", build, "-j", os.cpu_count() or 1, timeout=3000)
    return build, arch


def test_the_unit_tests_run_on_it(built):
    build, arch = built
    said = run("ctest", "--test-dir", build, "-j", os.cpu_count() or 1, "--verbose", check=False, timeout=5000)
    skipped = sorted(set(re.findall(r"skipped on this machine: (.+)", said.stdout)))
    print(f"{arch}: not on an emulated processor:", *skipped, sep="\n  ")
    assert said.returncode == 0, "\n".join(line for line in said.stdout.splitlines() if re.search(r"FAILED|LINE|\*\*\*|ERROR", line))
    assert len(skipped) >= len(listed())


def emulated(build, arch, folder):
    """A folder of programs: the device's for the other machine, the hub's for this one."""
    triplet, emulator, loader = MACHINES[arch]
    sysroot = ROOT / "build/sysroot" / arch
    for name in ("piccolo-hub", "piccoloctl"):
        (folder / name).symlink_to(BIN / name)
    (folder / "piccolo").write_text(
        f"#!/bin/sh\nexec {shutil.which(emulator)} -E LD_PRELOAD={build}/tests/libstand_in.so {sysroot}/lib/{loader} "
        f'--library-path {sysroot}/lib/{triplet}:{sysroot}/usr/lib/{triplet} {build}/bin/piccolo "$@"\n')
    (folder / "piccolo").chmod(0o755)
    return folder


def test_the_device_lives_on_it(built, tmp_path):
    """It joins, serves, moves, is killed in each part and heals, removes and leaves nothing."""
    build, arch = built
    used = harness.walkable(tmp_path) / "used"
    used.touch()
    used.chmod(0o666)
    (tmp_path / "bin").mkdir()
    place = emulated(build, arch, tmp_path / "bin")
    for file, cases in STORY.items():
        said = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ROOT / "tests/system" / file,
                   "-k", cases, check=False, timeout=600, env={"PICCOLO_BIN": str(place), "PICCOLO_STAND_IN_LOG": str(used)})
        assert said.returncode == 0, said.stdout + said.stderr
        assert re.search(rf"^{cases.count(' or ') + 1} passed", said.stdout, re.M), said.stdout
    print(f"{arch}: stood in for:", *sorted(set(used.read_text().split())))
