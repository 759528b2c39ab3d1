"""Who may import whom, beyond the layers that import-linter checks."""

from __future__ import annotations

from tests.architecture.source import modules

APART = ("engine", "actions", "simulator")
PROVIDERS = ("sendgrid", "twilio", "python_http_client")
HTTP = ("httpx", "requests", "urllib.request", "aiohttp")
MAY_CALL_OUT = ("bot.conversations.engine", "bot.channels", "bot.cli")


def inside(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_engine_actions_and_simulator_know_nothing_of_the_application() -> None:
    wrong = [(module, name) for module in modules(*APART) for name in module.imports() if inside(name, ("bot",))]
    assert not wrong


def test_the_application_imports_nothing_of_engine_actions_and_simulator() -> None:
    wrong = [(module, name) for module in modules("bot") for name in module.imports() if inside(name, APART)]
    assert not wrong


def test_provider_libraries_are_used_in_channels_only() -> None:
    wrong = [
        (module, name)
        for module in modules("bot")
        for name in module.imports()
        if inside(name, PROVIDERS) and not inside(module.name, ("bot.channels",))
    ]
    assert not wrong


def test_only_the_engine_client_the_channels_and_the_terminal_make_requests() -> None:
    wrong = [
        (module, name)
        for module in modules("bot")
        for name in module.imports()
        if inside(name, HTTP) and not inside(module.name, MAY_CALL_OUT)
    ]
    assert not wrong


def test_the_launcher_needs_nothing_but_the_standard_library() -> None:
    import sys

    from tests.architecture.source import launcher

    assert [name for name in launcher().imports() if name.split(".")[0] not in sys.stdlib_module_names] == []
