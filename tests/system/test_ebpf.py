"""Programs in the real kernel, run by hand: each hook does its work and is gone at the end, whoever dies; what is damaged,
hostile or would cut the device off is refused with its reason. An observer outside (bpftool, tc) says what is there."""

import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import time

import pytest

import harness
from harness import FULL, wait
from kernel_programs import (CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, HUB, ByHand, Link, Residue, Traces, bpftool, capabilities,
                             descriptors, object_of, run)

APART = "kernel"  # run.py: programs of the same name and lines of the same words are seen by all


@pytest.fixture(scope="module")
def link():
    with Link() as made:
        yield made


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    with Traces(tmp_path_factory.mktemp("trace") / "fs") as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_stays(link):
    yield
    wait(link.is_clean, 2, f"nothing is attached: {link.programs()} {link.qdiscs()}")


def uplink(link):
    return ["--uplink", f"{link.theirs}:{HUB}"]


HOOKS = {
    "on_xdp=xdp:va": 0, "on_xdp=xdp:va:skb": 0, "on_xdp=xdp:va:drv": 0, "on_ingress=tcx:va:ingress": 1,
    "on_ingress=tcx:va:egress": 1, "on_tc=clsact:va:ingress": 2, "on_tc=clsact:va:egress": 2,
    "on_event=tp:syscalls/sys_enter_getppid": 3, "on_raw=raw_tp:sys_enter": 4,
}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_runs_and_is_gone_at_the_end(link, hook):
    with ByHand("test-hooks", "--attach", hook, lease="2s") as one:
        residue = Residue(one.evidence())
        assert len(residue.programs) == 1
        if "clsact" in hook or "xdp" in hook:
            assert link.programs() == [str(residue.programs[0])]
        else:  # this bpftool does not list tcx by interface
            assert bpftool("link", "show", "id", residue.links[0])["prog_id"] == residue.programs[0]
        with link.traffic():
            assert one.end() == 0, one.err
    assert one.figure(f'runs_total{{key="{HOOKS[hook]}"}}') > 0, one.out
    residue.gone()
    assert "its time was over" in one.err


def test_all_hooks_of_one_object(link):
    hooks = ["on_xdp=xdp:va:skb", "on_ingress=tcx:va:ingress", "on_tc=clsact:va:egress", "on_tc=clsact:va:ingress",
             "on_event=tp:syscalls/sys_enter_getppid", "on_raw=raw_tp:sys_enter"]
    with ByHand("test-hooks", *(word for hook in hooks for word in ("--attach", hook))) as one:
        residue = Residue(one.evidence())
        assert len(link.programs()) == 3 and len(link.filters()) == 2
        with link.traffic():
            wait(lambda: all(each_ran(residue)), 10, "each one runs")
        one.process.send_signal(signal.SIGINT)
        assert one.end() == 0
    residue.gone()
    assert all(one.figure(f'runs_total{{key="{key}"}}') > 0 for key in range(5)), one.out


def each_ran(residue):
    """The counters of test-hooks, read by somebody else."""
    (number,) = residue.maps
    return [entry["formatted"]["value"] for entry in bpftool("map", "dump", "id", number)][:5]


def test_the_interface_is_the_default_routes(link):
    with ByHand("packets", lease="3s") as one:
        assert "at xdp:va" in one.evidence()
        link.packets_come(count=7)
        one.process.send_signal(signal.SIGINT)
        assert one.end() == 0
    assert one.figure('packets_total{protocol="UDP"}') >= 7, one.out
    assert "stopped" in one.err


def test_the_end_is_when_it_was_said(link):
    begin = time.monotonic()
    with ByHand("packets", lease="1s") as one:
        one.evidence()
        wait(lambda: link.programs() == [], 3, "it is detached", every=0.002)
        took = time.monotonic() - begin
    assert 0.9 < took < 1.3 * harness.SLOW, took


def test_policy_has_the_last_word_about_the_end(link, tmp_path):
    policy = tmp_path / "policy.conf"
    policy.write_text("allow ebpf\nlease-max 1s\n")
    begin = time.monotonic()
    status, _, err = run("packets", "--policy", policy, lease="1h")
    assert status == 0 and time.monotonic() - begin < 10 * harness.SLOW, err


# -- whoever dies -----------------------------------------------------------------------------------


def test_a_killed_runner_leaves_no_link(link):
    with ByHand("packets") as one:
        residue = Residue(one.evidence())
        os.kill(one.runner(), signal.SIGKILL)
        assert one.end() == 1
        residue.gone()
    assert "ended by signal 9" in one.err


def test_two_owners_share_a_queue(link):
    with ByHand("test-hooks", "--attach", "on_tc=clsact:va:ingress") as first:
        first.evidence()
        with ByHand("test-hooks", "--attach", "on_tc=clsact:va:egress") as second:
            second.evidence()
            first.process.send_signal(signal.SIGINT)
            assert first.end() == 0 and len(link.filters()) == 1


def test_a_killed_parent_ends_the_runner(link):
    with ByHand("test-hooks", "--attach", "on_tc=clsact:va:ingress") as one:
        residue = Residue(one.evidence())
        one.process.kill()
        residue.gone(5)
        wait(link.is_clean, 2, "the runner has undone its filter itself")


def test_sweep_undoes_what_a_killed_runner_left_and_nothing_else(link, work, traces):
    filters = "on_tc=clsact:va:egress"
    with ByHand("test-hooks", "--attach", filters) as living, ByHand("test-hooks", "--attach", filters) as dead:
        kept = Residue(living.evidence())
        residue = Residue(dead.evidence())
        harness.run("tc", "filter", "add", "dev", "va", "ingress", "bpf", "da", "obj", object_of("test-hooks"), "sec", "tc")
        foreign = [name for name in link.filters() if not name.startswith("piccolo-")]
        assert len(link.filters()) == 3 and len(foreign) == 1
        runner = dead.runner()
        os.kill(dead.process.pid, signal.SIGSTOP)  # it would sweep by itself
        os.kill(runner, signal.SIGKILL)
        wait(lambda: len(link.filters()) == 3, what="the kernel keeps the filter")
        os.kill(dead.process.pid, signal.SIGKILL)
        dead.end()
        sweep(work)
        residue.gone()
        assert len(link.filters()) == 2 and foreign[0] in link.filters()
        assert len(kept.left()) == len(kept.programs) + len(kept.maps)
        living.process.send_signal(signal.SIGINT)
        assert living.end() == 0
    assert link.filters() == foreign, "a queue that somebody else uses stays"
    harness.run("tc", "qdisc", "del", "dev", "va", "clsact")


def sweep(work):
    policy = work / "policy.conf"
    policy.write_text("allow ebpf\n")
    harness.run(harness.BIN / "piccolo", "sweep", "--state", work / "state", "--run-dir", work / "run", "--policy", policy)


def test_a_trace_instance_goes_with_its_owner(link, traces):
    with ByHand("test-hello", "--attach", "xdp:va") as one:
        one.evidence()
        assert len(traces.ours("by-hand~testhello")) == 1
        one.process.send_signal(signal.SIGINT)
        one.end()
    assert traces.ours("by-hand~testhello") == []


# -- lines ------------------------------------------------------------------------------------------


def test_each_sees_only_its_own_lines(link):
    with ByHand("test-hello", "--attach", "xdp:va") as hello, ByHand("test-prints", "--attach", "tcx:va:ingress") as other:
        hello.evidence()
        other.evidence()
        link.packets_come()
        wait(lambda: "Hello, World!" in hello.out and "a packet of" in other.out)
    assert "a packet of" not in hello.out and "Hello" not in other.out
    assert re.search(r"^\d+\.\d+: Hello, World!$", hello.out, re.M)


def test_a_prefix_narrows(link):
    with ByHand("test-prints", "--attach", "tcx:va:ingress", "--trace-prefix", "another") as one:
        one.evidence()
        with link.traffic():
            wait(lambda: "another line" in one.out)
    assert "a packet of" not in one.out


def test_too_many_lines_are_dropped_and_counted(link):
    with ByHand("test-hello", "--attach", "xdp:va") as one:
        one.evidence()
        link.packets_come(count=3000)
        dropped = wait(lambda: re.search(r"\((\d+) lines dropped\)", one.out), 5, "it says what it dropped")
    assert int(dropped[1]) > 500
    shown = one.out.count("Hello, World!")
    assert 100 <= shown <= 700, shown


# -- refused ----------------------------------------------------------------------------------------


def refused(*words, lease="20s", **more):
    status, out, err = run(*words, lease=lease, **more)
    assert status == 1 and out == "", (status, out, err)
    assert err.count("\n") == 1, err
    return err


def test_a_taken_interface_names_its_owner(link):
    with ByHand("packets") as one:
        owner = Residue(one.evidence())
        err = refused("test-count", "--attach", "xdp:va")
        assert f"program {owner.programs[0]} (packets) is there already and stays" in err
        assert link.programs() == [str(owner.programs[0])]


def test_a_program_of_somebody_else_is_never_displaced(link, tmp_path):
    pin = f"/sys/fs/bpf/piccolo-test-{os.getpid()}"
    harness.run("mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
    harness.run("bpftool", "prog", "load", object_of("packets"), pin)
    try:
        harness.run("bpftool", "net", "attach", "xdp", "pinned", pin, "dev", "va")
        there = link.programs()
        assert "(packets) is there already" in refused("test-count", "--attach", "xdp:va")
        assert link.programs() == there
        harness.run("bpftool", "net", "detach", "xdp", "dev", "va")
    finally:
        os.unlink(pin)


@pytest.mark.parametrize("words, says", [
    (["packets", "--attach", "xdp:nowhere"], "no network interface nowhere; this device has: va"),
    (["test-hooks", "--attach", "on_event=tp:syscalls/sys_enter_nothing"], "no trace event syscalls/sys_enter_nothing"),
    (["test-hooks", "--attach", "on_raw=raw_tp:nothing_like_it"], "this kernel has no such event"),
    (["test-hooks", "--attach", "too_far=tp:syscalls/sys_enter_getppid"], "beyond the fields of this event"),
    (["test-hooks", "--attach", "xdp:va", "--name", "on_tc"], "on_tc is of type tc"),
    (["test-hooks", "--name", "nothing"], "no program nothing"),
    (["test-hooks", "--attach", "on_ingress=tcx:va:ingress", "--attach", "on_ingress=tcx:va:egress"], "ingress and egress"),
    (["test-loop-endless", "--attach", "xdp:va"], "bound its loops"),
    (["test-bad-pin"], "pinned"),
    (["test-bad-helper"], "helper"),
])
def test_a_reason_is_given(link, words, says):
    assert says in refused(*words)


def test_kernel_read_is_a_grant(link, tmp_path):
    policy = tmp_path / "policy.conf"
    policy.write_text("allow ebpf\nebpf by-hand none\n")
    assert "needs the grant kernel-read" in refused("test-hello", "--attach", "xdp:va", "--policy", policy)
    assert "needs the grant kernel-read" in refused("test-hooks", "--policy", policy)


def test_policy_says_where_programs_may_sit(link, tmp_path):
    policy = tmp_path / "policy.conf"
    policy.write_text("allow ebpf\nebpf interfaces eth*\n")
    assert "no program sit on interface va" in refused("packets", "--policy", policy)


def test_only_root_may(link):
    done = subprocess.run([str(harness.program_for_anybody("piccolo", tempfile.gettempdir())), "ebpf", "run",
                           str(object_of("packets"))], preexec_fn=lambda: os.setresuid(65534, 65534, 65534),
                          capture_output=True, text=True)
    assert done.returncode == 1 and "only root may" in done.stderr, done.stderr


def test_a_program_for_another_machine(link, tmp_path):
    source = tmp_path / "other.c"
    source.write_text("int other(void) { return 0; }\n")
    harness.run("clang", "-c", source, "-o", tmp_path / "other.o")
    big = bytearray(object_of("packets").read_bytes())
    big[5] = 2  # the other byte order
    (tmp_path / "big.o").write_bytes(big)
    for name in ("other.o", "big.o"):
        refused(tmp_path / name)
        done = harness.run(harness.BIN / "piccolo", "ebpf", "inspect", tmp_path / name, check=False)
        assert done.returncode == 1 and "invalid" in done.stdout, done.stdout


def test_a_verifier_that_chews_for_too_long_is_left(link):
    begin = time.monotonic()
    with ByHand("test-loop", lease="1m") as one:
        loader = wait(lambda: find_loader(one), 5, "the loader")
        sets, status = capabilities(loader)
        wanted = 1 << CAP_BPF | 1 << CAP_NET_ADMIN | 1 << CAP_PERFMON
        assert sets == {"CapInh": 0, "CapPrm": wanted, "CapEff": wanted, "CapBnd": wanted, "CapAmb": 0}
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert int(status["Uid"].split()[0]) in harness.USERS
        assert set(descriptors(loader)) <= {"socket:", "/memfd:object (deleted)", "anon_inode:bpf-prog", "anon_inode:bpf-map",
                                            "anon_inode:btf"}
        assert one.end() == 1
    took = time.monotonic() - begin
    if took < 9.5:
        pytest.skip(f"this machine's verifier was through with it in {took:.1f} s: {one.err}")
    assert "not through with it after 10 s" in one.err and took < 12 * harness.SLOW
    assert not os.path.exists(f"/proc/{loader}")


def find_loader(one):
    runner = one.runner()
    with open(f"/proc/{runner}/task/{runner}/children") as children:
        pids = children.read().split()
    status = pathlib.Path(f"/proc/{pids[0]}/status").read_text()
    return int(pids[0]) if "Seccomp:\t2" in status and "anon_inode:bpf-prog" in descriptors(pids[0]) else None


def test_the_runner_has_no_privileges(link):
    for hook, kept in (("on_xdp=xdp:va", 0), ("on_tc=clsact:va:ingress", 1 << CAP_NET_ADMIN)):
        with ByHand("test-hooks", "--attach", hook) as one:
            one.evidence()
            runner = one.runner()
            sets, status = capabilities(runner)
            assert sets == {"CapInh": 0, "CapPrm": kept, "CapEff": kept, "CapBnd": kept, "CapAmb": 0}
            assert (status["NoNewPrivs"], status["Seccomp"], status["Threads"]) == ("1", "2", "1")
            assert os.listdir(f"/proc/{runner}/root") == []
            found = descriptors(runner)
            assert found.count("anon_inode:bpf_link" if kept == 0 else "anon_inode:bpf-prog") == 1, found
            assert set(found) <= {"/dev/null", "pipe:", "socket:", "/memfd:object (deleted)", "anon_inode:bpf_link",
                                  "anon_inode:bpf-prog", "anon_inode:bpf-map", "anon_inode:timerfd",
                                  "anon_inode:eventpoll", "anon_inode:[timerfd]", "anon_inode:[eventpoll]"}, found


# -- droppers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how, packet", [("all", "ARP"), ("allbutarp", "ICMP"), ("port", "TCP of the hub")])
def test_what_would_cut_the_device_off_is_refused(link, how, packet):
    err = refused(f"test-drop-{how}", *uplink(link))
    assert "refused before it was attached" in err and f"XDP_DROP to an {packet} packet" in err


@pytest.mark.parametrize("name", ["test-fresh", "test-fresh-ring"])
def test_maps_begin_as_if_there_had_been_no_dry_run(link, name):
    harness.run("ip", "link", "add", "qa", "type", "veth", "peer", "name", "qb")  # down: no packet passes
    try:
        with ByHand(name, "--attach", "xdp:qa", *uplink(link), lease="2s") as one:
            assert one.end() == 0, one.err
    finally:
        harness.run("ip", "link", "del", "qa")
    said = {line.split()[0]: float(line.split()[1]) for line in one.out.splitlines() if line and line[0] != "#"}
    ours = {name: value for name, value in said.items() if not name.startswith("piccolo_")}
    assert ours["from_seven"] == 7 and ours["from_zero"] == 0, one.out
    assert not any(name.startswith(("first_total", "each_total")) for name in ours), one.out
    assert not any(value for name, value in ours.items() if name.startswith(("packets_total", "cpu_total"))), one.out


@pytest.mark.parametrize("how", ["hidden", "hiddenbutarp", "hiddenport"])
def test_what_hides_from_the_dry_run_is_rolled_back(link, how):
    begin = time.monotonic()
    err = run(f"test-drop-{how}", *uplink(link), "--confirm", "3", lease="1m")[2]
    assert "rolled back: the hub's address did not answer within 3 s" in err
    assert time.monotonic() - begin < 6 * harness.SLOW
    assert link.is_clean()


def test_what_drops_later_is_off_again_within_15_s(link):
    with ByHand(f"test-drop-later", *uplink(link), lease="2m") as one:
        one.evidence()
        with link.traffic():
            wait(lambda: bpftool_counter(one) > 0, 20, "it begins to drop")
            begin = time.monotonic()
            wait(lambda: link.programs() == [], 16, "it is off again")
            assert time.monotonic() - begin < 15 * harness.SLOW
        assert one.end() == 1
    assert "rolled back: the hub's address did not answer" in one.err and "though it had before" in one.err


def bpftool_counter(one):
    """`dropped_packets` of the running dropper, read by somebody else."""
    program = Residue(one.evidence()).programs[0]
    for number in bpftool("prog", "show", "id", program)["map_ids"]:
        shown = bpftool("map", "dump", "id", number)
        if shown and "formatted" in shown[0] and ".bss" in str(shown[0]["formatted"]):
            return int(re.search(r"'dropped_packets': (\d+)", str(shown[0]["formatted"]))[1])
    raise AssertionError(f"no .bss of program {program}")


def test_a_refusal_is_an_answer(link):
    with ByHand("packets", "--uplink", f"{link.theirs}:7", "--confirm", "2", lease="4s") as one:
        one.evidence()
        assert one.end() == 0, one.err


def test_what_drops_nothing_of_importance_runs_its_whole_lease(link):
    with ByHand("test-drop-udp9", *uplink(link), "--confirm", "2", lease="10s") as one:
        residue = Residue(one.evidence())
        with link.traffic():
            assert one.end() == 0, one.err
    assert one.figure("dropped_packets_total") > 0, one.out
    assert "its time was over" in one.err
    residue.gone()


def test_without_confirmation_anything_goes(link):
    with ByHand("test-drop-all", *uplink(link), "--confirm", "0", lease="2s") as one:
        one.evidence()
        assert one.end() == 0


# -- damage -----------------------------------------------------------------------------------------


def damaged(whole, seed):
    """One to four bytes changed, or the end cut off, or a piece doubled."""
    dice = random.Random(seed)
    broken = bytearray(whole)
    how = dice.randrange(10)
    if how == 0:
        return bytes(broken[:dice.randrange(1, len(broken))])
    if how == 1:
        at, size = dice.randrange(len(broken)), dice.randrange(1, 64)
        return bytes(broken[:at] + broken[at:at + size] + broken[at:])
    for _ in range(dice.randrange(1, 5)):
        broken[dice.randrange(len(broken))] = dice.randrange(256)
    return bytes(broken)


@pytest.mark.parametrize("name", ["packets", "hello"])
def test_damage_takes_nobody_down(link, name, tmp_path):
    whole = object_of(name).read_bytes()
    copy = tmp_path / "damaged.bpf.o"
    counts = {"ran": 0, "refused": 0, "loader died": 0}
    for seed in range(500 if FULL else 60):
        copy.write_bytes(damaged(whole, seed))
        seen = harness.run(harness.BIN / "piccolo", "ebpf", "inspect", copy, "-o", "json", check=False)
        assert seen.returncode in (0, 1) and seen.stderr == "", (seed, seen)
        with ByHand(copy, "--attach", "xdp:va", lease="20s") as one:
            wait(lambda: one.process.poll() is not None or "link" in one.err, 15, f"seed {seed}")
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGINT)
            status = one.end()
        assert status in (0, 1), (seed, status, one.err)
        assert "its process was ended" not in one.err, (seed, one.err)
        counts["loader died" if "the loader was ended by signal" in one.err else "refused" if status else "ran"] += 1
    print(counts)
    assert counts["refused"] > 0 and sum(counts.values()) >= 60
    assert link.is_clean()


# -- inspect ----------------------------------------------------------------------------------------


def test_inspect_needs_no_privileges(link):
    import json

    program = harness.program_for_anybody("piccolo", tempfile.gettempdir())
    shown = subprocess.run([str(program), "ebpf", "inspect", "-", "-o", "json"], input=object_of("hello").read_bytes(),
                           preexec_fn=lambda: os.setresuid(65534, 65534, 65534), capture_output=True)
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    assert report["valid"] and report["allowed"]
    assert [(one["name"], one["type"]) for one in report["programs"]] == [("hello", "xdp")]
    assert report["grants"] == ["kernel-read"] and "trace_printk" in report["helpers"]
    assert report["hooks"] == ["hello=xdp"]
    plain = harness.run(harness.BIN / "piccolo", "ebpf", "inspect", object_of("packets")).stdout
    assert "valid, may be run by hand" in plain and "grants:    none" in plain


def test_bpftool_sees_what_status_says(link):
    with ByHand("packets") as one:
        evidence = one.evidence()
        program = bpftool("prog", "show", "id", Residue(evidence).programs[0])
        assert program["name"] == "packets" and program["type"] == "xdp"
        assert "(native)" in evidence
