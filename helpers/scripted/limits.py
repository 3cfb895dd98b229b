"""How many connections one process may hold: a limit of the system's, raised."""

import contextlib
import sys


def allow_many_connections() -> None:
    """Raise the limit of open files, often 1,024, as far as the system lets us."""
    if sys.platform != "win32":
        import resource

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        # macOS says that there is no limit, and then refuses more than this.
        wanted = 10_240 if most == resource.RLIM_INFINITY else most
        if now == resource.RLIM_INFINITY or now >= wanted:
            return
        with contextlib.suppress(ValueError, OSError):  # then with what there is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
