"""First boots: what real Ignition makes of our configs, how the hub serves them, how a machine becomes a device.
`ignition-validate` and the program of the initramfs are Debian's."""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import ssl
import stat
import subprocess

import pytest

import harness
from hub_client import Background, Identity, apply_app, as_json, request

IGNITION = pathlib.Path("/usr/lib/dracut/modules.d/30ignition/ignition")
MACHINE = "piccolo-0.1.0-x86-64.raw"

pytestmark = pytest.mark.skipif(not IGNITION.exists() or not shutil.which("ignition-validate"),
                                reason="the package `ignition` is not installed")


# real Ignition

def validate(path):
    """Its exit status, and everything it says."""
    done = harness.run("ignition-validate", path, check=False)
    return done.returncode, done.stdout + done.stderr


def ignite(root, work, config=None, cmdline=None, authority=None, stages=("fetch", "files")):
    """Runs it on a folder, as the initramfs runs it on the new root: with a config of the platform, or with the
    kernel's arguments. Answers the last run: a failed fetch keeps the rest from running."""
    (root / "etc" / "selinux").mkdir(parents=True, exist_ok=True)
    (root / "etc" / "selinux" / "config").write_text("SELINUXTYPE=none\n")  # Debian built it with SELinux
    tools = work / "tools"
    tools.mkdir(exist_ok=True)
    if not (tools / "setfiles").exists():
        (tools / "setfiles").symlink_to("/bin/true")
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
    if config:
        environment["IGNITION_CONFIG_FILE"] = str(config)
    if authority:
        environment["SSL_CERT_FILE"] = str(authority)
    prefix = []
    if cmdline:
        (work / "cmdline").write_text(cmdline + "\n")
        prefix = ["unshare", "-m", "sh", "-c", f'mount --bind {work}/cmdline /proc/cmdline && exec "$@"', "sh"]
    for stage in stages:
        done = harness.run(*prefix, IGNITION, f"--platform={'metal' if cmdline else 'file'}", f"--root={root}",
                           f"--config-cache={work}/cache.json", f"--state-file={work}/state", f"--neednet={work}/neednet",
                           "--log-to-stdout", f"--stage={stage}", check=False, env=environment, timeout=150)
        if done.returncode:
            break
    return done


def authority_of(hub, work):
    path = work / "authority.pem"
    path.write_text(request(hub.port, "GET", "/device/v1/authority")[2].decode())
    return path


@pytest.fixture
def root(work):
    path = work / "root"
    path.mkdir()
    return path


@pytest.fixture
def parts(work):
    """What an operator has: an extension, a network file, a key, a config of the house."""
    (work / MACHINE).write_bytes(os.urandom(50000))
    (work / "10-lan.network").write_text("[Match]\nName=en*\n\n[Network]\nDHCP=yes\n")
    (work / "me.pub").write_text("# mine\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm me@desk\n")
    (work / "house.json").write_text(json.dumps({
        "ignition": {"version": "3.3.0"},
        "storage": {"files": [{"path": "/etc/motd", "mode": 420, "contents": {"source": "data:,ours%0A"}}]},
        "systemd": {"units": [{"name": "update-engine.service", "mask": True}]}}))
    return work


def all_parts(parts):
    return ["--extension", parts / MACHINE, "--network", parts / "10-lan.network", "--ssh-key", parts / "me.pub",
            "--merge", parts / "house.json"]


def make_config(hub, work, *options, name="tiny-edge", file="config.json"):
    path = work / file
    hub.ctl("ignition", name, "--to", path, *options)
    return path


def file_in(config, path):
    for entry in config["storage"]["files"]:
        if entry["path"] == path:
            return entry
    raise KeyError(path)


def data_of(entry):
    return base64.b64decode(entry["contents"]["source"].split(",", 1)[1]).decode()


def token_in(config):
    return data_of(file_in(config, "/etc/piccolo/token"))


def fetch(hub, path, key=None):
    status, headers, body = request(hub.port, "GET", path, headers={"Authorization": key} if key else {})
    return status, headers, json.loads(body) if body else None


def key_of(pointer):
    [header] = pointer["ignition"]["config"]["replace"]["httpHeaders"]
    return header["value"]


# the config

def test_our_configs_validate_without_a_word(hub, parts):
    for number, options in enumerate(([], all_parts(parts), ["--pointer"], ["--pointer", *all_parts(parts)])):
        path = make_config(hub, parts, *options, file=f"{number}.json")
        assert validate(path) == (0, ""), options
        assert harness.run(harness.BIN / "piccoloctl", "ignition", "validate", path).stdout == ""
        assert stat.S_IMODE(path.stat().st_mode) == 0o600  # there is a secret in it


def test_real_ignition_applies_it(hub, parts, root):
    config = make_config(hub, parts, *all_parts(parts))
    done = ignite(root, parts, config=config)
    assert done.returncode == 0, done.stdout[-2000:]
    image = root / "opt/extensions/piccolo" / MACHINE
    assert image.read_bytes() == (parts / MACHINE).read_bytes()  # from the hub, with the key, its hash checked
    assert os.readlink(root / "etc/extensions/piccolo.raw") == f"/opt/extensions/piccolo/{MACHINE}"
    conf = (root / "etc/piccolo/piccolo.conf").read_text()
    assert f"hub = {hub.url}\n" in conf and "target = tiny-edge\n" in conf and "ca-pin = sha256:" in conf
    token = root / "etc/piccolo/token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600 and token.read_text().startswith("pice_")
    assert token.read_text() not in conf
    assert (root / "etc/systemd/network/10-lan.network").read_text() == (parts / "10-lan.network").read_text()
    assert (root / "etc/motd").read_text() == "ours\n"
    presets = (root / "etc/systemd/system-preset/20-ignition.preset").read_text()
    assert "enable piccolo.service" in presets and "enable piccolo-agent.service" in presets
    assert os.readlink(root / "etc/systemd/system/update-engine.service") == "/dev/null"


def test_a_pointer_brings_authority_and_key(hub, parts, root):
    """As in fw_cfg or user data: nothing on the machine knows the hub's authority."""
    pointer = make_config(hub, parts, "--pointer", *all_parts(parts))
    assert "pice_" not in pointer.read_text()
    done = ignite(root, parts, config=pointer)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (root / "opt/extensions/piccolo" / MACHINE).read_bytes() == (parts / MACHINE).read_bytes()
    assert (root / "etc/piccolo/token").read_text().startswith("pice_")


def test_a_wrong_extension_fails_the_boot(hub, parts, root):
    config = json.loads(make_config(hub, parts, "--extension", parts / MACHINE).read_text())
    image = file_in(config, f"/opt/extensions/piccolo/{MACHINE}")
    image["contents"]["verification"]["hash"] = "sha512-" + "0" * 128
    (parts / "wrong.json").write_text(json.dumps(config))
    done = ignite(root, parts, config=parts / "wrong.json")
    assert done.returncode != 0 and "hash verification failed" in done.stdout
    assert not (root / "opt/extensions/piccolo" / MACHINE).exists()


def test_an_extension_by_its_address(hub, parts):
    url = f"https://example.org/{MACHINE}"
    refused = hub.ctl("ignition", "tiny-edge", "--extension", url, check=False)
    assert refused.returncode == 2 and "--extension-hash" in refused.stderr
    config = json.loads(make_config(hub, parts, "--extension", url, "--extension-hash", "sha512-" + "1" * 128).read_text())
    contents = file_in(config, f"/opt/extensions/piccolo/{MACHINE}")["contents"]
    assert contents["source"] == url and "httpHeaders" not in contents  # our key is for our hub only


@pytest.mark.parametrize("option,content,sentence", [
    ("--merge", "{}", "bad: ignition.version: is missing"),
    ("--merge", '{"ignition":{"version":"2.2.0"}}', "2.2.0 is the old form"),
    ("--merge", '{"ignition":{"version":"9.0.0"}}', "9.0.0 is not known here"),
    ("--merge", '{"ignition":{"version":"3.3.0","config":{"replace":{"source":"https://a/b"}}}}', "cannot be merged"),
    ("--ssh-key", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "no public key"),
    ("--network", "DHCP=yes\n", "does not end in .network"),
    ("--extension", "x", "is not named like piccolo.raw"),
])
def test_bad_parts_get_a_sentence(hub, work, option, content, sentence):
    (work / "bad").write_text(content)
    done = hub.ctl("ignition", "tiny-edge", option, work / "bad", check=False)
    assert done.returncode == 1 and sentence in done.stderr and done.stdout == ""


def test_a_part_that_is_no_config_is_refused(hub):
    """By the hub itself: merged into another it would look like one."""
    head = {"ignition": {"version": "3.3.0"}}
    for number, wrong in enumerate(({"storage": {"files": {"a": 1}}}, {"storage": "x"}, {"systemd": [1]}, 7)):
        part = {**head, **wrong} if isinstance(wrong, dict) else wrong
        status, answer = hub.api("POST", "/piccolo/v1/devices/tiny-edge/ignition", body={
            "network": {"name": "a.network", "text": "[Match]"}, "merge": [head, part]})
        assert status == 400 and "merge[1]" in json.dumps(answer), (number, answer)


# a second opinion

AGREED = [
    ({"storage": {"files": [{"path": "etc/a"}]}}, False),
    ({"storage": {"files": [{"path": "/a"}], "links": [{"path": "/a", "target": "/b"}]}}, False),
    ({"storage": {"files": [{"path": "/a"}, {"path": "/a"}]}}, False),
    ({"storage": {"links": [{"path": "/a"}]}}, False),
    ({"storage": {"files": [{"path": "/a", "contents": {"source": "ftp://x/y"}}]}}, False),
    ({"storage": {"files": [{"path": "/a", "contents": {"source": "data:,", "verification": {"hash": "sha512-1"}}}]}}, False),
    ({"storage": {"files": [{"path": "/a", "mode": 4096}]}}, False),
    ({"storage": {"files": [{"path": "/a", "mode": "420"}]}}, False),
    ({"storage": {"files": [{"path": "/a", "overwrite": True}]}}, False),
    ({"storage": {"files": [{"path": "/a", "contents": {"source": "data:,", "compression": "xz"}}]}}, False),
    ({"storage": {"files": [{"path": "/a", "user": {"id": 1, "name": "a"}}]}}, False),
    ({"storage": {"directories": [{"path": "/d"}], "links": [{"path": "/a", "target": "/d", "hard": True}]}}, False),
    ({"storage": {"files": [{"path": "/a/b"}], "links": [{"path": "/a", "target": "/c"}]}}, False),
    ({"storage": {"disks": [{"device": "/dev/a", "partitions": [{"number": 1}, {"number": 1}]}]}}, False),
    ({"storage": {"raid": [{"name": "r", "level": "raid7", "devices": ["/dev/a"]}]}}, False),
    ({"storage": {"filesystems": [{"device": "/dev/a", "format": "ntfs"}]}}, False),
    ({"storage": {"luks": [{"name": "a/b", "device": "/dev/a"}]}}, False),
    ({"systemd": {"units": [{"name": "a"}]}}, False),
    ({"systemd": {"units": [{"name": "a.service", "dropins": [{"name": "x"}]}]}}, False),
    ({"passwd": {"users": [{"name": "a"}, {"name": "a"}]}}, False),
    ({"kernelArguments": {"shouldExist": ["a"], "shouldNotExist": ["a"]}}, False),
    ({"ignition": {"version": "3.4.0"}}, None),  # newer than Debian's
    ({"ignition": {"version": "2.2.0"}}, False),
    ({"ignition": {"version": "3.9.0"}}, False),
    ({}, True),
    ({"networkd": {}}, True),
    ({"systemd": {"units": [{"name": "sshd.service", "enable": True}]}}, True),
    ({"storage": {"files": [{"path": "/a", "mode": 272}]}}, True),
    ({"storage": {"files": [{"path": "/a", "append": [{"source": "data:,"}, {"source": "data:,"}]}]}}, True),
    ({"storage": {"filesystems": [{"device": "/dev/a", "format": "none"}]}}, True),
]


def test_we_and_ignition_agree(work):
    """What real Ignition refuses we call an error, and nothing else."""
    path = work / "config.json"
    for config, wanted in AGREED:
        path.write_text(json.dumps({"ignition": {"version": "3.3.0"}, **config}))
        ours = harness.run(harness.BIN / "piccoloctl", "ignition", "validate", path, check=False)
        if wanted is not None:
            assert (validate(path)[0] == 0) == wanted, (config, validate(path))
        assert (ours.returncode == 0) == (wanted is not False), (config, ours.stdout)
        assert all(line.startswith(("error: ", "warning: ")) for line in ours.stdout.splitlines())


def test_the_sentence_of_each_mistake(work):
    """In the manner of the samples that validated and did not work."""
    unit = "[Unit]\n[Service]\nExecStartPre=/usr/lib/systemd/systemd-sysupdate -C piccolo update\nExecStart=/bin/true\n"
    path = work / "sample.json"
    path.write_text(json.dumps({
        "ignition": {"version": "3.3.0"}, "networkd": {"units": []},
        "storage": {
            "files": [{"path": "/opt/extensions/wasm/wasm-1.2.raw", "mode": 272, "contents": {"source": "https://a.example/w"}}],
            "links": [{"path": "/user/lib/systemd/system/piccolo.service",
                       "target": "/etc/systemd/system/multi-user.target.wants/piccolo.service"},
                      {"path": "/etc/extensions/wasm-1.2.raw", "target": "/opt/extensions/wasm/wasm-1.2.raw"}]},
        "systemd": {"units": [{"name": "sshd.service", "enable": True},
                              {"name": "update.service", "contents": unit},
                              {"name": "update.timer", "contents": "[Timer]\nOnCalendar=minutely\n[Install]\nWantedBy=timers.target\n"}]}}))
    assert validate(path)[0] == 0
    done = harness.run(harness.BIN / "piccoloctl", "ignition", "validate", path)
    for sentence in ("warning: networkd: is no key of spec 3.3.0", "warning: storage.files[0].mode: 272 is mode 0420",
                     "warning: storage.files[0].contents.verification: is missing",
                     "warning: storage.links[0]: path and target are swapped",
                     "warning: storage.links[1].path: the name in /etc/extensions must be",
                     'warning: systemd.units[0].enable: is no key of spec 3.3.0 and is ignored: write "enabled"',
                     "warning: systemd.units[1]: systemd-sysupdate -C piccolo fails without",
                     "warning: systemd.units[2]: asks the server every minute", "warning: systemd.units[2]: has an [Install]"):
        assert sentence in done.stdout, done.stdout
    path.write_text("")
    empty = harness.run(harness.BIN / "piccoloctl", "ignition", "validate", path, check=False)
    assert empty.returncode == 1 and "the file is empty" in empty.stdout and validate(path)[0] == 1
    found = json.loads(harness.run(harness.BIN / "piccoloctl", "ignition", "validate", "-o", "json", path, check=False).stdout)
    assert found["valid"] is False and found["findings"][0]["severity"] == "error"


# the hub as a server

def test_nothing_is_given_to_who_just_asks(hub):
    """Not ready, unknown and closed look the same, and Ignition asks again."""
    hub.ctl("device", "create", "tiny-edge", "--mac", "52:54:00:12:34:56")
    answers = [fetch(hub, path) for path in ("/ignition/tiny-edge", "/ignition/none", "/ignition?target=tiny-edge",
                                              "/ignition?mac=52:54:00:12:34:56", "/ignition")]
    for status, headers, body in answers:
        assert status == 503 and int(headers["Retry-After"]) > 0
        assert body == answers[0][2] and "pice_" not in json.dumps(body)


def test_a_window_opens_and_closes(hub, work):
    hub.ctl("device", "create", "tiny-edge", "--ignition-for", "1m")
    status, headers, config = fetch(hub, "/ignition/tiny-edge")
    assert status == 200 and headers["Content-Type"] == "application/vnd.coreos.ignition+json;version=3.3.0"
    assert headers["Cache-Control"] == "no-store" and "Content-Encoding" not in headers
    second = fetch(hub, "/ignition/tiny-edge")[2]  # a client that asks twice gets a token twice
    edge = Identity(hub, work / "edge", "tiny-edge")
    assert edge.try_join(token_in(second))[0] == 200
    again = edge.try_join(token_in(second))
    assert again[0] == 403 and "was used at" in as_json(again)["error"]
    assert edge.try_join(token_in(config))[0] == 403  # the others end with it
    assert fetch(hub, "/ignition/tiny-edge")[0] == 503  # and the window too
    hub.ctl("device", "create", "other", "--ignition-for", "1s")
    harness.wait(lambda: fetch(hub, "/ignition/other")[0] == 503, 10, "the window closes by itself")


def test_never_compressed(hub):
    hub.ctl("device", "create", "tiny-edge", "--ignition-for", "1m")
    status, headers, body = request(hub.port, "GET", "/ignition/tiny-edge", headers={"Accept-Encoding": "gzip, br"})
    assert status == 200 and "Content-Encoding" not in headers and body.startswith(b"{")


def test_by_labels(hub):
    hub.ctl("device", "create", "one", "--mac", "52:54:00:12:34:56", "--label", "rack=3", "--ignition-for", "1m")
    hub.ctl("device", "create", "two", "--uuid", "ABCD-1", "--serial", "S2", "--label", "rack=3", "--ignition-for", "1m")

    def who(query):
        status, _, config = fetch(hub, f"/ignition?{query}")
        return data_of(file_in(config, "/etc/piccolo/piccolo.conf")).split("target = ")[1].split("\n")[0] if status == 200 else status

    assert who("mac=52-54-00-12-34-56") == "one"  # as iPXE writes it
    assert who("mac=525400123456&uuid=unknown&serial=other") == "one"
    assert who("uuid=abcd-1") == "two"
    assert who("serial=S2&rack=3") == "two"
    assert who("target=two&hostname=x") == "two"
    assert who("rack=3") == 503  # both
    assert who("serial=S2&rack=4") == 503
    assert who("mac=52:54:00:12:34:57") == 503
    taken = hub.ctl("device", "create", "three", "--mac", "525400123456", check=False)
    assert taken.returncode == 1 and "is that of one already" in taken.stderr
    bad = hub.ctl("device", "create", "three", "--mac", "x", check=False)
    assert bad.returncode == 1 and "is no hardware address" in bad.stderr


def test_the_key_of_a_pointer(hub, parts):
    pointer = json.loads(make_config(hub, parts, "--pointer", "--extension", parts / MACHINE).read_text())
    key = key_of(pointer)
    status, _, config = fetch(hub, "/ignition/tiny-edge", key)
    assert status == 200
    assert fetch(hub, "/ignition/other", key)[0] == 403
    assert fetch(hub, "/ignition/tiny-edge", "Bearer picb_" + "0" * 64)[0] == 403
    assert fetch(hub, "/ignition?mac=1", key)[0] == 200  # the key says who it is
    assert {fetch(hub, "/ignition/tiny-edge", key)[0] for _ in range(20)} == {200}  # however often a machine tries
    config = fetch(hub, "/ignition/tiny-edge", key)[2]
    # the one inside opens what is fetched next, not the config again: it would outlive --valid by handing itself on
    inside = file_in(config, f"/opt/extensions/piccolo/{MACHINE}")["contents"]
    [header] = inside["httpHeaders"]
    assert fetch(hub, "/ignition/tiny-edge", header["value"])[0] == 403
    assert request(hub.port, "GET", inside["source"][len(hub.url):], headers={"Authorization": header["value"]})[0] == 200
    # it opens what the config names, and nothing else
    source = file_in(config, f"/opt/extensions/piccolo/{MACHINE}")["contents"]["source"]
    path = source[len(hub.url):]
    assert request(hub.port, "GET", path, headers={"Authorization": key})[0] == 200
    assert request(hub.port, "GET", path)[0] == 401
    other = hub.api("POST", "/piccolo/v1/artifacts?name=secret", body="secret")[1]["sha256"]
    assert request(hub.port, "GET", f"/artifacts/{other}", headers={"Authorization": key})[0] == 404
    assert request(hub.port, "GET", "/piccolo/v1/devices", headers={"Authorization": key})[0] == 401
    # joined: it is worth nothing
    assert Identity(hub, parts / "edge", "tiny-edge").try_join(token_in(config))[0] == 200
    assert fetch(hub, "/ignition/tiny-edge", key)[0] == 403
    assert request(hub.port, "GET", path, headers={"Authorization": key})[0] == 401


def test_a_part_is_missing(hub, parts):
    """Better asked again than half set up."""
    key = key_of(json.loads(make_config(hub, parts, "--pointer", "--extension", parts / MACHINE).read_text()))
    assert fetch(hub, "/ignition/tiny-edge", key)[0] == 200
    hub.stop()
    digest = hashlib.sha256((parts / MACHINE).read_bytes()).hexdigest()
    (hub.state / "artifacts" / digest).unlink()
    hub.start()
    status, headers, _ = fetch(hub, "/ignition/tiny-edge", key)
    assert status == 503 and int(headers["Retry-After"]) > 0
    assert "an artifact that its config names is not here" in hub.log.read_text()
    hub.push(parts / MACHINE)
    assert fetch(hub, "/ignition/tiny-edge", key)[0] == 200


def test_secrets_are_not_kept(hub, parts):
    pointer = make_config(hub, parts, "--pointer").read_text()
    config = fetch(hub, "/ignition/tiny-edge", key_of(json.loads(pointer)))[2]
    kept = b"".join(path.read_bytes() for path in hub.state.glob("hub.db*")) + hub.log.read_bytes()
    for secret in (token_in(config), key_of(json.loads(pointer)).split()[1]):
        assert secret.encode() not in kept


def test_every_fetch_is_in_the_journal(hub):
    hub.ctl("device", "create", "tiny-edge", "--ignition-for", "1m")
    assert fetch(hub, "/ignition/tiny-edge")[0] == 200
    entries = hub.api("GET", "/piccolo/v1/journal?limit=100")[1]["entries"]
    mine = [entry for entry in entries if entry["verb"] == "ignition" and entry["object"] == "first-boot tiny-edge"]
    assert [entry["who"] for entry in mine] == ["first-boot:tiny-edge"] and mine[0]["where"].startswith("127.0.0.1:")
    [listed] = json.loads(hub.ctl("device", "list", "-o", "json").stdout)["devices"]
    assert listed["joined"] is False and "fetched its Ignition config at" in listed["message"]


def test_real_ignition_by_the_kernels_arguments(hub, work, root):
    """As network boot does it: an address with what the machine knows of itself. While nothing is there for it, it
    asks again."""
    argument = f"ignition.config.url={hub.url}/ignition?mac=52-54-00-12-34-56&uuid=u"
    hub.ctl("device", "create", "tiny-edge", "--mac", "52:54:00:12:34:56")
    boot = Background(lambda: ignite(root, work, cmdline=argument, authority=authority_of(hub, work)))
    harness.wait(lambda: hub.log.read_text().count("ignition-not-ready") >= 2, 20, "it asks again")
    assert not boot.is_done()
    hub.ctl("device", "create", "tiny-edge", "--ignition-for", "1m")
    done = boot.result(60)
    assert done.returncode == 0, done.stdout[-2000:]
    token = (root / "etc/piccolo/token").read_text()
    assert Identity(hub, work / "edge", "tiny-edge").try_join(token)[0] == 200


# devices that are created, cloned, retired

def test_retiring_ends_everything(hub, work):
    edge = Identity(hub, work / "edge", "tiny-edge")
    hub.ctl("device", "create", "tiny-edge", "--serial", "S1", "--ignition-for", "1m")
    waiting = edge.enroll()["token"]
    assert edge.try_join(token_in(fetch(hub, "/ignition/tiny-edge")[2]))[0] == 200
    edge.join()
    unused = edge.enroll()["token"]
    apply_app(hub)
    assert edge.poll(wait=10)[0] == 200
    assert hub.api("DELETE", "/v1alpha2/instances/tiny-app") == (200, "")
    catalog = harness.wait(lambda: hub.get("catalog", "tiny-app-tiny-edge"), 10)  # it waits for the device
    assert catalog["metadata"]["name"]
    hub.ctl("device", "retire", "tiny-edge")
    assert edge.poll()[0] == 403
    for token in (waiting, unused):
        assert edge.try_join(token)[0] == 403
    assert fetch(hub, "/ignition/tiny-edge")[0] == 503
    harness.wait(lambda: "NotFound" in hub.kubectl("get", "catalog", "tiny-app-tiny-edge", check=False).stderr, 10,
                 "what was being removed there is given up")
    assert json.loads(hub.ctl("device", "list", "-o", "json").stdout)["devices"] == []
    assert hub.ctl("device", "retire", "tiny-edge", check=False).returncode == 1
    edge.join()  # with a new token it can come back
    edge.epoch, edge.revision, edge.digest, edge.etag = "", 0, "", None
    assert edge.poll()[0] in (200, 304)


def test_from_the_config_to_a_device(hub, parts, root):
    """Real Ignition writes the files, the real programs start with them, and the token is gone."""
    assert ignite(root, parts, config=make_config(hub, parts)).returncode == 0
    token = root / "etc/piccolo/token"
    harness.walkable(root / "etc/piccolo")
    with harness.Device(parts / "device", hub=hub) as device:
        shutil.copy(root / "etc/piccolo/piccolo.conf", device.folder / "piccolo.conf")
        device.launch(harness.BIN / "piccolo", *device.options, "--token-file", token)
        harness.wait(lambda: (device.status() or {}).get("connection") == "connected", 15, "joined and connected")
        assert not token.exists() and not (device.state / "agent" / "token").exists()
        [listed] = json.loads(hub.ctl("device", "list", "-o", "json").stdout)["devices"]
        assert listed["joined"] is True and listed["online"] is True


def test_a_clone_is_noticed(hub, work):
    """Two machines with one identity, as after copying a disk: named, with where both are."""
    hub.apply(harness.target())
    with harness.Device(work / "one", hub=hub) as one, harness.Device(work / "two", hub=hub) as two:
        one.join()
        one.start_apart()
        harness.wait(lambda: one.status()["connection"] == "connected", 15)
        one.agent.kill()
        shutil.copytree(one.state, two.state)
        for path in [two.state, *two.state.rglob("*")]:
            source = one.state / path.relative_to(two.state)
            os.chown(path, source.stat().st_uid, source.stat().st_gid)
        shutil.copy(one.folder / "piccolo.conf", two.folder / "piccolo.conf")
        one.start_agent()
        two.start_apart()
        harness.wait(lambda: (hub.device_state() or {}).get("quarantined"), 60, "the hub notices")
        assert "two machines use the identity of this device, at 127.0.0.1 and at 127.0.0.1" in hub.device_state()["message"]
        assert "two machines" in hub.ctl("device", "list").stdout
        harness.wait(lambda: "Quarantined" in hub.kubectl("get", "events").stdout, 10)
        harness.wait(lambda: hub.condition("target", "tiny-edge", "Ready")["reason"] == "Quarantined", 10)
        assert any(device.status()["reason"] == "Quarantined" for device in (one, two))
        two.stop()
        hub.ctl("device", "release", "tiny-edge")
        harness.wait(lambda: one.status()["connection"] == "connected", 400, "the one that is left works again")


def test_one_that_was_only_created_can_be_retired(hub):
    hub.ctl("device", "create", "tiny-edge", "--mac", "52:54:00:12:34:56")
    hub.ctl("device", "retire", "tiny-edge")
    hub.ctl("device", "create", "other", "--mac", "52:54:00:12:34:56")  # the address is free again
