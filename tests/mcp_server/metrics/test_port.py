"""The port: on loopback alone, for those who call this machine by a name of its own, and never taken from another."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mcp_server.metrics import port
from tests.mcp_server.metrics.samples import overview, server

PATIENCE_S = 30.0


@pytest.fixture
def served() -> Iterator[int]:
    sockets = port.listening(0)
    port.answer(sockets, lambda: overview(server(1)))
    yield sockets[0].getsockname()[1]


def get(number: int, path: str = port.PATH, host: str = "127.0.0.1", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(host, number, timeout=PATIENCE_S)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_what_is_scraped_is_what_prometheus_reads(served: int) -> None:
    response = get(served)
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    names = {metric.name for metric in text_string_to_metric_families(response.read().decode())}
    assert "codeloupe_search_seconds" in names


def test_a_client_that_asks_for_the_newer_format_gets_it(served: int) -> None:
    response = get(served, Accept="application/openmetrics-text; version=1.0.0")
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert response.read().endswith(b"# EOF\n")


@pytest.mark.parametrize(
    "name", ["codeloupe_servers", "codeloupe_search_seconds_count", "codeloupe_files_indexed_total"]
)
def test_one_metric_can_be_asked_for_by_name(served: int, name: str) -> None:
    lines = get(served, f"{port.PATH}?name[]={name}").read().decode().splitlines()
    assert {line.partition("{")[0].partition(" ")[0] for line in lines if not line.startswith("#")} == {name}


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_both_loopback_addresses_answer(served: int) -> None:
    assert get(served, host="::1").status == 200


def test_other_paths_are_not_found_and_say_where_metrics_are(served: int) -> None:
    response = get(served, "/")
    assert (response.status, response.read()) == (404, b"404 Not Found: metrics are at /metrics\n")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:9464", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:9464", 200),
        ("[::1]", 200),
        ("rebound.example.com:9464", 403),
        ("127.0.0.1.example.com", 403),
        ("localhost:9464:9464", 403),
        ("", 403),
    ],
)
def test_a_page_that_reaches_the_port_by_a_name_of_its_own_is_refused(served: int, host: str, status: int) -> None:
    assert get(served, Host=host).status == status


def test_a_client_that_says_nothing_keeps_nobody_waiting_for_ever(served: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_connection(("127.0.0.1", served), timeout=PATIENCE_S):
        assert get(served).status == 200


def test_a_client_that_says_a_letter_now_and_then_keeps_nobody_waiting_for_ever(
    monkeypatch: pytest.MonkeyPatch, served: int
) -> None:
    monkeypatch.setattr(port, "REQUEST_S", 0.5)
    answered = threading.Event()

    def say_a_letter_now_and_then() -> None:
        with contextlib.suppress(OSError):
            while not answered.wait(0.1):
                slow.sendall(b"A")

    with socket.create_connection(("127.0.0.1", served), timeout=PATIENCE_S) as slow:
        slow.sendall(b"G")
        saying = threading.Thread(target=say_a_letter_now_and_then)
        saying.start()
        try:
            assert get(served).status == 200
        finally:
            answered.set()
            saying.join(PATIENCE_S)


def test_a_port_that_another_program_has_is_not_taken_from_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="in use"):
            port.listening(other.getsockname()[1])


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_port_that_another_program_has_at_the_other_address_is_left_to_it_wholly() -> None:
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", 0))
        other.listen()
        number = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            port.listening(number)
        with socket.socket() as one:
            one.bind(("127.0.0.1", number))  # nothing of ours holds it


def test_two_who_want_the_same_port_do_not_both_have_it() -> None:
    sockets = port.listening(0)
    with pytest.raises(OSError, match="in use"):
        port.listening(sockets[0].getsockname()[1])
    for one in sockets:
        one.close()
