"""A private PostgreSQL and Redis, other processes, and what they use. All of them end with this program."""
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import psycopg2

NEWEST = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
HZ = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Children:
    """Processes that were started here; all are ended at the end, by their id."""

    def __init__(self):
        self.all, self.postgres = [], None

    def start(self, command, log, cwd=None, env=None):
        out = open(log, "ab")
        child = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=cwd, env=env,
                                 start_new_session=True)
        self.all.append(child)
        return child

    def stop(self, child, patience=8):
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(patience)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child in self.all:
            self.all.remove(child)

    def stop_all(self):
        for child in list(self.all):
            self.stop(child)
        if self.postgres:
            self.postgres.stop()
            self.postgres = None


CHILDREN = Children()
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


class Postgres:
    def __init__(self, home, wal_level):
        self.home, self.port, self.data = home, free_port(), home / "data"
        if AS_POSTGRES:
            shutil.chown(home, "postgres", "postgres")
        subprocess.run(AS_POSTGRES + [NEWEST + "/initdb", "-D", self.data, "-U", "bench", "-A", "trust", "-E", "UTF8",
                                      "--locale=C.UTF-8", "--no-sync"], check=True, cwd=home, stdout=subprocess.DEVNULL)
        # What bench_servers of Sluice sets, and wal_level: fsync and synchronous_commit are on.
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(f"listen_addresses='127.0.0.1'\nport={self.port}\nunix_socket_directories='{home}'\n"
                       f"max_connections=100\nshared_buffers=128MB\nmax_wal_size=2GB\nwal_level={wal_level}\n")
        CHILDREN.postgres = self
        self.control("start")
        self.pid = int((self.data / "postmaster.pid").read_text().split("\n")[0])
        self.uri = f"postgresql://bench@127.0.0.1:{self.port}/postgres"

    def control(self, action, *more):
        subprocess.run(AS_POSTGRES + [NEWEST + "/pg_ctl", "-D", self.data, "-l", self.home / "server.log", "-w", "-t", "60",
                                      *more, action], check=True, cwd=self.home, stdout=subprocess.DEVNULL)

    def stop(self):
        try:
            self.control("stop", "-m", "immediate")
        except subprocess.CalledProcessError as e:
            print("measure: PostgreSQL did not stop:", e, file=sys.stderr)

    def connect(self):
        c = psycopg2.connect(self.uri)
        c.autocommit = True
        return c


class Redis:
    def __init__(self, home):
        self.port = free_port()
        self.child = CHILDREN.start(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                                     "--appendonly", "no", "--dir", str(home)], home / "redis.log")
        for _ in range(500):
            try:
                self.link = Link(self.port)
                return
            except OSError:
                time.sleep(0.01)
        raise SystemExit("redis-server did not start")


def run_quietly(command, cwd=None):
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


class Incomplete(Exception):
    pass


class Link:
    """A raw connection to Redis."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def ask(self, *words):
        """@returns the reply and the time when its first byte was here"""
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.sock.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        at = None
        while True:
            got = self.sock.recv(1 << 20)
            at = at or time.monotonic_ns()
            if not got:
                raise EOFError
            self.buffer += got
            try:
                reply, end = self.parse(0)
            except Incomplete:
                continue
            self.buffer = self.buffer[end:]
            return reply, at

    def __call__(self, *words):
        reply, _ = self.ask(*words)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def parse(self, at):
        end = self.buffer.find(b"\r\n", at)
        if end < 0:
            raise Incomplete
        kind, text, at = self.buffer[at:at + 1], self.buffer[at + 1:end], end + 2
        if kind == b"+":
            return text, at
        if kind == b"-":
            return RuntimeError(text.decode()), at
        if kind == b":":
            return int(text), at
        if kind == b"$":
            n = int(text)
            if n < 0:
                return None, at
            if len(self.buffer) < at + n + 2:
                raise Incomplete
            return self.buffer[at:at + n], at + n + 2
        if kind == b"*":
            items = None if int(text) < 0 else []
            for _ in range(int(text)):
                item, at = self.parse(at)
                items.append(item)
            return items, at
        raise ValueError(kind)


def cpu_seconds(pid):
    """Of a process, its descendants and those that it has waited for."""
    parents, stats = {}, {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(name))
            stats[int(name)] = sum(map(int, fields[11:15]))
    total, todo = 0, [pid]
    while todo:
        one = todo.pop()
        total += stats.get(one, 0)
        todo += parents.get(one, [])
    return total / HZ


def resident_mb(pid):
    try:
        return int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) / 1024
    except (OSError, TypeError):
        return 0.0
