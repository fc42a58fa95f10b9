"""Chromium, driven over its debugging pipe: no driver, no port, no package beside the browser itself."""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import harness

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One tab. `width`, `height` and `scale` as a phone or a desktop has them; `dark` as the person prefers."""

    def __init__(self, width=1200, height=800, scale=1, dark=False, phone=False, scripts=True):
        self.size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone}
        self.dark, self.scripts = dark, scripts
        self.number = 0
        self.buffer = b""
        self.events = []

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="piccolo-browser-")
        theirs_in, self.out = os.pipe()
        self.inp, theirs_out = os.pipe()

        def pipes():  # the browser reads descriptor 3 and writes descriptor 4
            low, high = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(low, 3)
            os.dup2(high, 4)

        # The hub's certificate is its own authority's; what is tested here is the page, trust is tested elsewhere.
        self.process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars",
             "--disable-dev-shm-usage", "--ignore-certificate-errors", "--no-first-run", "--lang=en",
             f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=pipes, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.profile, "log"), "wb"), env={**os.environ, "HOME": self.profile, "TMPDIR": self.profile},
            start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        self.session = None
        pages = harness.wait(lambda: [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"],
                             30, "Chromium has a tab")
        self.session = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", **self.size)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}])
        self.call("Emulation.setScriptExecutionDisabled", value=not self.scripts)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.out)
        os.close(self.inp)
        shutil.rmtree(self.profile, ignore_errors=True)

    def read(self):
        while b"\0" not in self.buffer:
            more = os.read(self.inp, 1 << 16)
            assert more, "Chromium ended"
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def run(self, expression):
        """The value of a JavaScript expression in the page; also when the page's own scripts are switched off."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, url):
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self.wait_loaded()

    def wait_loaded(self):
        harness.wait(lambda: self.run("document.readyState") == "complete", 15, "the page is loaded")

    def text(self):
        return self.run("document.body ? document.body.innerText : ''")

    def shows(self, words, seconds=10):
        """Waits until the page says so, without loading it again."""
        harness.wait(lambda: words.lower() in self.text().lower(), seconds, f"the page says \"{words}\"")

    def fill(self, selector, text):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def press(self, selector):
        """A click at the middle of the element, as a finger does it."""
        place = self.run(f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
                         "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
                         "return [b.x + b.width / 2, b.y + b.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def key(self, key, code=0, text=None):
        more = {"text": text} if text else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def complaints(self):
        """What the browser refused or found wrong: violations of the policy, errors of scripts."""
        self.run("1")  # what is under way arrives first
        found = []
        for event in self.events:
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                found.append(event["params"]["entry"]["text"])
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(event["params"]["exceptionDetails"]))
        return found

    def picture(self, path, whole=True):
        clip = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1},
                    "captureBeyondViewport": True}
        data = self.call("Page.captureScreenshot", format="png", **clip)["data"]
        with open(path, "wb") as out:
            out.write(base64.b64decode(data))


def sign_in(browser, hub):
    browser.open(hub.url + "/")
    browser.fill("#token", hub.token)
    browser.press("main button")
    browser.shows("Devices")
    harness.wait(lambda: browser.run("document.querySelector('nav') !== null"), 10, "the navigation is there")


def now(seconds=0):
    """The time in so many seconds, as devices and pages write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def rest(seconds):
    """Lets time pass where its passing is what is looked at."""
    time.sleep(seconds)
