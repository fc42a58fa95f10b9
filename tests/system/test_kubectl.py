"""Unmodified kubectl against a real hub, verb by verb. Each test runs with every kubectl found: the one in PATH first
(Debian's), then others beside it in PATH (kubectl.1.33 and the like) and those of $PICCOLO_KUBECTL (paths, separated
by colons). The oldest and the newest are taken, all with PICCOLO_KUBECTL_ALL=1.

What kubectl prints on standard error differs from version to version: it is matched by parts."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

import harness
from harness import wait

SHA = "0123456789abcdef" * 4


def client_version(path):
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError, KeyError):
        done = subprocess.run([path, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=20,
                              stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
        found = re.match(r"v(\d+)\.(\d+)\.(\d+)", json.loads(done.stdout)["clientVersion"]["gitVersion"])
        return tuple(int(part) for part in found.groups())
    return None


def find_clients():
    """(version, path) of each, oldest first; the first in PATH is always among them."""
    paths = [path for path in os.environ.get("PICCOLO_KUBECTL", "").split(":") if path]
    first = shutil.which("kubectl")
    if first:
        paths.append(first)
    for folder in os.environ["PATH"].split(":"):
        for name in ("kubectl", *pathlib.Path(folder).glob("kubectl.1.*")):
            path = pathlib.Path(folder) / name
            if path.exists():
                paths += [str(path), *map(str, path.resolve().parent.glob("kubectl.1.*"))]
    found = {}
    for path in paths:
        version = client_version(path)
        if version:
            found.setdefault(version, path)
    versions = sorted(found)
    if not os.environ.get("PICCOLO_KUBECTL_ALL") and len(versions) > 2:
        chosen = {versions[0], versions[-1]} | ({client_version(first)} if first else set())
        versions = sorted(chosen - {None})
    return [(version, found[version]) for version in versions]


CLIENTS = find_clients()
counter = itertools.count(1)


class Kubectl:
    """One version, with a home of its own: discovery is cached there."""

    def __init__(self, path, version, hub, home, space):
        self.path, self.version, self.space, self.hub = path, version, space, hub
        self.environment = {**os.environ, "HOME": str(home), "KUBECONFIG": str(hub.kubeconfig), "KUBECTL_EXTERNAL_DIFF": "diff -u"}

    def command(self, arguments):
        return [self.path, *(["-n", self.space] if self.space else []), *map(str, arguments)]

    def __call__(self, *arguments, check=True, input=None, timeout=30):
        if isinstance(input, (dict, list)):
            input = json.dumps(input)
        more = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
        done = subprocess.run(self.command(arguments), env=self.environment, capture_output=True, text=True,
                              timeout=timeout * harness.SLOW, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def out(self, *arguments, **more):
        return self(*arguments, **more).stdout

    def fails(self, *arguments, says, **more):
        done = self(*arguments, check=False, **more)
        assert done.returncode != 0, done.stdout
        assert says in done.stderr, done.stderr
        return done

    def json(self, *arguments, **more):
        return json.loads(self.out(*arguments, "-o", "json", **more))

    @contextlib.contextmanager
    def watching(self, *arguments):
        """A `get -w` under way; yields a function that answers its lines so far."""
        process = subprocess.Popen(self.command(arguments), env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.set_blocking(process.stdout.fileno(), False)
        seen = []

        def lines():
            with contextlib.suppress(TypeError):  # nothing there yet
                seen.append(process.stdout.read() or "")
            return "".join(seen).splitlines()

        lines.process = process
        try:
            yield lines
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def the_hub(tmp_path_factory):
    with harness.Hub(tmp_path_factory.mktemp("kubectl")) as running:
        yield running


@pytest.fixture(scope="module", params=CLIENTS or [None], ids=lambda client: "v%d.%d" % client[0][:2] if client else "none")
def client(request, the_hub, tmp_path_factory):
    if not request.param:
        pytest.fail("there is no kubectl in PATH (tools/setup installs Debian's)")
    version, path = request.param
    return path, version, the_hub, tmp_path_factory.mktemp("home")


@pytest.fixture
def kubectl(client, request):
    """Within a namespace of its own."""
    hub = client[2]
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    # short: on a device an instance is called <instance>.<namespace>, in 63 bytes
    space = f"{words[:40].strip('-')}-{next(counter)}"
    status, body = hub.api("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
    assert status == 201, body
    return Kubectl(*client, space)


def watchers(hub):
    """How many watches the hub has open."""
    status, text = hub.api("GET", "/metrics")
    assert status == 200, text
    return int(float(re.search(r"^piccolo_hub_watchers (\S+)$", text, re.M).group(1)))


def newer(kubectl, minor):
    if kubectl.version < (1, minor):
        pytest.skip(f"kubectl 1.{minor} brought this, here is 1.{kubectl.version[1]}")


def test_two_ages_of_kubectl():
    """Old and new kubectl speak differently (legacy and aggregated discovery, client and server validation)."""
    assert CLIENTS, "there is no kubectl in PATH"
    if len(CLIENTS) == 1:
        pytest.skip("only kubectl %d.%d.%d is here; name newer ones in PICCOLO_KUBECTL" % CLIENTS[0][0])
    assert CLIENTS[0][0] < (1, 27) <= CLIENTS[-1][0]


def target(name="edge", **spec):
    spec = {"properties": {"os": "linux"}, "topologies": [{"bindings": [
        {"role": "wasm", "provider": "providers.target.staging", "config": {"inCluster": "true", "targetName": name}}]}], **spec}
    return {"apiVersion": "fabric.symphony/v1", "kind": "Target", "metadata": {"name": name}, "spec": spec}


def solution(name="app", url="http://127.0.0.1:1/a.wasm", **properties):
    component = {"name": "module", "type": "wasm", "properties": {"wasm.url": url, "wasm.sha256": SHA, **properties}}
    return {"apiVersion": "solution.symphony/v1", "kind": "Solution", "metadata": {"name": name}, "spec": {"components": [component]}}


def instance(name="app", to="edge"):
    return {"apiVersion": "solution.symphony/v1", "kind": "Instance", "metadata": {"name": name},
            "spec": {"solution": "app", "target": {"name": to}}}


def catalog(name="settings", **properties):
    return {"apiVersion": "federation.symphony/v1", "kind": "Catalog", "metadata": {"name": name},
            "spec": {"siteId": "hq", "name": name, "type": "config", "properties": properties or {"a": "1"}}}


def listing(*objects):
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


@pytest.fixture(autouse=True)
def watches_end_with_their_clients(request):
    """A client that is killed says nothing; the hub must notice."""
    yield
    if "kubectl" in request.fixturenames:
        hub = request.getfixturevalue("the_hub")
        wait(lambda: watchers(hub) == 0, what="the hub forgets watches whose clients are gone")


def apply(kubectl, *objects, **more):
    return kubectl("apply", "-f", "-", input="".join(f"---\n{json.dumps(one)}\n" for one in objects), **more)


# What there is


def test_version(kubectl):
    assert "v1.32.0+piccolo" in kubectl.out("version")


def test_api_versions_and_resources(kubectl):
    versions = kubectl.out("api-versions").split()
    assert {"solution.symphony/v1", "fabric.symphony/v1", "federation.symphony/v1", "v1"} <= set(versions)
    rows = kubectl.out("api-resources", "--api-group=solution.symphony", "--no-headers").splitlines()
    assert [row.split()[0] for row in rows] == ["instances", "solutioncontainers", "solutions"]
    wide = kubectl.out("api-resources", "-o", "wide")
    assert "namespaces" in wide and "watch" in wide


def test_explain(kubectl):
    text = kubectl.out("explain", "instance.spec.target")
    assert "name" in text and "selector" in text and "<string>" in text
    assert "components" in kubectl.out("explain", "solution.spec")
    assert "wasm" in kubectl.out("explain", "solution.spec.components.type")
    settings = kubectl.out("explain", "solution.spec.components.properties")
    assert "wasm.listen" in settings and "Where it may listen" in settings


def test_can_i(kubectl):
    assert kubectl.out("auth", "can-i", "create", "targets").strip() == "yes"
    assert "*" in kubectl.out("auth", "can-i", "--list")
    if kubectl.version >= (1, 28):
        assert "admin" in kubectl.out("auth", "whoami")


def test_raw(kubectl):
    assert json.loads(kubectl.out("get", "--raw", "/apis/fabric.symphony/v1"))["groupVersion"] == "fabric.symphony/v1"
    kubectl.fails("get", "--raw", "/apis/nobody/v1/things", says="could not find the requested resource")


# apply, create, replace, edit, patch, label


def test_apply_new_same_changed(kubectl):
    assert "created" in apply(kubectl, solution()).stdout
    assert "unchanged" in apply(kubectl, solution()).stdout
    assert "configured" in apply(kubectl, solution(**{"wasm.listen": "0.0.0.0:8085"})).stdout
    stored = kubectl.json("get", "solution", "app")
    assert stored["spec"]["components"][0]["properties"]["wasm.listen"] == "0.0.0.0:8085"
    assert stored["metadata"]["generation"] == 2
    assert stored["metadata"]["namespace"] == kubectl.space
    assert "managedFields" not in stored["metadata"]


def test_apply_takes_out_what_the_file_no_longer_has(kubectl):
    first = instance()
    apply(kubectl, first)
    first["spec"]["target"] = {"selector": {"os": "linux"}}
    assert "configured" in apply(kubectl, first).stdout
    assert kubectl.json("get", "instance", "app")["spec"]["target"] == {"selector": {"os": "linux"}}


def test_apply_a_list_and_many_documents(kubectl):
    done = kubectl("apply", "-f", "-", input=listing(target(), solution(), instance()))
    assert done.stdout.count("created") == 3
    done = apply(kubectl, target(), solution(), instance(), catalog())
    assert done.stdout.count("unchanged") == 3 and done.stdout.count("created") == 1


def test_apply_the_sample(kubectl):
    for name in ("target", "solution", "instance"):
        path = harness.TINY_EDGE / f"{name}.yaml"
        assert "created" in kubectl.out("apply", "-f", path)
        assert "unchanged" in kubectl.out("apply", "-f", path)


def test_apply_on_a_created_object(kubectl):
    kubectl("create", "-f", "-", input=solution())
    apply(kubectl, solution(**{"wasm.args": "x"}))
    assert "wasm.args" in kubectl.out("apply", "view-last-applied", "solution", "app")
    assert "unchanged" in apply(kubectl, solution(**{"wasm.args": "x"})).stdout


def test_set_last_applied(kubectl):
    kubectl("create", "-f", "-", input=solution())
    kubectl("apply", "set-last-applied", "--create-annotation", "-f", "-", input=solution())
    assert "module" in kubectl.out("apply", "view-last-applied", "solution", "app", "-o", "json")


def test_numbers_and_empty_maps_stay_as_written(kubectl):
    kubectl("apply", "-f", "-", input='{"apiVersion":"federation.symphony/v1","kind":"Catalog","metadata":{"name":"c"},'
            '"spec":{"siteId":"hq","name":"c","type":"config","properties":{"a":0.10,"b":1e3,"c":{},"d":[],'
            '"e":12345678901234567890}}}')
    again = kubectl("apply", "-f", "-", input='{"apiVersion":"federation.symphony/v1","kind":"Catalog","metadata":{"name":"c"},'
                    '"spec":{"siteId":"hq","name":"c","type":"config","properties":{"a":0.10,"b":1e3,"c":{},"d":[],'
                    '"e":12345678901234567890}}}')
    assert "unchanged" in again.stdout


MIDDLE_ERA = """
apiVersion: solution.symphony/v1
kind: SolutionContainer
metadata: {name: era, labels: {team: edge}}
spec: {}
---
apiVersion: solution.symphony/v1
kind: Solution
metadata: {name: era-v-v1}
spec: {rootResource: era, version: v1, components: []}
---
apiVersion: federation.symphony/v1
kind: CatalogContainer
metadata: {name: settings}
spec: {properties: {note: kept, list: [1, x]}}
---
apiVersion: workflow.symphony/v1
kind: CampaignContainer
metadata: {name: rollout}
spec: {}
"""


def test_the_middle_eras_containers_are_kept(kubectl):
    assert kubectl.out("apply", "-f", "-", input=MIDDLE_ERA).count("created") == 4
    assert kubectl.out("apply", "-f", "-", input=MIDDLE_ERA).count("unchanged") == 4
    assert kubectl.json("get", "catalogcontainer", "settings")["spec"] == {"properties": {"note": "kept", "list": [1, "x"]}}
    assert kubectl.json("get", "solutioncontainers", "-l", "team=edge")["items"][0]["metadata"]["name"] == "era"
    assert kubectl.json("get", "solution", "era-v-v1")["spec"]["rootResource"] == "era"
    assert "SolutionContainer" in kubectl.out("explain", "solutioncontainers")
    assert kubectl.out("delete", "-f", "-", input=MIDDLE_ERA).count("deleted") == 4


def test_apply_server_side(kubectl):
    wanted = solution()
    assert "serverside-applied" in kubectl.out("apply", "--server-side", "-f", "-", input=wanted)
    kubectl("apply", "--server-side", "-f", "-", input=solution(**{"wasm.args": "x"}))
    kubectl.fails("apply", "--server-side", "--field-manager=other", "-f", "-", input=solution(url="http://127.0.0.1:1/b.wasm"),
                  says='conflict with "kubectl": .spec.components')
    kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=other", "-f", "-",
            input=solution(url="http://127.0.0.1:1/b.wasm"))
    stored = kubectl.json("get", "solution", "app")
    assert stored["spec"]["components"][0]["properties"]["wasm.url"] == "http://127.0.0.1:1/b.wasm"
    assert "applied" not in stored


def test_apply_server_side_after_client_side(kubectl):
    apply(kubectl, solution())
    kubectl.fails("apply", "--server-side", "-f", "-", input=solution(**{"wasm.args": "x"}),
                  says='conflict with "kubectl-client-side-apply"')
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=solution(**{"wasm.args": "x"}))
    assert kubectl.json("get", "solution", "app")["spec"]["components"][0]["properties"]["wasm.args"] == "x"


def test_apply_prune(kubectl):
    one, two = solution("one"), solution("two")
    for each in (one, two):
        each["metadata"]["labels"] = {"part": "x"}
    apply(kubectl, one, two)
    flag = "--prune-allowlist" if kubectl.version >= (1, 26) else "--prune-whitelist"
    done = kubectl("apply", "--prune", "-l", "part=x", f"{flag}=solution.symphony/v1/Solution", "-f", "-", input=one)
    assert "two" in done.stdout and "pruned" in done.stdout
    assert kubectl.out("get", "solutions", "-o", "name").split() == ["solution.solution.symphony/one"]


def test_dry_run_on_the_server_stores_nothing(kubectl):
    assert "created (server dry run)" in kubectl.out("apply", "--dry-run=server", "-f", "-", input=solution())
    kubectl.fails("get", "solution", "app", says="not found")
    apply(kubectl, solution())
    before = kubectl.json("get", "solution", "app")
    done = kubectl("apply", "--dry-run=server", "-f", "-", input=solution(**{"wasm.args": "x"}))
    assert "configured (server dry run)" in done.stdout
    kubectl("delete", "solution", "app", "--dry-run=server")
    assert kubectl.json("get", "solution", "app") == before


def test_diff(kubectl):
    apply(kubectl, solution())
    assert kubectl("diff", "-f", "-", input=solution()).returncode == 0
    done = kubectl("diff", "-f", "-", input=solution(**{"wasm.args": "x"}), check=False)
    assert done.returncode == 1, done.stderr
    assert re.search(r"^\+ +wasm.args: x$", done.stdout, re.M), done.stdout
    removed = [line for line in done.stdout.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert all("generation" in line for line in removed), removed


def test_create(kubectl):
    assert "created" in kubectl.out("create", "-f", "-", input=target())
    kubectl.fails("create", "-f", "-", input=target(), says='targets.fabric.symphony "edge" already exists')
    generated = solution()
    generated["metadata"] = {"generateName": "app-"}
    name = kubectl.out("create", "-f", "-", "-o", "name", input=generated).strip()
    assert re.fullmatch(r"solution.solution.symphony/app-[a-z0-9]{5}", name)


def test_replace(kubectl):
    kubectl("create", "-f", "-", input=solution())
    assert "replaced" in kubectl.out("replace", "-f", "-", input=solution(**{"wasm.args": "x"}))
    stored = kubectl.json("get", "solution", "app")
    stale = json.loads(json.dumps(stored))
    stored["metadata"]["labels"] = {"a": "b"}
    kubectl("replace", "-f", "-", input=stored)
    stale["metadata"]["labels"] = {"a": "c"}
    kubectl.fails("replace", "-f", "-", input=stale, says="the object has been modified")
    uid = stored["metadata"]["uid"]
    kubectl("replace", "--force", "-f", "-", input=solution())
    assert kubectl.json("get", "solution", "app")["metadata"]["uid"] != uid


def test_patch(kubectl):
    apply(kubectl, solution())
    kubectl("patch", "solution", "app", "--type=merge", "-p", '{"spec":{"displayName":"My app"}}')
    kubectl("patch", "solution", "app", "--type=json", "-p", '[{"op":"add","path":"/metadata/labels","value":{"a":"b"}},'
            '{"op":"test","path":"/spec/displayName","value":"My app"}]')
    stored = kubectl.json("get", "solution", "app")
    assert stored["spec"]["displayName"] == "My app" and stored["metadata"]["labels"] == {"a": "b"}
    kubectl.fails("patch", "solution", "app", "--type=json", "-p", '[{"op":"remove","path":"/spec/nothing"}]', says="nothing is at")
    kubectl.fails("patch", "solution", "app", "-p", "{}", says="application/merge-patch+json")
    kubectl.fails("patch", "solution", "nobody", "--type=merge", "-p", "{}", says="not found")


def test_patch_status(kubectl):
    newer(kubectl, 24)
    kubectl("apply", "-f", "-", input=catalog())
    kubectl("patch", "catalog", "settings", "--subresource=status", "--type=merge", "-p", '{"status":{"x":"y"},"spec":{"type":"z"}}')
    stored = kubectl.json("get", "catalog", "settings")
    assert stored["status"]["x"] == "y" and stored["spec"]["type"] == "config"


def test_edit(kubectl, tmp_path):
    apply(kubectl, solution())
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's#/a.wasm#/b.wasm#' \"$1\"\n")
    editor.chmod(0o755)
    kubectl.environment["KUBE_EDITOR"] = str(editor)
    assert "edited" in kubectl.out("edit", "solution", "app")
    assert kubectl.json("get", "solution", "app")["spec"]["components"][0]["properties"]["wasm.url"].endswith("/b.wasm")


def test_label_and_annotate(kubectl):
    apply(kubectl, solution("one"), solution("two"))
    kubectl("label", "solution", "one", "env=prod")
    kubectl.fails("label", "solution", "one", "env=dev", says="--overwrite")
    kubectl("label", "solutions", "--all", "env=dev", "--overwrite")
    assert kubectl.out("get", "solutions", "-l", "env=dev", "-o", "name").count("solution") == 4
    kubectl("label", "solution", "one", "env-")
    kubectl("annotate", "solution", "one", "note=a b")
    stored = kubectl.json("get", "solution", "one")
    assert "env" not in stored["metadata"].get("labels", {})
    assert stored["metadata"]["annotations"]["note"] == "a b"
    assert stored["metadata"]["generation"] == 1
    kubectl.fails("label", "solution", "one", "a=b c", says="")


# Wrong input


def test_unknown_field(kubectl):
    wrong = solution()
    wrong["spec"]["componentz"] = []
    done = apply(kubectl, wrong, check=False)
    assert done.returncode != 0 and "componentz" in done.stderr, done.stderr
    done = kubectl("apply", "--validate=false", "-f", "-", input=wrong)
    assert "created" in done.stdout
    done = kubectl("patch", "solution", "app", "--type=merge", "-p", '{"spec":{"other":1}}')
    assert 'unknown field "spec.other"' in done.stderr


def test_missing_and_wrong_values_name_their_path(kubectl):
    missing = instance("noreq")
    del missing["spec"]["solution"]
    kubectl.fails("apply", "--validate=false", "-f", "-", input=missing, says='The Instance "noreq" is invalid: spec.solution: ')
    wrong = solution()
    wrong["spec"]["components"][0]["type"] = "wasmm"
    kubectl.fails("apply", "-f", "-", input=wrong, says="spec.components[0].type")
    wrong = solution("Not_A_Name")
    kubectl.fails("apply", "-f", "-", input=wrong, says="metadata.name")


def test_hints(kubectl):
    done = apply(kubectl, instance())
    assert 'Warning: there is no solution "app"' in done.stderr
    assert 'there is no target "edge"' in done.stderr


def test_a_namespace_that_is_not_there(kubectl):
    kubectl.space = "nowhere"
    kubectl.fails("apply", "-f", "-", input=solution(), says='namespaces "nowhere" not found')
    done = kubectl("get", "solutions")
    assert "No resources found in nowhere namespace" in done.stderr


# Reading


def test_tables(kubectl):
    apply(kubectl, target(), solution(), instance())
    header, row = kubectl.out("get", "instances").splitlines()
    assert header.split() == ["NAME", "STATUS", "TARGETS", "DEPLOYED", "AGE"]
    assert row.split()[0] == "app" and re.search(r"\d+s$", row)
    assert "DETAILS" in kubectl.out("get", "instances", "-o", "wide")
    everywhere = kubectl.out("get", "targets", "-A")
    assert "NAMESPACE" in everywhere and kubectl.space in everywhere
    assert "edge" in kubectl.out("get", "target", "edge", "--no-headers", "--show-labels")
    assert kubectl.out("get", "symphony", "-o", "name").count("/") >= 3
    assert "instance.solution.symphony/app" in kubectl.out("get", "all")


def test_output_forms(kubectl):
    apply(kubectl, target(), target("other", displayName="x"))
    assert "kind: Target" in kubectl.out("get", "target", "edge", "-o", "yaml")
    assert kubectl.json("get", "targets")["kind"] == "List"
    assert kubectl.out("get", "targets", "-o", "jsonpath={.items[*].metadata.name}") == "edge other"
    assert kubectl.out("get", "targets", "-o", "custom-columns=N:.metadata.name", "--no-headers").split() == ["edge", "other"]
    assert kubectl.out("get", "target", "other", "-o", "go-template={{.spec.displayName}}") == "x"
    assert kubectl.out("get", "Target/edge", "targets.v1.fabric.symphony/other", "-o", "name").count("target") == 2
    ordered = kubectl.out("get", "targets", "--sort-by=.spec.displayName", "--no-headers")
    assert [line.split()[0] for line in ordered.splitlines()] == ["edge", "other"]


def test_selectors(kubectl):
    for name, labels in (("one", {"env": "prod", "tier": "a"}), ("two", {"env": "dev"}), ("three", {})):
        each = catalog(name)
        each["metadata"]["labels"] = labels
        apply(kubectl, each)

    def names(*arguments):
        return sorted(line.split("/")[1] for line in kubectl.out("get", "catalogs", "-o", "name", *arguments).split())

    assert names("-l", "env=prod") == ["one"]
    assert names("-l", "env!=prod") == ["three", "two"]
    assert names("-l", "env in (prod, dev),tier") == ["one"]
    assert names("-l", "!env") == ["three"]
    assert names("--field-selector", "metadata.name=two") == ["two"]
    assert names("--field-selector", "metadata.name!=two,metadata.namespace=" + kubectl.space) == ["one", "three"]
    kubectl.fails("get", "catalogs", "--field-selector", "spec.type=x", says="field label not supported: spec.type")
    assert names("--chunk-size=2") == ["one", "three", "two"]


def test_describe(kubectl):
    apply(kubectl, instance())
    text = wait(lambda: (lambda shown: shown if "Warning" in shown else None)(kubectl.out("describe", "instance", "app")),
                what="an event in describe")
    assert re.search(r"^Kind: +Instance$", text, re.M) and "Events:" in text
    assert "Reason" in text and "piccolo" in text.lower()
    assert "app" in kubectl.out("describe", "instances")


def test_events(kubectl):
    apply(kubectl, instance())
    wait(lambda: "instance/app" in kubectl.out("get", "events"), what="an event in the table")
    events = kubectl.json("get", "events", "--field-selector", "involvedObject.name=app,involvedObject.kind=Instance")["items"]
    assert events and all(event["involvedObject"]["name"] == "app" for event in events)
    assert kubectl.json("get", "events", "--field-selector", "involvedObject.name=nobody")["items"] == []
    if kubectl.version >= (1, 26):
        assert "instance/app" in kubectl.out("events", "--for", "instance/app").lower()


# Watching and waiting


def test_watch_a_list(kubectl):
    apply(kubectl, catalog("one"))
    with kubectl.watching("get", "catalogs", "-w", "-o", "name") as lines:
        wait(lambda: "catalog.federation.symphony/one" in lines(), what="the one that is there")
        apply(kubectl, catalog("two"))
        wait(lambda: lines().count("catalog.federation.symphony/two") == 1, what="ADDED")
        kubectl("label", "catalog", "two", "a=b")
        wait(lambda: lines().count("catalog.federation.symphony/two") == 2, what="MODIFIED")
        kubectl("delete", "catalog", "two", "--wait=false")
        wait(lambda: lines().count("catalog.federation.symphony/two") == 3, what="DELETED")
        assert lines.process.poll() is None, "the watch must stay open"


def test_watch_one_as_a_table(kubectl):
    apply(kubectl, instance())
    with kubectl.watching("get", "instance", "app", "-w") as lines:
        wait(lambda: len(lines()) >= 2, what="header and row")
        seen = len(lines())
        kubectl("patch", "instance", "app", "--type=merge", "-p", '{"spec":{"displayName":"x"}}')
        wait(lambda: len(lines()) > seen, what="a row for the change")
        assert lines()[-1].split()[0] == "app"


def test_watch_with_a_selector(kubectl):
    apply(kubectl, catalog("one"))
    with kubectl.watching("get", "catalogs", "-w", "-l", "show=yes", "-o", "jsonpath={.metadata.name}{\"\\n\"}") as lines:
        wait(lambda: watchers(kubectl.hub), what="the watch is open")
        kubectl("label", "catalog", "one", "show=yes")
        wait(lambda: lines() == ["one"], what="it enters")
        kubectl("label", "catalog", "one", "show-")
        wait(lambda: lines() == ["one", "one"], what="it leaves")
        kubectl("label", "catalog", "one", "other=x")
        apply(kubectl, catalog("end"))
        kubectl("label", "catalog", "end", "show=yes")
        wait(lambda: lines() == ["one", "one", "end"], what="nothing of it while it is out")


def test_wait_for_a_condition(kubectl):
    apply(kubectl, target(), solution(), instance())
    assert "condition met" in kubectl.out("wait", "--for=condition=Stalled=False", "instance/app", "--timeout=10s")
    done = kubectl("wait", "--for=condition=NoSuch", "instance/app", "--timeout=1s", check=False)
    assert done.returncode != 0 and "timed out" in done.stderr
    with kubectl.watching("wait", "--for=condition=Done", "catalog/late", "--timeout=20s") as lines:
        assert wait(lambda: lines.process.poll(), what="wait for nothing ends") != 0
    apply(kubectl, catalog("late"))
    with kubectl.watching("wait", "--for=condition=Done", "catalog/late", "--timeout=20s") as lines:
        wait(lambda: watchers(kubectl.hub), what="the watch is open")
        status = {"status": {"conditions": [{"type": "Done", "status": "True"}]}}
        code, body = kubectl.hub.api("PATCH", f"/apis/federation.symphony/v1/namespaces/{kubectl.space}/catalogs/late/status",
                                     json.dumps(status), headers={"Content-Type": "application/merge-patch+json"})
        assert code == 200, body
        assert wait(lambda: (lines.process.poll() is not None) or None, what="wait ends")
        assert lines.process.returncode == 0


def test_wait_for_jsonpath(kubectl):
    newer(kubectl, 23)
    apply(kubectl, target(), solution(), instance())
    kubectl("wait", "--for=jsonpath={.metadata.generation}=1", "instance/app", "--timeout=10s")


# Deleting


def test_delete(kubectl):
    apply(kubectl, catalog("one"), catalog("two"), catalog("three"), catalog("four"))
    assert '"one" deleted' in kubectl.out("delete", "catalog", "one")
    kubectl.fails("delete", "catalog", "one", says="not found")
    kubectl("delete", "catalog", "one", "--ignore-not-found")
    kubectl("label", "catalog", "two", "a=b")
    assert '"two" deleted' in kubectl.out("delete", "catalogs", "-l", "a=b")
    assert '"three" deleted' in kubectl.out("delete", "-f", "-", input=catalog("three"))
    assert '"four" deleted' in kubectl.out("delete", "catalogs", "--all")
    assert kubectl.json("get", "catalogs")["items"] == []


def test_wait_for_delete(kubectl):
    apply(kubectl, catalog("late"))
    with kubectl.watching("wait", "--for=delete", "catalog/late", "--timeout=20s") as lines:
        wait(lambda: watchers(kubectl.hub), what="the watch is open")
        kubectl("delete", "catalog", "late", "--wait=false")
        wait(lambda: (lines.process.poll() is not None) or None, what="wait ends")
        if kubectl.version >= (1, 27):
            assert lines.process.returncode == 0


def test_staged_catalog_lives_and_goes_with_its_instance(kubectl):
    apply(kubectl, target(), solution(), instance())
    staged = wait(lambda: kubectl.json("get", "catalog", "app-edge"), what="the staged catalog")
    assert staged["metadata"]["ownerReferences"][0]["name"] == "app"
    assert staged["metadata"]["labels"]["staged_target"] == "edge"
    assert staged["spec"]["properties"]["components"][0]["name"] == "module"
    kubectl.fails("delete", "catalog", "app-edge", says="belongs to instance app")
    kubectl.fails("patch", "catalog", "app-edge", "--type=merge", "-p", '{"spec":{"properties":{"components":[]}}}',
                  says="is written by the hub out of instance app")
    kubectl("label", "catalog", "app-edge", "mine=yes")
    began = time.monotonic()
    kubectl("delete", "instance", "app")
    assert time.monotonic() - began < 5 * harness.SLOW
    # no device is enrolled: it is gone at once, and a DELETE of it still answers success
    wait(lambda: not kubectl.json("get", "catalogs")["items"], what="the catalog goes")
    kubectl.fails("get", "catalog", "app-edge", says="not found")
    status, body = kubectl.hub.api("DELETE", f"/apis/federation.symphony/v1/namespaces/{kubectl.space}/catalogs/app-edge")
    assert (status, body["status"]) == (200, "Success")


def test_terminating_catalog_is_hidden_by_a_delete(kubectl, tmp_path):
    name = "edge" + "".join(map(str, kubectl.version))
    enrol_device(kubectl.hub, name, tmp_path)
    apply(kubectl, target(name), solution(), instance(to=name))
    wait(lambda: kubectl.json("get", "catalog", f"app-{name}"), what="the staged catalog")
    kubectl("delete", "instance", "app")
    staged = kubectl.json("get", "catalog", f"app-{name}")
    assert staged["metadata"]["deletionTimestamp"], "a device has not let go yet"
    with kubectl.watching("get", "catalogs", "-w", "--output-watch-events") as lines:
        wait(lambda: any("ADDED" in line for line in lines()), what="it is there")
        assert "deleted" in kubectl.out("delete", "catalog", f"app-{name}")
        wait(lambda: any("DELETED" in line for line in lines()), what="it is gone for watchers")
    kubectl.fails("get", "catalog", f"app-{name}", says="not found")
    assert kubectl.json("get", "catalogs")["items"] == []
    status, body = kubectl.hub.api("DELETE", f"/apis/federation.symphony/v1/namespaces/{kubectl.space}/catalogs/app-{name}")
    assert (status, body["status"]) == (200, "Success")
    # the hub's own memory of it stays: applied again it is the same device's business
    apply(kubectl, instance(to=name))
    wait(lambda: kubectl.json("get", "catalog", f"app-{name}"), what="it is shown again")


def enrol_device(hub, name, folder):
    """What `piccolo join` does, by hand: a device that never comes back."""
    status, enrolled = hub.api("POST", "/piccolo/v1/enroll", {"target": name, "valid-seconds": 60})
    assert status == 200, enrolled
    harness.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                f"/CN={name}", "-keyout", folder / "key.pem", "-out", folder / "request.pem")
    status, joined = hub.api("POST", "/device/v1/join", {"protocol": 1, "target": name, "token": enrolled["token"],
                                                         "request": (folder / "request.pem").read_text()}, token=False)
    assert status == 200, joined


# Namespaces


def test_namespaces(kubectl):
    name = kubectl.space[:40] + "-more"
    assert "created" in kubectl.out("create", "namespace", name)
    shown = kubectl.json("get", "ns", name)
    assert shown["status"]["phase"] == "Active" and shown["metadata"]["labels"]["kubernetes.io/metadata.name"] == name
    assert "Active" in kubectl.out("get", "ns", name)
    kubectl.space = name
    apply(kubectl, solution(), catalog())
    assert "Active" in kubectl.out("describe", "ns", name)
    assert "configured" in kubectl.out("apply", "-f", "-", input={"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": name, "labels": {"a": "b"}}})
    assert "deleted" in kubectl.out("delete", "ns", name)
    assert kubectl.json("get", "catalogs,solutions")["items"] == []
    kubectl.fails("delete", "ns", "default", says="may not be deleted")


# Who may


def test_nobody_gets_in(kubectl, tmp_path):
    config = json.loads(kubectl.out("config", "view", "--raw", "-o", "json"))
    config["users"][0]["user"] = {"token": "wrong"}
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    kubectl.environment["KUBECONFIG"] = str(path)
    done = kubectl.fails("get", "targets", says="")
    assert "Unauthorized" in done.stderr or "must be logged in" in done.stderr
    status, body = kubectl.hub.api("GET", "/apis/fabric.symphony/v1/targets", token=False)
    assert (status, body["kind"], body["reason"]) == (401, "Status", "Unauthorized")


# What newer kubectl does that 1.36 needs and none here may be: by hand


def test_watch_list_protocol(kubectl):
    apply(kubectl, catalog("one"))
    path = f"/apis/federation.symphony/v1/namespaces/{kubectl.space}/catalogs?watch=true&timeoutSeconds=1"
    status, body = kubectl.hub.api("GET", path + "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")
    events = [json.loads(line) for line in body.splitlines()]
    assert status == 200 and [event["type"] for event in events] == ["ADDED", "BOOKMARK", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    status, body = kubectl.hub.api("GET", path + "&sendInitialEvents=true")
    assert (status, body["reason"]) == (422, "Invalid")


def test_watch_versions(kubectl):
    path = f"/apis/federation.symphony/v1/namespaces/{kubectl.space}/catalogs"
    status, listed = kubectl.hub.api("GET", path)
    version = int(listed["metadata"]["resourceVersion"])
    apply(kubectl, catalog("one"), catalog("two"))
    kubectl("delete", "catalog", "one")
    query = f"?watch=true&timeoutSeconds=1&resourceVersion={version}"
    status, body = kubectl.hub.api("GET", path + query)
    events = [json.loads(line) for line in body.splitlines()]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [
        ("ADDED", "one"), ("ADDED", "two"), ("DELETED", "one")]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(versions) and versions[0] > version
    status, body = kubectl.hub.api("GET", path + "?watch=true&resourceVersion=99999999")
    assert (status, body["reason"]) == (410, "Expired")
    status, body = kubectl.hub.api("GET", path + "?watch=true&resourceVersion=x")
    assert (status, body["reason"]) == (400, "BadRequest")


def test_delete_collection(kubectl):
    apply(kubectl, catalog("one"), catalog("two"))
    kubectl("label", "catalog", "two", "keep=yes")
    status, body = kubectl.hub.api("DELETE", f"/apis/federation.symphony/v1/namespaces/{kubectl.space}/catalogs?labelSelector=%21keep")
    assert (status, body["status"]) == (200, "Success")
    assert kubectl.out("get", "catalogs", "-o", "name").split() == ["catalog.federation.symphony/two"]
    status, body = kubectl.hub.api("DELETE", "/apis/federation.symphony/v1/catalogs")
    assert (status, body["reason"]) == (405, "MethodNotAllowed")


def test_objects_survive_a_kill(tmp_path, client):
    with harness.Hub(tmp_path / "hub") as hub:
        mine = Kubectl(client[0], client[1], hub, tmp_path, None)
        apply(mine, solution())
        before = mine.json("get", "solution", "app")
        hub.kill()
        hub.start()
        assert mine.json("get", "solution", "app") == before
        assert "unchanged" in apply(mine, solution()).stdout
        apply(mine, solution(**{"wasm.args": "x"}))
        after = mine.json("get", "solution", "app")
        assert int(after["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])
