"""What a pure function does not touch, by name, with what to do instead.

Calls are judged, not imports: ``os.path.basename``, ``time.struct_time`` and a seeded ``random.Random(seed)`` are fine.
Times and sizes of day zones (``zoneinfo``) are taken for constants.
"""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """What a call does, and the remedy."""

    does: str
    instead: str


CLOCK = Refusal("reads the clock", "it is given `now`")
ZONE = Refusal("uses the time zone of this machine", "name the zone")
WAIT = Refusal("waits", "decide at which moment to look again")
CHANCE = Refusal("draws chance", "draw it in fetch, or seed a random.Random with what decide is given")
HASH = Refusal("differs from process to process", "use zlib.crc32 or hashlib")
ENVIRONMENT = Refusal("reads the environment", "make it a setting")
FILES = Refusal("touches files", "read in fetch or load, write in apply or deliver")
NETWORK = Refusal("uses the network", "ask in fetch, act in deliver")
DATABASE = Refusal("uses a database", "read in load, write in apply")
PROCESS = Refusal("deals with processes", "do it in fetch or deliver")
THREAD = Refusal("uses threads", "compute in one thread, or fan out in fetch with run.map")
TERMINAL = Refusal("speaks past the pass", "say it in the `reason` of a decision")
CODE = Refusal("runs code that cannot be followed", "call it by its name")
STATE = Refusal("changes a global", "keep it in the database, or pass it on as an argument")

_NAMES = {
    CLOCK: """
        time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns time.process_time
        time.process_time_ns time.thread_time time.thread_time_ns time.clock_gettime time.clock_gettime_ns time.gmtime
        time.asctime time.strftime datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today
        datetime.date.today datetime.datetime().now datetime.datetime().utcnow datetime.datetime().today
        datetime.date().today pollctl.clock.now""",
    ZONE: """
        time.localtime time.ctime time.mktime time.tzset time.tzname time.timezone time.altzone time.daylight
        datetime.date.fromtimestamp datetime.datetime.fromtimestamp""",
    WAIT: "time.sleep",
    CHANCE: "random secrets uuid.uuid1 uuid.uuid4 uuid.uuid6 uuid.uuid7 uuid.getnode os.urandom os.getrandom numpy.random",
    HASH: "builtins.hash builtins.id",
    ENVIRONMENT: """
        os.environ os.environb os.getenv os.getenvb os.getpid os.getppid os.getcwd os.getcwdb os.uname os.cpu_count
        os.getlogin os.getuid os.geteuid os.getgid os.getloadavg os.path.expanduser os.path.expandvars os.path.abspath
        os.path.relpath pathlib.Path.home pathlib.Path.cwd pathlib.Path().expanduser pathlib.Path().absolute platform getpass
        locale sys.argv sys.orig_argv sys.path sys.modules sys.executable sys.flags sysconfig pwd grp resource
        importlib.metadata""",
    FILES: """
        builtins.open io.open io.open_code io.FileIO os shutil glob tempfile fileinput mmap dbm shelve zipfile tarfile gzip.open
        bz2.open lzma.open codecs.open tokenize.open linecache importlib.resources pkgutil.get_data fcntl filecmp
        mailbox netrc.netrc""",
    NETWORK: """
        socket ssl http.client http.server urllib.request ftplib smtplib imaplib poplib nntplib telnetlib xmlrpc
        socketserver requests httpx aiohttp urllib3 pycurl boto3 botocore zeep websocket websockets paramiko icmplib apprise
        select selectors asyncio""",
    DATABASE: "sqlite3 sqlite_utils psycopg psycopg2 sqlalchemy pymysql redis",
    PROCESS: """
        subprocess multiprocessing signal os.system os.popen os.fork os.forkpty os.kill os.killpg os._exit os.abort os.wait
        os.waitpid os.execv os.execve os.execvp os.execl os.spawnv os.spawnl os.posix_spawn os.nice sys.exit ctypes pty""",
    THREAD: "threading _thread concurrent.futures sched contextvars",
    TERMINAL: """
        builtins.print builtins.input builtins.breakpoint sys.stdin sys.stdout sys.stderr sys.__stdout__ sys.__stderr__ logging
        warnings.warn warnings.warn_explicit pdb click.echo click.prompt click.confirm rich.print pprint.pprint pprint.pp""",
    CODE: """
        builtins.eval builtins.exec builtins.compile builtins.__import__ builtins.globals importlib.import_module runpy
        sys._getframe inspect.stack inspect.currentframe""",
}
_BY_NAME = {name: refusal for refusal, names in _NAMES.items() for name in names.split()}
_FINE_NAMES = """
    os.path.basename os.path.dirname os.path.join os.path.split os.path.splitext os.path.normpath os.path.normcase
    os.path.isabs os.path.commonprefix os.path.commonpath os.path.sep os.fspath os.fsencode os.fsdecode os.strerror os.sep
    os.altsep os.extsep os.linesep os.curdir os.pardir os.pathsep os.name os.error os.devnull random.Random
    socket.timeout socket.error socket.gaierror socket.herror socket.inet_aton socket.inet_ntoa socket.inet_pton
    socket.inet_ntop select.error requests.codes signal.strsignal"""
_FINE = frozenset(_FINE_NAMES.split())
_ENOUGH = {
    "time.gmtime": 1,
    "time.asctime": 1,
    "time.strftime": 2,
    "datetime.datetime.fromtimestamp": 2,
    "random.Random": 1,
    "numpy.random.default_rng": 1,
}
"""With so many arguments these compute; with fewer they ask the machine."""
_PATH_METHODS = """
    read_text read_bytes write_text write_bytes iterdir rglob glob unlink rmdir mkdir touch is_file is_dir is_symlink exists
    stat lstat open resolve samefile rename replace chmod symlink_to hardlink_to readlink owner group walk"""
_METHODS = {
    CLOCK: "now utcnow today",
    ZONE: "astimezone fromtimestamp",
    FILES: "read_text read_bytes write_text write_bytes iterdir rglob unlink rmdir mkdir is_file is_dir is_symlink exists",
    ENVIRONMENT: "getenv expanduser",
    NETWORK: "sendall recv urlopen getresponse",
    DATABASE: "execute executemany executescript",
}
"""Of whatever they are called, no value has methods of these names but to do this."""
_BY_METHOD = {name: refusal for refusal, names in _METHODS.items() for name in names.split()}
_BY_NAME |= {f"pathlib.Path().{name}": FILES for name in _PATH_METHODS.split()}
_ARGUMENTS_OF_METHODS = {"astimezone": 1, "fromtimestamp": 2}


def refused(name: str, arguments: int | None) -> Refusal | None:
    """Why a pure function may not refer to something.

    Args:
        name: dotted, of what is not the plugin's own.
        arguments: with how many it is called; None where it is not called.
    """
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        known = ".".join(parts[:end])
        if known.rstrip("()") in _FINE or (known == name and _is_enough(name, arguments)):
            return _unseeded(name, arguments)
        if known in _BY_NAME:
            return None if _is_only_named(parts, end, arguments) else _BY_NAME[known]
    return None


def refused_method(name: str, arguments: int | None) -> Refusal | None:
    """Why a pure function may not call a method of that name, whatever it is a method of."""
    if arguments is None or name not in _BY_METHOD or arguments >= _ARGUMENTS_OF_METHODS.get(name, 99):
        return None
    return _BY_METHOD[name]


def _is_enough(name: str, arguments: int | None) -> bool:
    return name in _ENOUGH and arguments is not None and arguments >= _ENOUGH[name]


def _unseeded(name: str, arguments: int | None) -> Refusal | None:
    return CHANCE if name == "random.Random" and arguments == 0 else None


def _is_only_named(parts: list[str], end: int, arguments: int | None) -> bool:
    """Whether a class, an exception or a constant of a module is named, not used: ``except sqlite3.Error``."""
    is_whole_module = end < len(parts)
    return arguments is None and is_whole_module and parts[end][:1].isupper() and "()" not in parts[end]
