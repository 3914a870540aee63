"""A project with a console over PostgreSQL and Redis servers of its own, for the benchmarks of the console."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration" / "console"))
from browser_test import Console, Servers  # noqa: E402


@contextlib.contextmanager
def console_project(build):
    """The project, whose database is set up, and its servers. build: a built tree, as ./test leaves it"""
    domain = next(build.glob("tests/integration/**/libtiny_domain.so"))
    script = ROOT / "tests" / "support" / "servers" / "postgres.sh"
    with contextlib.ExitStack() as at_end:
        directory = at_end.enter_context(tempfile.TemporaryDirectory())
        subprocess.run([script, "start", directory + "/postgres"], check=True)
        at_end.callback(subprocess.run, [script, "stop", directory + "/postgres"], check=True)
        servers = Servers(directory + "/postgres/env", directory)
        at_end.callback(servers.close)
        project = Console(str(build / "bin" / "sluice"), str(domain), directory, servers.parts(), users=False)
        at_end.callback(project.close)
        project.run("db", "setup")
        yield project, servers
