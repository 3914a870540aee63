#!/usr/bin/env python3
"""Goes through every page of the console with a real browser, headless Chromium, by the WebDriver protocol.

Starts `sluice console` on the tiny domain, over SQLite, or over PostgreSQL and Redis with many events; with rows that wait,
rows that were given up and a dead letter. Logs in, acts, logs out. Fails when a page has an error in the browser's console, is wider than a telephone, or lacks what makes it
usable without a mouse or without eyes; with --axe, the directory of a Python environment with axe-core-python, also when
axe finds something. With --screenshots DIR it leaves pictures there.
"""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

EMBEDDED = """
[databases.default]
provider = "sqlite"
database_uri = "sqlite:///tiny.db"
synchronous = "normal"
[brokers.default]
provider = "sqlite"
URI = "default.db"
[brokers.partner]
provider = "sqlite"
URI = "partner/events.db"
[brokers.elsewhere]
provider = "sqlite"
URI = "elsewhere.db"
"""

SERVERS = """
[databases.default]
provider = "postgresql"
database_uri = "{postgresql}"
schema = "{schema}"
[brokers.default]
provider = "redis"
URI = "redis://127.0.0.1:{redis}/0"
[brokers.partner]
provider = "redis"
URI = "redis://127.0.0.1:{redis}/1"
[brokers.elsewhere]
provider = "redis"
URI = "redis://127.0.0.1:{redis}/2"
"""

CONFIGURATION = """
[outbox]
external_brokers = ["partner", "elsewhere"]
[outbox.lanes.elsewhere]
stream = "other::thing"  # where a handler waits that likes nothing
[server]
health.port = {server_port}
[server.subscription]
max_retries = 1
[console]
port = {console_port}
send_commands = true
"""

# So many events more, in the log of the last day; each is published to the internal broker, and the partner, whose lane
# rests, has not got the last tenth.
MANY_EVENTS = """
SET search_path = {schema};
SET synchronous_commit = off;
CREATE TEMPORARY TABLE model AS SELECT * FROM event_log WHERE type = 'Tiny.CounterCreated.v1' ORDER BY seq LIMIT 1;
BEGIN;
INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata, targets)
    SELECT 'many-' || n, 'tiny::counter-many-' || n % 50000, 'tiny::counter', n / 50000, type,
           now() - interval '1 day' * ({count} - n) / {count}, data, metadata,
           (SELECT bit_or(1::bigint << number) FROM outbox_broker WHERE name IN ('default', 'partner'))
    FROM generate_series(1, {count}) AS n, model ORDER BY n;
UPDATE outbox_broker SET parts = array_append(parts, 101) WHERE name IN ('default', 'partner') AND 101 <> ALL (parts);
WITH many AS (
    SELECT seq, created_at, n / 1000 AS batch, min(seq) OVER (PARTITION BY n / 1000) - 1 AS after,
           n >= {count} * 9 / 10 AS waits
    FROM (SELECT seq, created_at, row_number() OVER (ORDER BY seq) - 1 AS n
          FROM event_log WHERE message_id LIKE 'many-%') AS numbered
)
INSERT INTO outbox_ledger (broker, part, after, upto, count, seqs, settled_at, owner, epoch, receipt_head, receipts)
    SELECT b.number, 101, m.after, max(m.seq), count(*), array_agg((m.seq - m.after)::integer ORDER BY m.seq),
           max(m.created_at), 'many', 1, '1-1', repeat(chr(31), count(*)::integer - 1)
    FROM many AS m JOIN outbox_broker AS b ON b.name = 'default' OR (b.name = 'partner' AND NOT m.waits)
    GROUP BY b.number, m.batch, m.after;
UPDATE lease SET mark = (SELECT max(seq) FROM event_log) WHERE broker = 'default';
UPDATE lease SET mark = (SELECT max(l.upto) FROM outbox_ledger AS l JOIN outbox_broker AS b ON b.number = l.broker
                         WHERE b.name = 'partner')
    WHERE broker = 'partner';
COMMIT;
ANALYZE event_log, outbox_ledger;
"""

PASSWORD = "correct horse battery"
LONG = 60  # seconds that a condition may take on a busy machine
SLOW = 10  # seconds that no page may take, even there


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition):
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {LONG} s")


class Browser:
    """A session of chromedriver."""

    def __init__(self, driver, dark=False):
        self.port = free_port()
        self.process = subprocess.Popen([driver, f"--port={self.port}"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for("chromedriver's start", self.is_up)
        # Only root needs --no-sandbox; a small /dev/shm must not matter.
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking"]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": arguments}}}})
        self.session = "/session/" + answer["sessionId"]

    def is_up(self):
        try:
            return self.call("GET", "/status")["ready"]
        except (OSError, urllib.error.URLError):
            return False

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=LONG) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()[:400]}") from error

    def open(self, url):
        self.call("POST", self.session + "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_for_script(self, script):
        """What the script gives to its last argument, a function."""
        return self.call("POST", self.session + "/execute/async", {"script": script, "args": []})

    def text(self):
        return self.run("return document.body.innerText")

    def expect(self, text):
        """A click may return before the page that it leads to is there."""
        try:
            wait_for(text, lambda: text in self.text())
        except AssertionError as late:
            raise AssertionError(f"the page does not say `{text}`: {self.text()}") from late

    def find(self, css):
        found = self.call("POST", self.session + "/element", {"using": "css selector", "value": css})
        return next(iter(found.values()))

    def click(self, css):
        self.call("POST", f"{self.session}/element/{self.find(css)}/click", {})

    def type(self, css, text):
        self.call("POST", f"{self.session}/element/{self.find(css)}/value", {"text": text})

    def resize(self, width, height):
        self.call("POST", self.session + "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}})

    def set_scheme(self, scheme):
        self.call("POST", self.session + "/goog/cdp/execute", {
            "cmd": "Emulation.setEmulatedMedia",
            "params": {"features": [{"name": "prefers-color-scheme", "value": scheme}]}})

    def picture(self, file):
        shot = self.call("POST", self.session + "/goog/cdp/execute", {
            "cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": True}})
        pathlib.Path(file).write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        return [entry["message"] for entry in self.call("POST", self.session + "/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING")]

    def close(self):
        try:
            self.call("DELETE", self.session)
        finally:
            self.process.terminate()
            self.process.wait(timeout=LONG)


# What a page must have for those who do not see it, or use no mouse.
ACCESSIBILITY = r"""
const wrong = [];
const name = (e) => (e.getAttribute('aria-label') || e.innerText || e.title || '').trim();
if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
if (document.querySelectorAll('main').length !== 1) wrong.push('not one main');
if (!document.title) wrong.push('no title');
const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push('id twice: ' + id);
for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
  if (!e.labels.length && !e.getAttribute('aria-label')) wrong.push('no label: ' + e.name);
for (const e of document.querySelectorAll('button, a')) if (!name(e)) wrong.push('no name: ' + e.outerHTML.slice(0, 80));
for (const e of document.querySelectorAll('table')) if (!e.caption) wrong.push('table without a caption');
for (const e of document.querySelectorAll('svg'))
  if (!e.getAttribute('aria-label') && !e.getAttribute('aria-hidden')) wrong.push('svg without a name');
const rgb = (c) => (c.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = (c) => { const [r, g, b] = rgb(c).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
  if (rgb(c).length < 4 || rgb(c)[3] === 1) return c; } return 'rgb(255,255,255)'; };
const seen = new Set();
for (const e of document.querySelectorAll('body *')) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  if (!e.checkVisibility() || e.closest('option, caption, thead, .skip')) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  const what = e.tagName + '.' + e.className;
  if (ratio < 4.5 && !seen.has(what)) { seen.add(what); wrong.push('contrast ' + ratio.toFixed(2) + ': ' + what); }
}
if (document.documentElement.scrollWidth > innerWidth) wrong.push('wider than the window: ' + document.documentElement.scrollWidth);
return wrong;
"""


# Deque's axe-core, whose rules are the yardstick of the field.
AXE = r"""
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(
  (found) => done(found.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' '))),
  (error) => done(['axe failed: ' + error]));
"""


def axe_of(environment):
    """The script of axe, or nothing when the package index could not be reached."""
    if not environment or (pathlib.Path(environment) / "unavailable").exists():
        return None
    return next(pathlib.Path(environment).glob("lib/python*/site-packages/axe_core_python/axe.min.js")).read_text()


class Console:
    """The project and its processes."""

    def __init__(self, sluice, domain, directory, parts, users=True):
        self.sluice, self.directory = sluice, pathlib.Path(directory)
        self.environment = dict(os.environ, SLUICE_DOMAIN=domain)
        self.console_port = free_port()
        (self.directory / "partner").mkdir()
        text = parts + CONFIGURATION.format(server_port=free_port(), console_port=self.console_port)
        (self.directory / "domain.toml").write_text(text)
        if users:
            line = self.run("console", "password", "anna", "--role=operator", given=PASSWORD + "\n")
            (self.directory / "domain.toml").write_text(text + line)
        self.console = None

    def run(self, *arguments, given=""):
        done = subprocess.run([self.sluice, *arguments], cwd=self.directory, env=self.environment, input=given, text=True,
                              capture_output=True, timeout=120)
        if done.returncode not in (0, 1):
            raise AssertionError(f"{arguments}: {done.stderr}")
        return done.stdout

    def start(self, *arguments):
        return subprocess.Popen([self.sluice, *arguments], cwd=self.directory, env=self.environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill(self):
        """A dead letter, published rows, rows that wait, rows that were given up."""
        lines = [json.dumps({"command": "CreateCounter", "data": {"counter_id": f"c-{i}"}}) for i in range(7)]  # fewer than open the circuit breaker
        lines += [json.dumps({"command": "Increase", "data": {"counter_id": "c-1", "by": 10}})]
        lines += [json.dumps({"command": "CreateCounter", "data": {"counter_id": "<script>document.title='evil'</script>"}})]
        self.run("process", "-", given="\n".join(lines) + "\n")
        server = self.start("server")
        try:
            wait_for("dead letters", lambda: len(json.loads(self.run("dlq", "list", "--json"))["dead_letters"]) == 8)
            wait_for("everything published", lambda: not json.loads(self.run("outbox", "list", "--status=pending", "--json"))["rows"])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=LONG)
        more = [json.dumps({"command": "CreateCounter", "data": {"counter_id": f"later-{i}"}}) for i in range(7)]  # fewer than open the circuit breaker
        self.run("process", "-", given="\n".join(more) + "\n")
        self.run("outbox", "discard", "--stream=tiny::counter-later-3", "--yes")
        self.run("lanes", "pause", "partner", "--reason=they move house")

    def open(self):
        self.console = self.start("console")

        def answers():
            try:
                with socket.create_connection(("127.0.0.1", self.console_port), timeout=5):
                    return True
            except OSError:
                return False
        wait_for("the console's start", answers)

    def close(self):
        if self.console:
            self.console.send_signal(signal.SIGTERM)
            if self.console.wait(timeout=LONG) != 0:
                raise AssertionError("the console did not end well")


class Servers:
    """A schema of its own in a PostgreSQL server that runs, and a Redis server."""

    def __init__(self, environment_file, directory):
        lines = dict(line.split("=", 1) for line in pathlib.Path(environment_file).read_text().splitlines())
        self.postgresql = lines["SLUICE_TEST_POSTGRES_URI"].strip("'\"")
        self.schema = f"console_{os.getpid()}"
        self.redis_port = free_port()
        self.redis = subprocess.Popen(["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
                                       "--appendonly", "no", "--dir", directory], stdout=subprocess.DEVNULL)
        self.query(f"CREATE SCHEMA {self.schema}")

    def parts(self):
        return SERVERS.format(postgresql=self.postgresql, schema=self.schema, redis=self.redis_port)

    def query(self, text):
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", self.postgresql], input=text, text=True, check=True,
                       stderr=subprocess.DEVNULL, timeout=3600)

    def fill(self, count):
        self.query(MANY_EVENTS.format(schema=self.schema, count=count))

    def close(self):
        self.redis.terminate()
        self.redis.wait(timeout=LONG)
        self.query(f"DROP SCHEMA {self.schema} CASCADE")


def pages_of(browser, base):
    """Every page, each found as a person finds it: by a link of another one."""
    seen, wanted = {}, ["/console"]
    kinds = [(re.compile(r"/messages/"), 3), (re.compile(r"/lanes/"), 3), (re.compile(r"/processes/[^?]+/"), 2),
             (re.compile(r"/commands/"), 3), (re.compile(r"/dead-letters/"), 2), (re.compile(r"\?"), 6)]
    counts = {}
    while wanted:
        path = wanted.pop(0)
        if path in seen or "/assets/" in path:
            continue
        kind = next((k for k, most in kinds if k.search(path)), None)
        if kind:
            counts[kind.pattern] = counts.get(kind.pattern, 0) + 1
            if counts[kind.pattern] > dict((k.pattern, m) for k, m in kinds)[kind.pattern]:
                continue
        begin = time.monotonic()
        browser.open(base + path)
        seen[path] = time.monotonic() - begin
        yield path, seen[path]
        links = browser.run("return [...document.querySelectorAll('main a[href], nav a[href]')].map((a) => a.getAttribute('href'))")
        wanted += [link for link in links if link.startswith("/console")]


def log_in(browser, base):
    browser.open(base + "/console")
    browser.expect("Log in")
    browser.type("#name", "anna")
    browser.type("#password", "wrong password")
    browser.click("main button")
    browser.expect("Wrong name or password.")
    browser.complaints()  # the browser complains of the 401
    browser.type("#password", PASSWORD)
    browser.click("main button")
    browser.expect("Overview")
    browser.expect("anna")


def look_at_all(browser, base, pictures, axe):
    times = {}
    for path, seconds in pages_of(browser, base):
        times[path] = seconds
        assert seconds < SLOW, f"{path} took {seconds:.1f} s"
        for width, scheme in ((1280, "light"), (360, "light"), (1280, "dark")):
            browser.resize(width, 900)
            browser.set_scheme(scheme)
            wrong = browser.run(ACCESSIBILITY)
            if axe:
                wrong += browser.wait_for_script(axe + AXE)
            assert not wrong, f"{path} at {width} px, {scheme}: {wrong}"
            if pictures:
                name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")[:60]
                browser.picture(pathlib.Path(pictures) / f"{name}-{width}-{scheme}.png")
        complaints = browser.complaints()
        assert not complaints, f"{path}: {complaints}"
        assert browser.run("return document.title").endswith("· Sluice"), "a script from outside ran"
    browser.resize(1280, 900)
    browser.set_scheme("light")
    assert len(times) >= 20, f"only {len(times)} pages were found"
    return times


def act(browser, base, console):
    rows = base + "/console/contexts/tiny/rows"
    browser.open(rows + "?status=abandoned")
    browser.click("input[name=row]")
    browser.click("button[formaction$='/rows/retry']")
    browser.expect("Retry 1 row?")
    browser.click("main button")
    browser.expect("1 row given a full new budget")

    browser.open(rows + "?status=pending&broker=partner&stream=tiny%3A%3Acounter-later-5")
    browser.type("#reason-of-all", "the partner asked")
    browser.click(".panel button[formaction$='/rows/discard']")
    browser.expect("Discard 1 row?")
    browser.click("main button")
    browser.expect("1 row given up")
    browser.open(rows + "?status=abandoned&stream=tiny%3A%3Acounter-later-5")
    browser.expect("the partner asked")

    browser.open(base + "/console/contexts/tiny/dead-letters")
    browser.click("button[formaction$='/dead-letters/purge']")
    browser.expect("nothing brings them back")
    browser.click("main button")
    browser.expect("8 dead letters deleted")

    browser.open(base + "/console/contexts/tiny/lanes/default/partner")
    browser.expect("they move house")
    browser.click("main form.change button")
    browser.expect("Resume the lanes to partner?")
    browser.click("main button")
    browser.expect("go on")

    browser.open(base + "/console/contexts/tiny/commands/CreateCounter")
    browser.type("[name='field.counter_id']", "by-hand")
    browser.click("main button")
    browser.expect("Send CreateCounter?")
    browser.click("main button")
    browser.expect("Done.")
    browser.open(rows + "?stream=tiny%3A%3Acounter-by-hand")
    browser.expect("Tiny.CounterCreated.v1")

    browser.open(base + "/console/actions")
    for action in ("rows.retry", "dead_letters.purge", "lanes.resume", "commands.send"):
        browser.expect(action)

    browser.open(base + "/console")
    wait_for("a live page", lambda: "Live" in browser.text())
    console.run("lanes", "pause", "default", "--reason=seen without a reload")
    wait_for("the news", lambda: "The lane to default is paused by an operator" in browser.text())


def leave(browser, base):
    browser.click(".visitor button")
    browser.expect("Log in")
    browser.open(base + "/console/contexts/tiny/rows")
    browser.expect("Log in")
    assert "counter" not in browser.text(), browser.text()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--driver", required=True)
    parser.add_argument("--axe")
    parser.add_argument("--screenshots")
    parser.add_argument("--postgresql", help="file that tests/support/servers/postgres.sh leaves; instead of SQLite")
    parser.add_argument("--events", type=int, default=500_000, help="so many more, with --postgresql")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        parts = EMBEDDED
        if given.postgresql:
            servers = Servers(given.postgresql, directory)
            stack.callback(servers.close)
            parts = servers.parts()
        console = Console(given.sluice, given.domain, directory, parts)
        console.run("db", "setup")
        console.fill()
        if given.postgresql:
            servers.fill(given.events)
        console.open()
        stack.callback(console.close)
        browser = Browser(given.driver)
        stack.callback(browser.close)
        base = f"http://127.0.0.1:{console.console_port}"
        log_in(browser, base)
        times = look_at_all(browser, base, given.screenshots, axe_of(given.axe))
        act(browser, base, console)
        leave(browser, base)
        print(f"{len(times)} pages; the slowest:")
        for path, seconds in sorted(times.items(), key=lambda each: -each[1])[:5]:
            print(f"{seconds * 1000:6.0f} ms  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
