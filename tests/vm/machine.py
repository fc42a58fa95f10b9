"""One virtual machine under QEMU (image/vm/run): starts it, talks to root's shell on its second serial line, cuts its
power, checks its disk.

    with Machine(folder, image, ignition=config_or_url, forward={18085: 8085}) as machine:
        machine.start()
        machine.wait_for_shell(300)
        print(machine.shell("uname -r"))
        machine.cut()            # as a plug that is pulled
        machine.check_disk()
"""

import pathlib
import re
import signal
import socket
import subprocess
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Gone(Exception):
    """The machine has ended; the last lines of its console are in the text."""


class Machine:
    def __init__(self, folder, image, ignition=None, forward=None, memory=256):
        self.folder, self.image, self.ignition = pathlib.Path(folder), pathlib.Path(image), ignition
        self.forward, self.memory = dict(forward or {}), memory
        self.process = self.line = None
        self.pending = b""
        self.boots = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

    # -- power -----------------------------------------------------------------------------------------------------------

    def start(self, network=True):
        assert self.process is None, "it runs already"
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [ROOT / "image/vm/run", self.folder, "--image", self.image, "--memory", str(self.memory)]
        if self.ignition:
            command += ["--ignition", str(self.ignition)]
        for host, guest in self.forward.items():
            command += ["--forward", f"{host}:{guest}"]
        if not network:
            command.append("--no-network")
        self.log_start = self.console_size()
        with open(self.folder / "qemu.log", "ab") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.boots += 1
        self.started = time.monotonic()

    def cut(self):
        """SIGKILL: what the machine has not flushed is lost."""
        self.hang_up()
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def power_off(self, seconds=120):
        """As the button does: systemd ends everything."""
        self.say("systemctl poweroff")
        self.process.wait(timeout=seconds)
        self.hang_up()
        self.process = None

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    # -- words -----------------------------------------------------------------------------------------------------------

    def console_size(self):
        try:
            return (self.folder / "console.log").stat().st_size
        except OSError:
            return 0

    def console(self):
        """What this boot wrote on the first serial line."""
        with open(self.folder / "console.log", "rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def last_words(self):
        return "\n".join(self.console().splitlines()[-25:])

    def hang_up(self):
        if self.line:
            self.line.close()
        self.line, self.pending = None, b""

    def say(self, text):
        if not self.line:
            self.line = socket.socket(socket.AF_UNIX)
            self.line.connect(str(self.folder / "shell"))
        self.line.settimeout(5)
        self.line.sendall(text.encode() + b"\n")

    def hear(self, pattern, seconds):
        """What comes up to the pattern; None when it does not come in time."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.pending)
            if found:
                before, self.pending = self.pending[:found.start()], self.pending[found.end():]
                return before, found
            if not self.is_running():
                raise Gone(f"the machine has ended; the end of its console:\n{self.last_words()}")
            self.line.settimeout(max(0.05, min(0.5, end - time.monotonic())))
            try:
                self.pending += self.line.recv(65536)
            except TimeoutError:
                if time.monotonic() > end:
                    return None

    def wait_for_shell(self, seconds=300):
        """Until root's shell answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                mark = uuid.uuid4().hex
                self.say(f"stty -echo; PS1= PS2=; export TERM=dumb; echo {mark[:16]}''{mark[16:]}")
                if self.hear(mark.encode() + rb"\r?\n", 2):
                    (self.folder / "first-boot").unlink(missing_ok=True)
                    return time.monotonic() - self.started
            except (ConnectionError, FileNotFoundError, OSError):
                self.hang_up()
                if not self.is_running():
                    raise Gone(f"the machine has ended; the end of its console:\n{self.last_words()}") from None
                time.sleep(0.2)
        raise AssertionError(f"no shell after {seconds} s; the end of the console:\n{self.last_words()}")

    def shell(self, command, seconds=60, check=True):
        """Runs it as root; its output. A status other than 0 is an error, with `check`."""
        mark = uuid.uuid4().hex
        self.pending = b""
        self.say(f"{{ {command}\n}} </dev/null 2>&1; echo {mark[:16]}''{mark[16:]}:$?:")
        heard = self.hear(mark.encode() + rb":(\d+):\r?\n", seconds)
        assert heard, f"`{command}` has not ended after {seconds} s; so far: {self.pending.decode(errors='replace')}"
        output, status = heard[0].decode(errors="replace").replace("\r\n", "\n"), int(heard[1].group(1))
        assert not check or status == 0, f"`{command}` ended with {status}: {output}"
        return output

    def wait(self, condition, seconds, what):
        """As harness.wait, but ends at once when the machine has."""
        end, last = time.monotonic() + seconds, None
        while time.monotonic() < end:
            if not self.is_running():
                raise Gone(f"{what}: the machine has ended; the end of its console:\n{self.last_words()}")
            try:
                last = condition()
                if last:
                    return last
            except (AssertionError, OSError, subprocess.SubprocessError, ValueError, KeyError, IndexError) as failure:
                last = failure
            time.sleep(0.2)
        raise AssertionError(f"{what}: not so after {seconds} s; last: {last!r}\n{self.last_words()}")

    # -- disk ------------------------------------------------------------------------------------------------------------

    def check_disk(self):
        """Replays the journal as the next boot would, then looks at everything. Nothing else may have to be mended."""
        disk = str(self.folder / "disk")
        replay = subprocess.run(["e2fsck", "-p", disk], capture_output=True, text=True)
        assert replay.returncode in (0, 1), f"e2fsck -p: {replay.stdout}{replay.stderr}"
        full = subprocess.run(["e2fsck", "-fn", disk], capture_output=True, text=True)
        assert full.returncode == 0, f"e2fsck -fn: {full.stdout}{full.stderr}"
        return replay.stdout
