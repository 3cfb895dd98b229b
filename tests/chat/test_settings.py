"""What can be set by environment variables, and what cannot."""

import re
import traceback

import pytest

from chat import Settings
from chat.log import open_log
from chat.metrics import Metrics
from tools.notebook import ROOT


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment() == Settings()
    monkeypatch.setenv("CHAT_GRACE", "0.5")
    monkeypatch.setenv("CHAT_STREAMS", "7")
    monkeypatch.setenv("CHAT_SECURE", "1")
    monkeypatch.setenv("CHAT_HOSTS", "chat.example, *.chat.example,[::1]")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    found = Settings.from_environment()
    assert (found.grace, found.streams, found.secure) == (0.5, 7, True)
    assert found.hosts == "chat.example, *.chat.example,[::1]"
    assert found.redis_url == "redis://127.0.0.1:1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRACE", "soon"),
        ("STREAMS", "1.5"),
        ("SECURE", "perhaps"),
        ("IDLE", "-1"),
        ("PING", "nan"),
        ("LONGEST", "inf"),
        ("TURNS", "0"),
        ("KEEP", "200"),
        ("HOSTS", ""),
        ("HOSTS", "localhost,chat.example:8443"),
        ("HOSTS", "https://chat.example"),
        ("HOSTS", "*example"),
    ],
)
def test_what_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CHAT_{name}", value)
    with pytest.raises(ValueError, match=f"CHAT_{name}"):
        Settings.from_environment()


@pytest.mark.parametrize("folder", ["", "there-is-none"])
def test_metrics_of_several_workers_need_a_folder(
    monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", folder)
    with pytest.raises(ValueError, match=f"PROMETHEUS_MULTIPROC_DIR={folder} is no"):
        Metrics()


@pytest.mark.parametrize("beside", ["#", "/", "?", ":@["])
async def test_the_password_of_redis_is_in_no_word_of_ours(beside: str) -> None:
    settings = Settings(redis_url=f"redis://:SECRET{beside}SECRET@127.0.0.1:1")
    with pytest.raises(ValueError, match="REDIS_URL cannot be read") as failed:
        await open_log(settings).start()
    shown = "".join(traceback.format_exception(failed.value))
    assert "SECRET" not in shown + repr(settings)


def test_the_page_names_each_with_its_default() -> None:
    text = (ROOT / "chat" / "README.md").read_text("utf-8")
    found = {}
    for names, values in re.findall(r"^\| (`CHAT_.*?) \| (.*?) \|", text, re.MULTILINE):
        keys = re.findall("`(.*?)`", names)
        found |= zip(keys, values.replace("`", "").split(", "), strict=False)
    for name, default in vars(Settings()).items():
        if name not in ("redis_url", "hosts"):
            assert float(found[f"CHAT_{name.upper()}"]) == float(default), name
