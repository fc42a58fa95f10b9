"""Kernel diagnosis by permission, for a limited time: the whole of the second half of the story in one go, with a real mail
server, the real kernel, kubectl and, where there is one, Prometheus. Windows are seconds here. An observer outside
(bpftool) says what is in the kernel."""

import base64
import datetime
import json
import re
import shutil
import time

import pytest

import harness
from harness import SLOW, TINY_EDGE, wait
from kernel_programs import Link, bpftool
from smtp_server import Mailbox
from test_approvals import links, page_token, parts, post

APART = "kernel"  # run.py: programs of the same name and lines of the same words are seen by all

OPS = "ops@edge.test"
PACKETS = re.compile(r'packets_total{[^}]*component="ebpf-module"[^}]*} (\d+)')


@pytest.fixture(scope="module")
def link():
    with Link() as made:
        yield made


@pytest.fixture
def mailbox(work):
    with Mailbox(work / "mail") as box:
        yield box


@pytest.fixture
def hub(work, mailbox):
    with harness.Hub(work / "hub", "--smtp-url", mailbox.url, "--mail-from", "piccolo@edge.test") as running:
        running.ctl("approver", "add", OPS, "--by-mail")
        running.push()
        running.push(harness.SAMPLES / "hello.bpf.o")
        yield running


@pytest.fixture
def story(link, deployed, hub, mailbox):
    yield Story(link, hub, deployed, mailbox)
    wait(link.is_clean, 5, f"nothing is attached: {link.programs()}")


class Story:
    def __init__(self, link, hub, device, mailbox):
        self.link, self.hub, self.device, self.mailbox = link, hub, device, mailbox

    def campaign(self, sample, *changes):
        """The sample with its window in seconds, applied and started."""
        text = (TINY_EDGE / sample).read_text()
        for old, new in changes:
            text, count = re.subn(old, new, text)
            assert count == 1, f"{sample} has {count} of {old}"
        self.hub.ctl("apply", "-f", "-", input=text)
        self.hub.ctl("apply", "-f", TINY_EDGE / "activation.yaml")

    def again(self):
        self.hub.kubectl("delete", "activation/ebpf-approval", "campaign/ebpf-approval")

    def approvals(self):
        return json.loads(self.hub.kubectl("get", "approvals", "-o", "json").stdout)["items"]

    def pending(self):
        return wait(lambda: next(one for one in self.approvals() if one["status"]["phase"] == "Pending"), 10, "a request waits")

    def ends(self, name):
        text = self.hub.get("approval", name)["status"]["ends"]
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

    def program(self, seconds=10):
        """The number of the one that sits on the device's card."""
        return int(wait(self.link.programs, seconds, f"a program is attached: {self.hub.part('ebpf-module')}")[0])

    def residue(self, program):
        """What the kernel keeps for it."""
        shown = bpftool("prog", "show", "id", program)
        assert shown["name"] == "hello" and shown["type"] == "xdp"
        on = [one["id"] for one in bpftool("link", "show") if one.get("prog_id") == program]
        return [("prog", program), *(("link", one) for one in on), *(("map", one) for one in shown["map_ids"])]

    def gone(self, residue, end):
        """Everything of it, at the end and not before."""
        assert time.time() < end and self.link.programs(), "it ends before its time"
        wait(lambda: not self.link.programs(), end - time.time() + 2, "it is detached")
        late = time.time() - end
        wait(lambda: not any(bpftool(kind, "show", "id", number, check=False) for kind, number in residue), 2, f"{residue} are gone")
        assert -0.5 < late < 2 * SLOW

    def components(self):
        return [one["name"] for one in self.hub.get("catalog", "tiny-app-tiny-edge")["spec"]["properties"]["components"]]

    def told(self):
        """Catalog, instance and activation say that it is over, and the application goes on."""
        wait(lambda: self.components() == ["wasm-module"] and self.hub.part("ebpf-module") is None
             and self.hub.is_ready("tiny-app") and not self.hub.get("activation", "ebpf-approval")["status"].get("isActive"),
             15, "the objects say so")
        assert harness.TITLE in self.device.page()
        events = self.hub.kubectl("get", "events").stdout
        assert "WindowClosed" in events and "its time is over" in events

    def counted(self):
        status, text = self.hub.api("GET", "/piccolo/v1/devices/tiny-edge/metrics")
        assert status == 200
        return sum(int(number) for number in PACKETS.findall(text))


def test_from_the_mail_to_the_end_of_the_window(story, link, hub, device, mailbox):
    story.campaign("campaign.yaml", ("length: 2h", "length: 15s"))
    request = story.pending()
    message = mailbox.message()
    assert message["To"] == OPS and message["From"].endswith("<piccolo@edge.test>")
    assert "Count and print what arrives" in parts(message)[0] and "kernel-read" in parts(message)[0]
    (address,) = links(message)
    assert address.startswith(f"{hub.url}/approvals/{request['spec']['id']}")
    for _ in range(20):  # as a mail scanner does
        token = page_token(hub, address)
    assert story.pending()["metadata"]["name"] == request["metadata"]["name"] and link.programs() == []
    assert post(hub, address, token)[0] in (200, 303)

    program = story.program()
    residue = story.residue(program)
    assert [one["name"] for one in hub.get("solution", "tiny-app")["spec"]["components"]] == ["wasm-module", "ebpf-module"]
    part = wait(lambda: (found := hub.part("ebpf-module")) and found["phase"] == "Running" and found, 5, "the instance says so")
    assert part["type"] == "ebpf"

    module = device.module_pid()
    link.packets_come(count=9)
    wait(lambda: "Hello, World!" in (device.page(path="/trace") or ""), 5, "the page shows its lines")
    assert device.module_pid() == module, "the module was not started again for it"
    before = wait(story.counted, 5, "the counter is in the metrics")
    link.packets_come(count=9)
    wait(lambda: story.counted() >= before + 9, 5, "it rises with the packets")

    story.gone(residue, story.ends(request["metadata"]["name"]))
    story.told()
    assert hub.get("approval", request["metadata"]["name"])["status"]["phase"] == "Ended"
    link.packets_come(count=3)
    assert device.module_pid() == module and story.counted() == 0


def test_fixed_times_and_a_dead_hub(story, hub, device):
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    opens, closes = now + datetime.timedelta(seconds=4 * SLOW), now + datetime.timedelta(seconds=4 * SLOW + 8)
    story.campaign("campaign-schedule.yaml", ("opens: .*", f'opens: "{opens.isoformat()}"'),
                   ("closes: .*", f'closes: "{closes.isoformat()}"'))
    name = story.pending()["metadata"]["name"]
    hub.ctl("approve", name)
    assert story.link.programs() == [] or time.time() >= opens.timestamp(), "it runs before the window opens"
    program = story.program(10 + 4 * SLOW)
    assert time.time() >= opens.timestamp()
    residue = story.residue(program)
    end = story.ends(name)
    assert end == closes.timestamp()
    hub.kill()
    story.gone(residue, end)
    wait(lambda: device.component("ebpf-module")["phase"] == "Expired", 5, "the device says so, alone")
    hub.start()
    story.told()


def test_taken_back_at_once(story, hub):
    story.campaign("campaign.yaml")
    name = story.pending()["metadata"]["name"]
    hub.ctl("approve", name)
    residue = story.residue(story.program())
    hub.ctl("revoke", name)
    wait(lambda: not story.link.programs(), 2, "it is detached at once")
    wait(lambda: not any(bpftool(kind, "show", "id", number, check=False) for kind, number in residue), 2, f"{residue} are gone")
    story.again()


def test_the_real_prometheus_sees_the_counter(story, hub, work):
    prometheus = shutil.which("prometheus")
    if not prometheus:
        pytest.skip("no prometheus in PATH (tools/setup unpacks it)")
    story.campaign("campaign.yaml", ("length: 2h", "length: 60s"))
    hub.ctl("approve", story.pending()["metadata"]["name"])
    story.program()
    authority = work / "ca.pem"
    authority.write_bytes(base64.b64decode(hub.kubectl(
        "config", "view", "--raw", "-o", "jsonpath={.clusters[0].cluster.certificate-authority-data}").stdout))
    trust = {"authorization": {"type": "Bearer", "credentials_file": str(hub.state / "admin.token")},
             "tls_config": {"ca_file": str(authority)}}
    configuration = work / "prometheus.yml"
    configuration.write_text(json.dumps({  # which is YAML, too
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "piccolo-devices", "scheme": "https", **trust, "http_sd_configs": [
            {"url": f"{hub.url}/prometheus/sd", "refresh_interval": "1s", **trust}]}]}))
    port = harness.free_port()
    server = harness.Program(work / "prometheus.log")
    server.launch(prometheus, f"--config.file={configuration}", f"--storage.tsdb.path={work / 'tsdb'}",
                  f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn")
    try:
        def seen():
            answer = json.loads(harness.http_get(port, "/api/v1/query?query=sum(packets_total)")[1])
            return int(answer["data"]["result"][0]["value"][1])

        story.link.packets_come(count=5)
        first = wait(seen, 20, f"Prometheus has the counter (log: {server.log})")
        story.link.packets_come(count=20)
        wait(lambda: seen() >= first + 20, 10, "it rises")
        if shutil.which("promtool"):
            text = hub.api("GET", "/piccolo/v1/devices/tiny-edge/metrics")[1]
            harness.run("promtool", "check", "metrics", input=text)
    finally:
        server.kill()
    story.again()
