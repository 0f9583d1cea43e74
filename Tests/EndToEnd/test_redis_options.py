"""Redis as an operator meets it: options, the .env file of another service, documents, and commands for redis-cli."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.network import OwnNetwork
from harness.readme import read_blocks, run_blocks
from harness.redis import running_cluster, running_redis
from test_running import run

OPTIONS = [
    "--redis", "--redis-cluster", "--redis-password-file", "--redis-prefix", "--redis-flush-interval", "--redis-batch-size", "--redis-timeout",
    "--redis-retries", "--virtual-nodes", "--cache-ttl", "--cache-capacity",
]
SECRET = "s3cret"
ENV = """PROJECT_NAME="Visit Counter"
API_PREFIX=/api/v1
DEBUG=true
export REDIS_NODES="{nodes}"
REDIS_PASSWORD='{password}'
REDIS_DB=0
REDIS_TIMEOUT=5
REDIS_RETRY_ATTEMPTS=3
VIRTUAL_NODES=100
CACHE_TTL_SECONDS=5
CACHE_CAPACITY=1000
BATCH_INTERVAL_SECONDS=5.0
BATCH_SIZE_LIMIT=1000
ENABLE_METRICS=True
METRICS_INTERVAL_SECONDS=60
"""


@pytest.fixture
def guarded_shards():
    with running_redis(3, ["--requirepass", SECRET]) as servers:
        yield servers


def everything_said(agent):
    return "\n".join(agent.log) + agent.get("/status").text + agent.get("/health").text + agent.text()


def test_help_lists_the_options_and_the_names_of_the_env_file(program):
    text = run(program, "--help").stdout
    assert not [option for option in OPTIONS if not re.search(rf"^  {option} ", text, re.MULTILINE)]
    assert not [name for name in re.findall(r"^(?:export )?([A-Z_]+)=", ENV, re.MULTILINE) if name not in text]


@pytest.mark.parametrize(
    "url, told",
    [
        (f"redis://:{SECRET}@h:99999", "port"), (f"rediss://:{SECRET}@h", "stunnel"), (f"http://:{SECRET}@h", "scheme"),
        (f"redis://:{SECRET[:3]},{SECRET[3:]}@h:0", "port"), (f"redis://:{SECRET[:3]}/{SECRET}@h", "database"), ("localhost:6379", "redis://"),
    ],
)
@pytest.mark.parametrize("flag", ["--redis", "--redis-cluster"])
def test_a_bad_url_is_told_without_its_password(program, flag, url, told):
    ended = run(program, flag, url)
    assert ended.returncode == 64 and told in ended.stderr and flag in ended.stderr, ended.stderr
    assert SECRET not in ended.stderr and SECRET[:3] not in ended.stderr and SECRET[3:] not in ended.stderr


def test_servers_and_a_cluster_at_once_are_an_error(program):
    ended = run(program, "check-config", "--redis", "redis://a", "--redis-cluster", "redis://b")
    assert ended.returncode == 78 and "redis-cluster" in ended.stderr


@pytest.mark.parametrize("content", [None, "", "\nx\n"], ids=["missing", "empty", "empty line"])
def test_a_password_file_that_holds_none_is_told(program, tmp_path, content):
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)
    for command, status in (("serve", 78), ("check-config", 78)):
        ended = run(program, command, "--redis", "redis://127.0.0.1:1", "--redis-password-file", str(path))
        assert ended.returncode == status and "redis-password-file" in ended.stderr and str(path) in ended.stderr, ended.stderr


def test_the_env_file_of_the_visit_counter_starts_the_program(start_agent, guarded_shards, tmp_path):
    file = tmp_path / ".env"
    file.write_text(ENV.format(nodes=",".join(server.url for server in guarded_shards), password=SECRET))
    agent = start_agent("--config", str(file))
    for _ in guarded_shards:
        agent.wait_for_log("redis is there")
    told = [line for line in agent.log if "mean nothing here" in line]
    assert len(told) == 1 and " info " in told[0] and "PROJECT_NAME,ENABLE_METRICS,METRICS_INTERVAL_SECONDS" in told[0], told
    assert any(" debug " in line for line in agent.log)
    assert SECRET not in everything_said(agent)


@pytest.mark.parametrize("way", ["URL", "environment", "file"])
def test_a_password_reaches_redis_and_nobody_else(start_agent, guarded_shards, tmp_path, way):
    server = guarded_shards[0]
    url, variables, flags = server.url, {}, []
    if way == "URL":
        url = url.replace("//", f"//:{SECRET}@")
    elif way == "environment":
        variables = {"REDIS_PASSWORD": SECRET}
    else:
        path = tmp_path / "password"
        path.write_text(SECRET + "\n")
        path.chmod(0o600)
        flags = ["--redis-password-file", str(path)]
    agent = start_agent("--log-level", "debug", *flags, environment={"FOOTFALL_REDIS": url, **variables})
    agent.wait_for_log(f"redis is there.*{server.port}")
    assert SECRET not in everything_said(agent)
    assert agent.stop() == 0
    assert SECRET not in "\n".join(agent.log)


def test_the_commands_of_the_cluster_example_run_in_order(root, program, tmp_path):
    blocks = read_blocks((root / "examples/cluster/README.md").read_text())
    assert sum(bool(wanted) for _, _, wanted in blocks) >= 2
    with OwnNetwork() as network:
        run_blocks(blocks, network, program, root, tmp_path)


def test_folding_keeps_the_sum_and_may_be_done_twice(root):
    gone, other, here = "a" * 32, "b" * 32, "c" * 32
    key = "footfall:{visit|page=page1}"
    with running_redis() as (server,):
        server.cli("HSET", key, gone, 2**53 + 1, f"{gone}.base", 5, f"{gone}.run", "r", other, "1.5", here, 7, f"{here}.base", 2)
        for count in (2, 0):
            assert server.cli("--eval", root / "examples/cluster/fold.lua", key, ",", gone, other, "d" * 32) == str(count)
            fields = server.cli("HGETALL", key).split("\n")
            fields = dict(zip(fields[::2], fields[1::2]))
            assert fields.keys() == {"folded", "folded.base", here, f"{here}.base"}
            assert fields["folded"] == "9007199254740994.5"
            assert (fields["folded.base"], fields[here], fields[f"{here}.base"]) == ("5", "7", "2")


def test_the_commands_of_the_cluster_example_for_a_cluster_reach_every_master(root):
    (block,) = re.findall(r"^```sh\n(keys\(\).*?)^```$", (root / "examples/cluster/README.md").read_text(), re.MULTILINE | re.DOTALL)
    names = [f"footfall:{{visit|page={page}}}" for page in range(30)]
    with running_cluster() as cluster:
        first = cluster.servers[0]
        for name in names:
            first.cli("-c", "HSET", name, "a" * 32, 3, "b" * 32, 4)
        assert all(int(master.cli("DBSIZE")) for master in cluster.masters())
        commands = re.sub(r"redis-cli (?=CLUSTER|-c)", f"redis-cli -p {first.port} ", block)
        *folding, deleting = commands.splitlines()
        functions = "\n".join(folding[:-1])
        ended = subprocess.run(["bash", "-ec", "\n".join(folding)], cwd=root, env=os.environ | {"GONE": "a" * 32}, timeout=60)
        assert ended.returncode == 0
        for name in names:
            assert sorted(first.cli("-c", "HGETALL", name).split("\n")) == sorted(["folded", "3", "folded.base", "0", "b" * 32, "4"])
        assert subprocess.run(["bash", "-ec", f"{functions}\n{deleting}"], cwd=root, timeout=60).returncode == 0
        assert [master.cli("DBSIZE") for master in cluster.masters()] == ["0"] * 3


def test_the_units_of_the_cluster_example_verify_without_a_word(root, program, tmp_path):
    unit = tmp_path / "footfall.service"
    unit.write_text(re.sub(r"^(ExecStart=)\S+", rf"\g<1>{program}", (root / "systemd/footfall.service").read_text(), flags=re.MULTILINE))
    folder = tmp_path / "footfall.service.d"
    folder.mkdir()
    shutil.copy(root / "examples/cluster/footfall.service.d.conf", folder / "redis.conf")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60)
    assert (verified.stdout + verified.stderr, verified.returncode) == ("", 0)


def test_redis_takes_the_configuration_of_the_cluster_example(root, tmp_path):
    text = (root / "examples/cluster/redis-shard.conf").read_text()
    for line, own in (("bind 127.0.0.1 10.0.0.1", "bind 127.0.0.1"), ("dir /var/lib/redis", f"dir {tmp_path}")):
        assert f"\n{line}\n" in text
        text = text.replace(line, own)
    file = tmp_path / "redis.conf"
    file.write_text(text)
    with running_redis(options=["--include", file]) as (server,):
        assert server.cli("PING").startswith("NOAUTH")
        assert (tmp_path / "appendonlydir").is_dir()
        policy = server.cli("--no-auth-warning", "-a", "change-me", "CONFIG", "GET", "maxmemory-policy")
        assert policy == "maxmemory-policy\nnoeviction"


def test_the_redis_thread_stands_behind_all_others(start_agent):
    agent = start_agent("--redis", "redis://127.0.0.1:1")
    # proc(5): what follows the name in brackets begins with field 3, and 19 is the nice value.
    texts = [stat.read_text() for stat in Path(f"/proc/{agent.pid}/task").glob("*/stat")]
    nice = {re.search(r"\((.*)\)", text)[1]: int(text.rpartition(")")[2].split()[16]) for text in texts}
    assert nice.pop("redis") == 10 and nice.keys() >= {"query", "worker-0"} and set(nice.values()) == {0}


def test_the_next_start_and_who_takes_over_bear_the_same_name(start_agent, tmp_path):
    with running_redis() as (server,):
        flags = ["--redis", server.url, "--redis-flush-interval", "0", "--state-dir", str(tmp_path / "state")]
        first = start_agent(*flags)
        first.get("/ready")
        assert first._http.post(first.url("/visits/page1")).status_code == 200
        name = (tmp_path / "state/agent-id").read_text().strip()
        second = start_agent("--takeover", *flags)
        assert first.wait() == 0
        assert second._http.post(second.url("/visits/page1")).json()["visits"] == 2
        assert second.stop() == 0
        third = start_agent(*flags)
        assert third._http.post(third.url("/visits/page1")).json()["visits"] == 3
        for agent in (first, second, third):
            assert f"agent={name}" in agent.wait_for_log("sharing counts")
        fields = server.cli("HKEYS", "footfall:{visit|page=page1}").split("\n")
        assert [field for field in fields if "." not in field] == [name]


def test_agents_without_a_state_directory_have_a_name_for_each_start(start_agent):
    with running_redis() as (server,):
        flags = ["--redis", server.url, "--redis-flush-interval", "0", "--cache-ttl", "0", "--state-dir", "none"]
        agents = [start_agent(*flags) for _ in range(2)]
        for agent in agents:
            assert agent._http.post(agent.url("/visits/page1")).status_code == 200
        fields = server.cli("HKEYS", "footfall:{visit|page=page1}").split("\n")
        assert len([field for field in fields if re.fullmatch("[0-9a-f]{32}", field)]) == 2
