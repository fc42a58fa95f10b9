"""install.sh of the archive with --root: the tree may be anybody's, and nothing outside of it is touched."""

import shutil

import pytest

import harness
from harness import ROOT

UNITS = ("piccolo.service", "piccolo-agent.service")


@pytest.fixture
def archive(work):
    """As tools/dist makes it, with programs that are none."""
    folder = work / "archive"
    for name in ("bin/piccolo", "share/man/man1/piccolo.1", "share/bash-completion/completions/piccolo",
                 "share/piccolo/piccolo.conf.example", "share/piccolo/policy.conf"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n")
    (folder / "systemd/piccolo.service.d").mkdir(parents=True)
    for source in ROOT.glob("image/systemd/piccolo*.service"):
        shutil.copy(source, folder / "systemd")
    for source in ROOT.glob("image/systemd/piccolo.service.d/*.conf"):
        shutil.copy(source, folder / "systemd/piccolo.service.d")
    shutil.copy(ROOT / "image/tar/install.sh", folder)
    return folder


def install(archive, tree, *options):
    return harness.run(archive / "install.sh", "--root", tree, *options, check=False)


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_it_comes_and_goes(archive, work):
    tree = work / "tree"
    assert install(archive, tree, "--prefix", "/opt/piccolo/").returncode == 0
    found = files_in(tree)
    assert found["opt/piccolo/bin/piccolo"] == "bin/piccolo\n"
    for unit in UNITS:
        assert "ExecStart=/opt/piccolo/bin/piccolo " in found[f"etc/systemd/system/{unit}"]
    (tree / "etc/piccolo/token").write_text("secret")
    (tree / "var/lib/piccolo/agent").mkdir(parents=True)
    assert install(archive, tree, "--prefix", "/opt/piccolo", "--purge").returncode == 0
    assert files_in(tree) == {} and not (tree / "var/lib/piccolo").exists()


@pytest.mark.parametrize("link", ["etc", "usr", "usr/local", "var", "var/lib", "run", "etc/piccolo", "etc/systemd/system"])
@pytest.mark.parametrize("option", ["--only=", "--uninstall", "--purge"])
def test_a_link_leads_out_of_the_tree(archive, work, link, option):
    outside, tree = work / "outside", work / "tree"
    for name in ("piccolo/identity.json", "lib/piccolo/identity.json", "piccolo/policy.conf", "bin/piccolo", "piccolo.service"):
        (outside / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / name).write_text("the host's")
    before = files_in(outside)
    (tree / link).parent.mkdir(parents=True)
    (tree / link).symlink_to(outside)
    done = install(archive, tree, *(["--only", "piccolo"] if option == "--only=" else [option]))
    assert done.returncode == 1 and "leads out of" in done.stderr
    assert files_in(outside) == before


def test_a_link_inside_of_the_tree_is_fine(archive, work):
    tree = work / "tree"
    (tree / "var/usrlocal").mkdir(parents=True)
    (tree / "usr").mkdir()
    (tree / "usr/local").symlink_to("../var/usrlocal")
    assert install(archive, tree).returncode == 0
    assert (tree / "var/usrlocal/bin/piccolo").exists()


@pytest.mark.parametrize("target", ["etc/piccolo/policy.conf", "usr/local/bin/piccolo", "etc/systemd/system/piccolo.service"])
def test_a_link_where_a_file_is_written(archive, work, target):
    tree, victim = work / "tree", work / "victim"
    victim.write_text("the host's")
    (tree / target).parent.mkdir(parents=True)
    (tree / f"{target}.new").symlink_to(victim)
    assert install(archive, tree).returncode == 0
    assert victim.read_text() == "the host's" and (tree / target).is_file()


@pytest.mark.parametrize("prefix", ["opt", "/opt/a b", "/opt/a,e id;", "/opt/&", "/opt/$x"])
def test_a_prefix_that_units_cannot_name(archive, work, prefix):
    done = install(archive, work / "tree", "--prefix", prefix)
    assert done.returncode == 1 and "--prefix" in done.stderr and not (work / "tree").exists()
