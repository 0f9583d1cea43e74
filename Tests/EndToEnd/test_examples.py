"""The files of examples/ that other programs read, each run by or held against that program."""

import json
import re
import shlex
import shutil
import subprocess
from contextlib import contextmanager

import pytest
import yaml

from harness.agent import Agent
from harness.network import OwnNetwork
from harness.sending import send_datagrams
from harness.waiting import wait_for


@pytest.fixture
def network():
    with OwnNetwork() as network:
        yield network


@pytest.fixture
def agent_on_default_ports(network, program, tmp_path):
    """In a network of its own: what examples name is 127.0.0.1:8080."""
    agent = Agent(network.command(program, "--trusted-proxy", "127.0.0.1/32", "--flush-interval", "100ms"), tmp_path)
    network.wait_until_ready()
    yield agent
    assert agent.stop() == 0


@pytest.fixture
def certificate(tmp_path):
    """A folder with a certificate for localhost that signs itself."""
    folder = tmp_path / "tls"
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "footfall.key", "-out", folder / "footfall.pem"],
        check=True, capture_output=True)
    return folder


@contextmanager
def running(command, **options):
    """A program as long as the context lasts; what it said is printed."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        print(process.communicate(timeout=20)[0])


def assert_front_serves(network, certificate):
    """What a TLS front on 443 must do: pass calls on, say who the client is, and let events through as they come."""
    curl = ["curl", "-sS", "--fail-with-body", "--max-time", "10", "--cacert", str(certificate / "footfall.pem"), "--resolve", "localhost:443:127.0.0.1"]

    def ask(path, *options):
        return network.run(*curl, *options, f"https://localhost{path}").stdout

    wait_for(lambda: "ready" in ask("/ready"), "the front answers")
    body = json.dumps({"user_id": "customer123", "page_url": "https://ecommerce.com/promotion"})
    told = json.loads(ask("/visit", "-H", "Content-Type: application/json", "-d", body))
    assert told["success"] is True and told["visit_count"] == 1, told
    assert "visit_addresses" in ask("/metrics")
    assert "<!doctype html>" in ask("/", "-H", "Accept: text/html")
    # A stream that nothing ends: the first message comes through while it is open.
    with running(network.command(*curl, "-N", "https://localhost/events")) as events:
        assert events.stdout.readline().startswith("retry")
        wait_for(lambda: events.stdout.readline().startswith("data: {"), "a message")


def test_nginx_serves_as_tls_front(root, network, agent_on_default_ports, certificate, tmp_path):
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/nginx.pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; include {root}/examples/nginx.conf; }}\n")
    nginx = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    tried = network.run(*nginx, "-t")
    assert tried.returncode == 0 and "warn" not in tried.stderr, tried.stderr
    with running(network.command(*nginx)):
        assert_front_serves(network, certificate)


def test_caddy_serves_as_tls_front(root, network, agent_on_default_ports, certificate, tmp_path):
    text = (root / "examples/Caddyfile").read_text()
    # With a certificate at hand it needs none of its own making, nor root's trust store.
    text = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text.replace(
        "{$SITE:localhost} {\n", f"{{$SITE:localhost}} {{\n\ttls {certificate}/footfall.pem {certificate}/footfall.key\n", 1)
    (tmp_path / "Caddyfile").write_text(text)
    environment = {"HOME": str(tmp_path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for file in (root / "examples/Caddyfile", tmp_path / "Caddyfile"):
        tried = subprocess.run(["caddy", "validate", "--adapter", "caddyfile", "--config", file], capture_output=True, text=True, env=environment)
        assert tried.returncode == 0 and "Valid configuration" in tried.stdout, tried.stderr
    with running(network.command("caddy", "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")), env=environment):
        assert_front_serves(network, certificate)


def test_the_javascript_client_counts(root, agent):
    told = subprocess.run(["node", root / "examples/client.js", agent.url()], capture_output=True, text=True, timeout=30)
    assert told.returncode == 0, told.stderr
    assert "visits: 1\n" in told.stdout and "purchases: 1\n" in told.stdout and "accepted: 2, refused: []" in told.stdout, told.stdout
    agent.wait_for_line('buy_total{product="11111",promotion="67890"} 1')


def test_the_python_client_counts(root, agent):
    host, port = agent.address("udp")
    told = subprocess.run(["python3", root / "examples/client.py", host, str(port), agent.url()], capture_output=True, text=True, timeout=30)
    assert told.returncode == 0 and told.stdout == "purchases: 1\n", told.stderr
    agent.wait_for_line('visit_total{page="/promo"} 1')
    agent.wait_for_line('visit_users{page="/promo"} 1')
    agent.wait_for_line("render_seconds_count 1")


def test_locusts_users_meet_no_failure(root, agent):
    locust = root / ".venv/bin/locust"
    told = subprocess.run(
        [locust, "-f", root / "examples/locustfile.py", "--headless", "--users", "30", "--spawn-rate", "30", "--run-time", "4s", "--host", agent.url(),
         "--json", "--exit-code-on-error", "1"],
        capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr[-3000:] + told.stdout[-3000:]
    asked = {entry["name"]: entry for entry in json.loads(told.stdout)}
    assert {"/visit", "/buy", "/stats"} <= asked.keys() and not any(entry["num_failures"] for entry in asked.values())
    # Who was waiting for an answer at the end was counted here and not there.
    stats = agent.stats()
    for total, path in (("total_visits", "/visit"), ("total_buys", "/buy")):
        assert 0 <= stats[total] - asked[path]["num_requests"] <= 30, (total, stats[total], asked[path])


def test_grafanas_dashboard_asks_for_what_there_is(root, agent):
    dashboard = json.loads((root / "examples/grafana.json").read_text())
    assert dashboard["schemaVersion"] >= 36 and dashboard["title"] == "Footfall" and dashboard["uid"]
    variables = {one["name"] for one in dashboard["templating"]["list"]}
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10
    cells = set()
    for panel in panels:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & mine, panel["title"]
        cells |= mine
        assert panel["title"] and panel["type"] in ("stat", "timeseries", "bargauge")
        assert panel["targets"] and all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
    expressions = [target["expr"] for panel in panels for target in panel["targets"]] + [one["expr"] for one in dashboard["annotations"]["list"]]
    assert {name for text in expressions for name in re.findall(r"\$\{?(\w+)", text)} <= variables | {"__rate_interval"}

    send_datagrams(agent.address("udp"), b"visit:page1|c\nbuy:promotion1|c\nvisit_users:ann|s|#page:page1\nx:1|zz")
    agent.wait_for_line('visit_total{page="page1"} 1')
    page = agent.scrape()
    known = {name for name, _ in page.samples} | set(page.types)
    labels = {name: {label for sample, sample_labels in page.samples if sample == name for label, _ in sample_labels} for name in known}
    for text in expressions:
        names = set(re.findall(r"\b([a-z][a-z0-9_]+)\{", text))
        assert names and names <= known, (text, names - known)
        by = {label.strip() for group in re.findall(r"by \(([^)]*)\)", text) for label in group.split(",")}
        assert all(by <= labels[name] for name in names), (text, by)
    rules = {"groups": [{"name": "dashboard", "rules": [{"record": f"panel:{place}", "expr": re.sub(r"\$__rate_interval", "1m", text)} for place, text in enumerate(expressions)]}]}
    checked = subprocess.run(["promtool", "check", "rules", "/dev/stdin"], input=json.dumps(rules), capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def read_dockerfile(root):
    """The last stage: its instructions with their words, and the variables that it sets."""
    text = (root / "examples/Dockerfile").read_text().replace("\\\n", " ")
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    build, last = stages[-2], stages[-1]
    told = dict(re.findall(r"^([A-Z]+) (.*)$", last, re.MULTILINE))
    variables = dict(word.split("=", 1) for word in shlex.split(told["ENV"]))
    return build, told, variables


def test_the_container_runs_on_nothing_but_its_own_files(root, network, program, tmp_path):
    build, told, variables = read_dockerfile(root)
    assert "examples/container.sh .build/release/footfall /tree" in build and told["COPY"] == "--from=build /tree /"
    tree = tmp_path / "tree"
    made = subprocess.run(["bash", root / "examples/container.sh", program, tree], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert {path.name for path in tree.iterdir()} <= {"footfall", "etc", "tmp", "var", "lib", "lib64", "usr", "opt"}
    assert not list(tree.rglob("*sh")), "there is no shell in it"
    entry = json.loads(told["ENTRYPOINT"]) + json.loads(told["CMD"])
    command = network.command("env", "-i", *(f"{name}={value}" for name, value in variables.items()), shutil.which("chroot"), f"--userspec={told['USER']}", str(tree), *entry)
    agent = Agent(command, tmp_path)
    try:
        network.wait_until_ready()
        assert agent.wait_for_log("listening.*udp=0.0.0.0:8125.*tcp=0.0.0.0:8125.*http=0.0.0.0:8080")
        network.run("bash", "-c", 'echo "visit:page1|c" > /dev/udp/127.0.0.1/8125')
        wait_for(lambda: 'visit_total{page="page1"} 1' in network.curl("/metrics"), "the visit is counted")
        assert agent.stop() == 0
    finally:
        if agent.is_running:
            agent.kill()


def test_the_compose_file_names_what_there_is(root):
    _, told, variables = read_dockerfile(root)
    compose = yaml.safe_load((root / "examples/compose.yaml").read_text())
    footfall, prometheus = compose["services"]["footfall"], compose["services"]["prometheus"]
    assert (root / "examples" / footfall["build"]["context"]).resolve() == root.resolve()
    assert (root / footfall["build"]["dockerfile"]).is_file()
    exposed = {tuple(one.split("/")) for one in told["EXPOSE"].split()}
    published = {(port.split(":")[-1].partition("/")[0], port.partition("/")[2] or "tcp") for port in footfall["ports"]}
    assert exposed <= published and published - exposed == {("9090", "tcp")}
    assert {value.split(":")[1] for value in variables.values()} == {port for port, _ in exposed}
    for volume in prometheus["volumes"]:
        source = volume.split(":")[0]
        assert source in compose["volumes"] or (root / "examples" / source).is_file(), source
    assert prometheus["network_mode"] == "service:footfall"
