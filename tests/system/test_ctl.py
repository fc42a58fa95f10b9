"""piccoloctl against a real hub: the verbs, their output, and what a person sees when the input is wrong."""

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios

import harness
from harness import BIN, TINY_APP, TINY_EDGE, run


def test_apply_says_what_it_did(hub):
    hub.push()
    assert hub.ctl("apply", "-f", TINY_APP).stdout.count("created") == 3
    assert hub.ctl("apply", "-f", TINY_APP).stdout.count("unchanged") == 3
    changed = (TINY_EDGE / "solution.yaml").read_text().replace("8085", "8086")
    assert "solution/tiny-app configured" in hub.ctl("apply", "-f", "-", input=changed).stdout
    got = hub.get("solution", "tiny-app")
    assert got["spec"]["components"][0]["properties"]["wasm.listen"] == "0.0.0.0:8086"


def test_wrong_yaml_names_file_line_and_path_and_stores_nothing(hub, work):
    bad = work / "bad.yaml"
    bad.write_text((TINY_EDGE / "target.yaml").read_text() + "---\n" +
                   (TINY_EDGE / "solution.yaml").read_text().replace("type: wasm", "typ: wasm"))
    done = hub.ctl("apply", "-f", bad, check=False)
    assert done.returncode == 1
    line = bad.read_text().splitlines().index("    typ: wasm") + 1
    assert f"{bad}:{line}: spec.components[0].typ: " in done.stderr, done.stderr
    assert hub.ctl("get", "targets").stderr == "no targets\n"  # nothing half applied


def test_values_that_cannot_be_are_refused_in_one_sentence(hub, work):
    sample = (TINY_EDGE / "solution.yaml").read_text()
    for old, new, wanted in [
        ("type: wasm", "type: wasmm", "wasmm"),
        ("wasm.url: /artifacts/tiny-http.wasm", "wasm.url: ftp://x/y", "wasm.url"),
        ("wasm.listen", "wasm.lisen", "wasm.listen"),
        ("name: tiny-app", "name: Tiny_App", "metadata.name"),
        ("apiVersion: solution.symphony/v1", "apiVersion: solution.symphony/v9z", None),
        ("kind: Solution", "kind: Solutoin", "Solutoin"),
        ("spec:", "spec: [", ":"),
    ]:
        text = sample.replace(old, new)
        assert text != sample
        done = hub.ctl("apply", "-f", "-", input=text, check=False)
        assert done.returncode != 0, (new, done.stdout)
        if wanted:
            assert wanted in done.stderr, (new, done.stderr)
            assert done.stderr.count("\n") == 1, done.stderr


def test_names_alone_of_what_is_no_object_of_kube(hub):
    hub.ctl("device", "create", "named")
    hub.ctl("approver", "add", "named@edge.example")
    assert "named" in hub.ctl("device", "list", "-o", "name").stdout.splitlines()
    assert "named-at-edge.example" in hub.ctl("approver", "list", "-o", "name").stdout.splitlines()
    assert hub.ctl("requests", "-o", "name").stdout == ""
    hub.ctl("approver", "remove", "named@edge.example")
    hub.ctl("device", "retire", "named")


def test_get_forms(hub):
    hub.apply_sample()
    assert hub.ctl("get", "instances").stdout.splitlines()[0].split() == ["NAME", "STATUS", "TARGETS", "DEPLOYED", "AGE"]
    assert hub.ctl("get", "instance", "tiny-app", "-o", "name").stdout.strip() == "instance.solution.symphony/tiny-app"
    assert json.loads(hub.ctl("get", "instance/tiny-app", "-o", "json").stdout)["spec"]["solution"] == "tiny-app"
    text = hub.ctl("get", "instance/tiny-app", "-o", "yaml").stdout
    assert "  solution: tiny-app\n" in text and "  target:\n    name: tiny-edge\n" in text
    both = hub.ctl("get", "targets,solutions").stdout
    assert "target/tiny-edge" in both and "solution/tiny-app" in both
    done = hub.ctl("get", "instance", "nobody", check=False)
    assert done.returncode == 1
    assert done.stderr == 'piccoloctl: there is no instance "nobody"; `piccoloctl get instances` lists them\n'
    assert '"nobody" not found' in hub.kubectl("get", "instance", "nobody", check=False).stderr  # kubectl's own form
    done = hub.ctl("diagnose", "nobody", "/dev/null", "--reason", "x", check=False)
    assert done.returncode == 1
    assert done.stderr == 'piccoloctl: there is no device "nobody"; `piccoloctl get targets` lists them\n'
    done = hub.ctl("get", "nothings", check=False)
    assert done.returncode != 0 and "api-resources" in done.stderr


def test_get_watch_shows_changes(hub):
    hub.apply_sample()
    watch = subprocess.Popen([str(BIN / "piccoloctl"), "get", "solution", "tiny-app", "-w", "-o", "json"], stdout=subprocess.PIPE,
                             env={**os.environ, **hub.environment})
    try:
        os.set_blocking(watch.stdout.fileno(), False)
        seen = []

        def sees(text):
            seen.append((watch.stdout.read() or b"").decode())
            return text in "".join(seen)

        harness.wait(lambda: sees("8085"), 10, "the first state")
        hub.ctl("patch", "solution/tiny-app", "-p", "metadata: {labels: {colour: blue}}")
        harness.wait(lambda: sees('"colour": "blue"'), 10, "the change")
    finally:
        watch.kill()
        watch.wait()


def test_patch_delete_and_dry_run(hub):
    hub.apply_sample()
    assert "(dry run)" in hub.ctl("patch", "target/tiny-edge", "-p", '{"spec":{"displayName":"x"}}', "--dry-run").stdout
    assert hub.get("target", "tiny-edge")["spec"].get("displayName") != "x"
    hub.ctl("patch", "target/tiny-edge", "--type", "json", "-p", '[{"op":"add","path":"/spec/displayName","value":"x"}]')
    assert hub.get("target", "tiny-edge")["spec"]["displayName"] == "x"
    assert hub.ctl("delete", "-f", TINY_APP).stdout.count("deleted") == 3
    done = hub.ctl("delete", "instance/tiny-app", check=False)
    assert done.returncode == 1 and 'there is no instance "tiny-app"' in done.stderr


def test_edit_with_an_editor(hub):
    hub.apply_sample()
    environment = {**hub.environment, "EDITOR": "sed -i s/8085/8087/"}
    done = run(BIN / "piccoloctl", "edit", "solution/tiny-app", env=environment)
    assert "edited" in done.stdout
    assert hub.get("solution", "tiny-app")["spec"]["components"][0]["properties"]["wasm.listen"] == "0.0.0.0:8087"
    assert "unchanged" in run(BIN / "piccoloctl", "edit", "solution/tiny-app", env={**environment, "EDITOR": "true"}).stdout
    done = run(BIN / "piccoloctl", "edit", "solution/tiny-app", env={**environment, "EDITOR": "false"}, check=False)
    assert done.returncode == 1 and "nothing was changed" in done.stderr


def test_plan_stores_nothing(hub):
    hub.push()
    plan = json.loads(hub.ctl("plan", "-f", TINY_APP, "-o", "json").stdout)
    change = next(c for c in plan["changes"] if c["component"] == "wasm-module")
    assert (change["device"], change["instance"], change["action"]) == ("tiny-edge", "tiny-app", "start")
    assert hub.ctl("get", "instances").stderr == "no instances\n"


def test_push_by_name_and_again(hub, work):
    first = hub.push()
    assert len(first["sha256"]) == 64
    other = work / "other.wasm"
    other.write_bytes(b"\0asm\1\0\0\0")
    second = hub.push(other, name="tiny-http.wasm")
    assert second["sha256"] != first["sha256"]
    done = hub.ctl("push", work / "missing.wasm", check=False)
    assert done.returncode == 1 and "missing.wasm" in done.stderr


def test_the_address_that_push_prints_answers(hub, work):
    file = work / "some.wasm"
    file.write_bytes(b"\0asm\1\0\0\0")
    said = dict(line.split(None, 1) for line in hub.ctl("push", file).stdout.splitlines())
    assert said["url:"] == f"{hub.url}/artifacts/some.wasm"
    for address in ("/artifacts/some.wasm", f"/artifacts/{said['sha256:']}"):
        done = run("curl", "-ksf", "-H", f"Authorization: Bearer {hub.token}", hub.url + address)
        assert done.stdout.encode() == file.read_bytes(), address


def test_describe_an_activation_says_why_somebody_is_asked(hub):
    """The reason of who asks stands where the activation waits, and stays when it was decided."""
    why = "Count and print what arrives at the network card"
    hub.apply_sample()
    hub.push(harness.SAMPLES / "hello.bpf.o")
    hub.ctl("apply", "-f", TINY_EDGE / "campaign.yaml", "-f", TINY_EDGE / "activation.yaml")
    harness.wait(lambda: hub.get("activation", "ebpf-approval").get("status", {}).get("statusDetails"), 10, "it waits")
    for words in (("ctl", "describe", "activation/ebpf-approval"), ("kubectl", "describe", "activation", "ebpf-approval")):
        said = getattr(hub, words[0])(*words[1:]).stdout
        assert f"waits for a decision on approval ebpf-approval-approval: {why}" in said, said
    hub.ctl("reject", "ebpf-approval-approval", "--comment", "not today")
    harness.wait(lambda: not hub.get("activation", "ebpf-approval")["status"]["isActive"], 10, "it ends")
    said = hub.ctl("describe", "activation/ebpf-approval").stdout
    assert "Rejected by admin" in said and f"    {why}\n" in said and "not today" in said, said
    assert "reason" in hub.get("activation", "ebpf-approval")["status"]["outputs"]


def test_unreachable_hub_and_wrong_token(hub):
    config = hub.kubeconfig.read_text()
    wrong = hub.folder / "wrong"
    wrong.write_text(config.replace(hub.token, "0" * len(hub.token)))
    for words in (["get", "targets,instances"], ["apply", "-f", TINY_APP], ["delete", "-f", TINY_APP], ["device", "list"]):
        done = run(BIN / "piccoloctl", "--kubeconfig", wrong, *words, check=False)
        assert done.returncode == 3, done.stderr
        assert str(wrong) in done.stderr and "state folder" in done.stderr and done.stderr.count("\n") == 1, done.stderr
    hub.stop()
    for words in (["get", "targets,instances"], ["apply", "-f", TINY_APP], ["device", "list"]):
        done = hub.ctl(*words, check=False)
        assert done.returncode == 4 and done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.count("cannot reach") == 1 and hub.url in done.stderr and str(hub.kubeconfig) in done.stderr


def test_usage(work):
    done = run(BIN / "piccoloctl", "aply", check=False)
    assert done.returncode == 2 and "apply" in done.stderr
    done = run(BIN / "piccoloctl", "get", "targets", "--outpt", "json", check=False)
    assert done.returncode == 2 and "--output" in done.stderr
    done = run(BIN / "piccoloctl", check=False)
    assert done.returncode == 2 and done.stderr.startswith("piccoloctl needs a command: apply, "), done.stderr
    assert "completion bash" in run(BIN / "piccoloctl", "--help").stdout
    assert "completion bash" in (harness.ROOT / "docs" / "reference" / "piccoloctl.md").read_text()
    for words in (["--help"], ["apply", "--help"], ["device", "--help"], ["--version"]):
        done = run(BIN / "piccoloctl", *words)
        assert done.stdout and max(map(len, done.stdout.splitlines())) <= 80, done.stdout
    done = run("bash", "-n", input=run(BIN / "piccoloctl", "completion", "bash").stdout)
    assert done.returncode == 0


def test_what_is_typed_wrong_is_wrong_usage(hub):
    for words in (["get", "nonsense"], ["explain", "nonsense"], ["explain", "solution.spec.componentz"], ["describe", "nonsense/x"],
                  ["patch", "nonsense/x", "-p", "{}"], ["delete", "nonsense/x"], ["wait", "nonsense/x"], ["wait", "target"],
                  ["edit", "target"], ["patch", "target/x"], ["patch", "target/x", "-p", "{}", "--type", "x"],
                  ["get", "targets", "-o", "jsn"], ["apply"], ["delete", "target"], ["logs", "tiny-edge", "x"],
                  ["wait", "target/x", "--for", "x"], ["completion", "zsh"]):
        done = hub.ctl(*words, check=False)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, (words, done)
    for words in (["get", "target/nobody"], ["apply", "-f", "/nonexistent"], ["patch", "target/nobody", "-p", "{}"]):
        assert hub.ctl(*words, check=False).returncode == 1, words


def test_explain_knows_the_properties_of_types(hub):
    listed = hub.ctl("explain", "solution.spec.components.properties").stdout
    assert "wasm.listen" in listed and "several with blanks between; without it wherever the device's policy allows." in listed
    assert hub.ctl("explain", "solution.spec.components").stdout.count("\n") < len(listed)
    one = hub.ctl("explain", "solution.components.properties.wasm.listen").stdout
    assert one.splitlines()[-2].startswith("wasm.listen (") and "[ADDRESS:]PORT" in one.splitlines()[-1]
    assert one.count("\n") == 4, one


def all_of(master):
    """What a terminal got, piece by piece; the end is an error."""
    text = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 65536):
            text += piece
    return text


def test_tables_are_whole_in_a_pipe_and_fit_a_terminal(hub):
    whole = hub.ctl("api-resources").stdout
    assert "..." not in whole and max(map(len, whole.splitlines())) > 80
    for columns in (60, 400):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        subprocess.run([str(BIN / "piccoloctl"), "api-resources"], stdout=slave, check=True)
        os.close(slave)
        shown = all_of(master).decode().splitlines()
        os.close(master)
        assert (max(map(len, shown)) == columns) if columns == 60 else [*map(str.rstrip, shown)] == whole.splitlines()


def test_no_colour_and_no_raw_bytes_of_strangers(hub):
    """A label value cannot hold control characters, an annotation can; a terminal must not see them raw."""
    hub.apply_sample()
    hub.ctl("patch", "instance/tiny-app", "-p", '{"metadata":{"annotations":{"x":"\\u001b[31mred"}}}')
    for form in ("yaml", "json"):
        assert "\x1b" not in hub.ctl("get", "instance/tiny-app", "-o", form).stdout
    master, slave = pty.openpty()
    subprocess.run([str(BIN / "piccoloctl"), "describe", "instance/tiny-app"], stdout=slave, check=True,
                   env={**os.environ, **hub.environment})
    os.close(slave)
    assert b"\x1b[31m" not in all_of(master)
    os.close(master)
