"""Where events may be posted, and where nobody can make us knock."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.base.errors import BadInput, Misconfigured
from bot.desk.integrations import posting
from bot.desk.integrations.addresses import Reach, Unreachable, is_allowed, reach_of, resolved, target_of
from bot.desk.integrations.posting import post

OUTSIDE, DEVELOPMENT = Reach(), Reach(is_development=True)
PRIVATE = [
    *("127.0.0.1", "127.8.9.1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.5", "::ffff:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:5", "2002:7f00:1::", "2001:db8::1", "240.0.0.1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_private_is_reached(address: str) -> None:
    assert not is_allowed(ip_address(address), OUTSIDE)
    with pytest.raises(Unreachable, match="private"):
        resolved("desk.example.hk", 443, OUTSIDE, lambda *_: [address])
    with pytest.raises(Unreachable, match="private"):
        resolved("desk.example.hk", 443, OUTSIDE, lambda *_: ["1.1.1.1", address])


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_are_reached(address: str) -> None:
    assert resolved("desk.example.hk", 443, OUTSIDE, lambda *_: [address]) == [address]


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example.hk/hooks",
        "ftp://desk.example.hk/",
        "https://",
        "https:///hooks",
        "javascript:alert(1)",
        "https://me:secret@desk.example.hk/",
        "https://desk.example.hk/#part",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.5:8443/hooks",
        "https://169.254.169.254/latest/meta-data",
        "https://desk.example.hk:99999/",
        "https://desk.example.hk/a b",
        "https://desk.example.hk/\r\nX: y",
        "https://bücher.example/",
        "https://desk.example.hk/" + "a" * 1000,
    ],
)
def test_an_address_that_could_never_be_posted_to_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        target_of(url, OUTSIDE)


def test_on_a_machine_of_development_the_loopback_is_reached_and_nothing_else_private() -> None:
    assert target_of("http://localhost:9000/hooks", DEVELOPMENT).port == 9000
    assert target_of("http://127.0.0.1/hooks?x=1", DEVELOPMENT).path == "/hooks?x=1"
    for url in ("http://10.0.0.5/", "http://desk.example.hk/", "https://192.168.0.9/"):
        with pytest.raises(BadInput):
            target_of(url, DEVELOPMENT)


def test_an_operator_names_the_network_in_which_a_help_desk_stands() -> None:
    reach = reach_of("https://help.example.hk", "10.20.0.0/24, fd00:1::/64")
    assert target_of("https://10.20.0.9/hooks", reach).host == "10.20.0.9"
    assert is_allowed(ip_address("fd00:1::5"), reach)
    assert not is_allowed(ip_address("10.20.1.9"), reach)
    assert not is_allowed(ip_address("127.0.0.1"), reach)
    with pytest.raises(BadInput, match="https only"):
        target_of("http://10.20.0.9/hooks", reach)
    with pytest.raises(Misconfigured):
        reach_of("", "somewhere")


def test_a_name_that_means_something_private_by_now_is_not_connected_to() -> None:
    target = target_of("https://desk.example.hk/hooks", OUTSIDE)
    answered = post(target, b"{}", {}, OUTSIDE, resolve=lambda *_: ["10.0.0.5"])
    assert (answered.status, answered.problem) == (None, "the address is private")


def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, heard = server.getsockname()[1], []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        target = target_of(f"http://localhost:{port}/hooks", DEVELOPMENT)
        answered = post(target, b"{}", {}, DEVELOPMENT, resolve=lambda *_: ["127.0.0.1"])
        thread.join(20)
    assert answered.is_taken
    assert f"Host: localhost:{port}".encode() in heard[0]


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[socket.socket], socket.socket]]:
    """A connection taken as by a server whose certificate is good."""
    key, at = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    file = tmp_path / "localhost.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    posting._context.cache_clear()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    yield lambda plain: context.wrap_socket(plain, server_side=True)
    posting._context.cache_clear()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_sends_a_byte_now_and_then_holds_us_no_longer_than_the_time_that_is_set(
    scheme: str, secured: Callable[[socket.socket], socket.socket]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, said = server.getsockname()[1], b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 2_000
        is_over, was_heard_out = threading.Event(), threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with secured(connection) if scheme == "https" else connection as speaking:
                for byte in said:
                    try:
                        speaking.sendall(bytes([byte]))
                    except OSError:
                        return
                    if is_over.wait(0.02):
                        return
                was_heard_out.set()

        thread = threading.Thread(target=drip)
        thread.start()
        answered = post(target_of(f"{scheme}://localhost:{port}/", DEVELOPMENT), b"{}", {}, DEVELOPMENT, timeout_s=0.5)
        is_over.set()
        thread.join(20)
    assert (answered.is_taken, answered.problem) == (False, "too slow")
    assert not was_heard_out.is_set()


def test_a_server_without_a_good_certificate_is_told_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port, heard = server.getsockname()[1], []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        answered = post(target_of(f"https://localhost:{port}/", DEVELOPMENT), b"a secret body", {}, DEVELOPMENT)
        thread.join(20)
    assert not answered.is_taken
    assert b"a secret body" not in heard[0]
