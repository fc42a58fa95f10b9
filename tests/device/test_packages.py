"""What `make dist` hands out: looked over by Debian's own tools, installed, used, upgraded and removed on a machine of its own.

The files are those in $PICCOLO_DIST, or tools/dist makes them now."""

import functools
import hashlib
import json
import os
import pathlib
import re

import pytest

import harness
from harness import ROOT, run, wait
from machine import Machine
from test_systemd import Box

PROGRAMS = ("piccolo", "piccolo-hub", "piccoloctl")
UNITS = ("piccolo.service", "piccolo-agent.service")
SYSEXT_MAX = 1_000_000
# What a machine writes while it runs, whoever installed what; and what dpkg itself remembers of packages that are gone.
PASSING = re.compile(r"/(proc|sys|dev|run|tmp)(/|$)|/var/(log|cache|tmp)/|/var/lib/(dpkg|systemd|apt)/|/etc/(passwd-|group-|g?shadow-|subuid-?|"
                     r"subgid-?|\.pwd\.lock|\.updated|ld\.so\.cache|machine-id|resolv\.conf)|/root/|/var/\.updated")


@functools.cache
def made():
    """The folder with the files, and their names by what they are."""
    out = os.environ.get("PICCOLO_DIST")
    if not out:
        out = ROOT / "build/dist"
        run(ROOT / "tools/dist", timeout=1200)
    return pathlib.Path(out)


def only(pattern):
    found = sorted(made().glob(pattern))
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


def deb(program):
    return only(f"{program}_*_amd64.deb")


def version():
    return re.search(r'PIC_VERSION "(.+)"', (ROOT / "src/base/version.h").read_text())[1]


# -- the files themselves


@pytest.mark.parametrize("program", PROGRAMS)
def test_lintian_has_no_complaint(program):
    said = run("lintian", "--fail-on", "error,warning", deb(program), check=False, timeout=120)
    assert said.returncode == 0 and said.stdout == "", said.stdout + said.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_override_of_lintian_is_needed_and_has_a_reason(program):
    said = run("lintian", "--display-info", "--show-overrides", "--tags", "unused-override,mismatched-override", deb(program)).stdout
    assert said == ""
    lines = (ROOT / f"image/deb/{program}/lintian-overrides").read_text().split("\n\n")
    assert all(part.startswith("#") for part in lines), lines


def test_the_extension_is_small_and_fits_any_system(tmp_path):
    image = only("piccolo-*-x86-64.raw")
    assert image.name == f"piccolo-{version()}-x86-64.raw"
    assert image.stat().st_size <= SYSEXT_MAX
    run("unsquashfs", "-d", tmp_path / "out", image)
    release = (tmp_path / "out/usr/lib/extension-release.d/extension-release.piccolo").read_text().split()
    assert release == ["ID=_any", "ARCHITECTURE=x86-64", "EXTENSION_RELOAD_MANAGER=1"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"usr"}  # nothing else is merged
    assert not (tmp_path / "out/usr/sbin").exists()  # would hide Flatcar's
    assert all(path.lstat().st_uid == 0 for path in (tmp_path / "out").rglob("*"))


def test_the_device_for_arm64_is_made_and_starts(tmp_path):
    """On an emulated processor: what needs this kernel's seccomp or mounts is not tried there (docs/install.md)."""
    if not list(made().glob("piccolo_*_arm64.deb")):
        run(ROOT / "tools/dist", "--arch", "arm64", "--out", made(), timeout=1800)
    said = run("lintian", "--fail-on", "error,warning", only("piccolo_*_arm64.deb"), check=False, timeout=120)
    assert said.returncode == 0 and said.stdout == "", said.stdout + said.stderr
    run("unsquashfs", "-d", tmp_path / "out", only("piccolo-*-arm64.raw"))
    assert "ARCHITECTURE=arm64" in (tmp_path / "out/usr/lib/extension-release.d/extension-release.piccolo").read_text().split()
    program = tmp_path / "out/usr/bin/piccolo"
    assert "AArch64" in run("readelf", "-hW", program).stdout and program.stat().st_size <= 1_600_000
    emulated = ["qemu-aarch64-static", "-L", ROOT / "build/sysroot/arm64", program]
    assert run(*emulated, "--version").stdout.split()[1] == version()
    module = run(*emulated, "wasm", "inspect", harness.MODULE).stdout
    assert module == run(harness.BIN / "piccolo", "wasm", "inspect", harness.MODULE).stdout != ""


def test_the_sums_are_right():
    run("sh", "-c", f"cd '{made()}' && sha256sum --check --strict --quiet SHA256SUMS")
    listed = {line.split()[1] for line in (made() / "SHA256SUMS").read_text().splitlines()}
    assert listed == {path.name for path in made().iterdir()} - {"SHA256SUMS"}


def test_the_list_of_contents_names_what_is_inside(tmp_path):
    document = json.loads(only("piccolo-*-amd64.spdx.json").read_text())
    assert document["spdxVersion"] == "SPDX-2.3"
    packages = {package["name"]: package for package in document["packages"]}
    for line in (ROOT / "third_party/lock").read_text().splitlines()[1:]:
        assert line.split()[0] in packages
    assert all(package["licenseConcluded"] for package in packages.values())
    for program in PROGRAMS:
        run("dpkg-deb", "-x", deb(program), tmp_path / program)
        inside = hashlib.sha256((tmp_path / program / "usr/bin" / program).read_bytes()).hexdigest()
        assert packages[program]["checksums"] == [{"algorithm": "SHA256", "checksumValue": inside}]
        needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-dW", tmp_path / program / "usr/bin" / program).stdout)
        linked = [rel for rel in document["relationships"]
                  if rel["spdxElementId"] == f"SPDXRef-{program}" and rel["relationshipType"] == "DYNAMIC_LINK"]
        assert linked and len(linked) <= len(needed)


def test_no_file_names_the_machine_that_built_it(tmp_path):
    for program in PROGRAMS:
        run("dpkg-deb", "-x", deb(program), tmp_path)
    run("tar", "-xf", only("piccolo-*-linux-amd64.tar.xz"), "-C", tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert str(ROOT).encode() not in path.read_bytes(), path


def test_two_builds_in_two_folders_are_the_same_bytes(tmp_path):
    """The whole way, outside libraries too, from a second checkout of the same commit at another path."""
    if run("git", "-C", ROOT, "status", "--porcelain", check=False).stdout != "":
        pytest.skip("this checkout has changes that are not committed: a second one of the same commit is another source")
    other = tmp_path / "another" / "place"
    run("git", "clone", "--quiet", ROOT, other)
    sources = os.environ.get("PICCOLO_SOURCES", ROOT / "build/third_party/src")
    run(other / "tools/dist", env={"PICCOLO_SOURCES": str(sources), "CCACHE_DISABLE": "1"}, timeout=1800)
    ours, theirs = ((folder / "SHA256SUMS").read_text().splitlines() for folder in (made(), other / "build/dist"))
    assert set(theirs) <= set(ours) and len(theirs) >= 7


# -- installed


def picture(box):
    """Everything that could be left: files, users, control groups, processes of the product, mounts, programs in the kernel."""
    command = "find / -xdev -printf '%p %y %U %m\\n'"
    files = {line for line in box.run("sh", "-c", command).stdout.splitlines() if not PASSING.match(line)}
    facts = {"files": files}
    for what, words in {"users": "cut -d: -f1,3 /etc/passwd", "groups": "cut -d: -f1,3 /etc/group",
                        "mounts": "cut -d' ' -f5 /proc/self/mountinfo",
                        "helper": "find /var/lib/systemd/deb-systemd-helper-* -mindepth 1 -name '*piccolo*'",
                        "runtime": "find /run -path '*piccolo*' -not -path '/run/systemd/*'",
                        "processes": "ps -eo args= | grep -i '[p]iccolo'",
                        "cgroups": "find /sys/fs/cgroup -type d -path '*piccolo*' -not -path '*/init.scope*'"}.items():
        facts[what] = set(box.run("sh", "-c", f"{words} 2>/dev/null || true").stdout.splitlines())
    return facts


def assert_same(before, after):
    for what, then in before.items():
        new, gone = after[what] - then, then - after[what]
        assert not new and not gone, f"{what}: new {sorted(new)[:20]}, gone {sorted(gone)[:20]}"


def cgroups_gone(box):
    return not box.run("sh", "-c", "find /sys/fs/cgroup -type d -path '*piccolo.service*'", check=False).stdout


class Installed(Box):
    def bring(self, path):
        self.copy(path, f"/var/cache/{path.name}", 0o644)
        return f"/var/cache/{path.name}"

    def dpkg(self, *words):
        return self.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *words, timeout=120)


def newer(path, folder):
    """The same package as the next version."""
    run("dpkg-deb", "-R", path, folder)
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*", f"Version: {version()}+next", control.read_text(), flags=re.M))
    out = folder.with_suffix(".deb")
    run("dpkg-deb", "--root-owner-group", "-b", folder, out)
    return out


@pytest.fixture(scope="module")
def hub(place):
    with harness.Hub(place / "hub") as running:
        running.push()
        yield running


@pytest.fixture
def box(tmp_path_factory):
    folder = harness.walkable(tmp_path_factory.mktemp("packages"))
    with Installed(folder / "box") as machine:
        (machine.root / "usr/lib/systemd/system-preset/89-nothing.preset").unlink()  # as a person's Debian is
        yield machine.boot()


def join_and_serve(box, hub, name):
    box.join(hub, name)
    box.run("systemctl", "restart", *UNITS)
    hub.deploy(harness.server(), name=name, to=name)
    return box.serves()


def test_the_device_is_installed_used_upgraded_and_purged(box, hub, tmp_path):
    before = picture(box)
    box.dpkg("-i", box.bring(deb("piccolo")))
    assert box.show("piccolo.service", "ActiveState", "UnitFileState") == {"ActiveState": "active", "UnitFileState": "enabled"}
    assert box.show("piccolo-agent.service", "UnitFileState") == {"UnitFileState": "enabled"}
    assert box.run("piccolo", "--version").stdout.split()[1] == version()

    pid = join_and_serve(box, hub, "packaged")
    mains = {unit: box.main_pid(unit) for unit in UNITS}
    policy = "# mine\n" + box.path("/etc/piccolo/policy.conf").read_text()
    box.write("/etc/piccolo/policy.conf", policy)
    box.dpkg("-i", box.bring(newer(deb("piccolo"), tmp_path / "next")))
    for unit in UNITS:
        assert box.active(unit) not in (None, mains[unit]), unit
    assert box.serves() == pid
    assert box.path("/etc/piccolo/policy.conf").read_text() == policy

    box.dpkg("--purge", "piccolo")
    wait(lambda: cgroups_gone(box), 10, "the control groups are gone")
    with pytest.raises(OSError):
        harness.http_get(8085)
    assert_same(before, picture(box))


def test_a_removed_device_ends_its_workloads_and_comes_back_as_itself(box, hub):
    box.dpkg("-i", box.bring(deb("piccolo")))
    pid = join_and_serve(box, hub, "returns")
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "piccolo.service")  # also right after a crash
    box.dpkg("--remove", "piccolo")
    assert box.run("ps", "-p", str(pid), check=False).returncode != 0
    assert box.path("/var/lib/piccolo/agent").exists() and box.path("/etc/piccolo/policy.conf").exists()
    box.dpkg("-i", box.bring(deb("piccolo")))
    assert box.serves() != pid  # joined still, and told what to run
    box.run("systemctl", "disable", "piccolo.service")
    box.dpkg("-i", box.bring(deb("piccolo")))
    assert box.show("piccolo.service", "UnitFileState") == {"UnitFileState": "disabled"}, "what a person has disabled stays so"


def test_a_removal_with_the_supervisor_stopped_leaves_no_workload(box, hub):
    box.dpkg("-i", box.bring(deb("piccolo")))
    pid = join_and_serve(box, hub, "stopped")
    box.run("systemctl", "stop", *UNITS)
    assert box.run("ps", "-p", str(pid), check=False).returncode == 0
    box.dpkg("--purge", "piccolo")
    assert box.run("ps", "-p", str(pid), check=False).returncode != 0


def test_the_hub_is_installed_asked_for_and_purged(box):
    before = picture(box)
    box.dpkg("-i", box.bring(deb("piccolo-hub")), box.bring(deb("piccoloctl")))
    assert box.show("piccolo-hub.service", "ActiveState", "UnitFileState") == {
        "ActiveState": "inactive", "UnitFileState": "disabled"}, "nobody has asked for it"
    box.write("/etc/piccolo/hub.conf", "listen = 0.0.0.0:18443\n")
    box.run("systemctl", "enable", "--now", "piccolo-hub")
    token = box.path("/var/lib/piccolo-hub/admin.token")
    assert token.stat().st_mode & 0o777 == 0o600
    assert box.run("curl", "-sk", "https://127.0.0.1:18443/readyz").stdout
    assert box.run("stat", "-c", "%U %a", "/var/lib/piccolo-hub").stdout == "piccolo-hub 700\n"
    old = box.main_pid("piccolo-hub.service")
    box.dpkg("-i", box.bring(deb("piccolo-hub")))
    assert box.active("piccolo-hub.service") not in (None, old)
    box.dpkg("--purge", "piccolo-hub", "piccoloctl")
    assert_same(before, picture(box))


def test_systemd_has_no_complaint_about_the_packages(box):
    box.dpkg("-i", *(box.bring(deb(program)) for program in PROGRAMS))
    for unit, most in (("piccolo.service", 7.2), ("piccolo-agent.service", 3.0), ("piccolo-hub.service", 2.0)):
        said = box.run("systemd-analyze", "verify", "--man=no", unit, check=False)
        assert (said.returncode, said.stdout + said.stderr) == (0, ""), unit
        said = box.run("systemd-analyze", "security", "--no-pager", unit).stdout
        assert float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1]) <= most, said


# -- without dpkg


def test_the_tar_is_installed_used_and_purged(box, hub, tmp_path):
    run("sh", "-c", f"xz -dc '{only('piccolo-*-linux-amd64.tar.xz')}' | tar -xf - -C {box.root}/var/cache")
    installer = f"/var/cache/piccolo-{version()}-linux-amd64/install.sh"
    box.run("ln", "-s", "/usr/local/bin/piccolo", "/usr/bin/piccolo")  # the commands of these tests search there alone
    before = picture(box)
    said = box.run(installer).stdout
    assert "the hub is not started" in said
    pid = join_and_serve(box, hub, "tarred")
    main = box.main_pid("piccolo.service")
    box.run(installer)  # again, as an upgrade
    assert box.active("piccolo.service") not in (None, main) and box.serves() == pid
    box.run(installer, "--uninstall")
    assert box.run("ps", "-p", str(pid), check=False).returncode != 0
    assert not box.path("/usr/local/bin/piccolo").exists() and box.path("/var/lib/piccolo/agent").exists()
    box.run(installer)
    box.serves()
    box.run(installer, "--purge")
    wait(lambda: cgroups_gone(box), 10, "the control groups are gone")
    assert_same(before, picture(box))


def test_the_tar_works_where_no_systemd_runs(tmp_path_factory):
    folder = harness.walkable(tmp_path_factory.mktemp("plain"))
    with Machine(folder / "box") as box:  # not booted: a root without any init
        run("tar", "-xf", only("piccolo-*-linux-amd64.tar.xz"), "-C", box.root / "opt")
        installer = f"/opt/piccolo-{version()}-linux-amd64/install.sh"

        def inside(*words):
            return run("chroot", box.root, "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin", *words)

        before = {path for path in box.root.rglob("*") if "opt" not in path.parts}
        said = inside(installer, "--only", "piccolo").stdout
        assert "no systemd runs here" in said and "/usr/local/bin/piccolo" in said
        assert inside("/usr/local/bin/piccolo", "--version").stdout.split()[1] == version()
        assert "piccolo:" in (box.root / "etc/passwd").read_text()
        assert (box.root / "etc/piccolo/policy.conf").exists()
        inside(installer, "--only", "piccolo", "--purge")
        left = {path for path in box.root.rglob("*") if "opt" not in path.parts} - before
        left = {path for path in left if not PASSING.match("/" + str(path.relative_to(box.root)))}
        assert not {path for path in left if "piccolo" in str(path.relative_to(box.root))}, left
        assert "piccolo" not in (box.root / "etc/passwd").read_text()
