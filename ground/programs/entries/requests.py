"""requests and urllib3, with threads."""
from ground.programs.bed import Lab, Servers
from ground.programs.entries.beds import FAR, FAR_PLAIN, NEAR, QUICK, TRUSTED
from ground.programs.entry import Entry
from ground.servers.own import Asyncio, Proxy

ENTRIES = [
    Entry("requests-get-threads", "client-each-request", "python/addresses.py", 200, FAR, r"requests\.get\(", environment=TRUSTED),
    Entry("requests-loop", "awaited-one-by-one", "python/books.py", 120, NEAR, r"session\.get\(|= description\("),
    Entry("requests-pool-10", "pool-limit", "python/images.py", 192, FAR, r"requests\.Session\(\)", environment=TRUSTED, put_right=(
        ("    session = requests.Session()\n", "    session = requests.Session()\n    session.mount('https://', requests.adapters.HTTPAdapter(pool_maxsize=N_THREADS))\n"),)),
    Entry("requests-pool-block", "pool-limit", "python/maps.py", 200, NEAR, r"pool_block=True|requests\.Session\(\)", put_right=(("pool_maxsize=4", "pool_maxsize={proposed}"),)),
    Entry("requests-few-threads", "semaphore-small", "python/letters.py", 150, NEAR, r"max_workers=3", likewise=("pool-limit",), put_right=(("max_workers=3", "max_workers={proposed}"),)),
    Entry("requests-gil", "gil", "python/articles.py", 150, NEAR, r"counts\[|for size in|for word in|tokens\(response", likewise=("processor-bound",)),
    Entry("requests-unread", "unread-bodies", "python/downloads.py", 120, FAR, r"stream=True|response\.close\(\)", environment=TRUSTED, put_right=(
        ("    response.close()\n", "    response.content\n"),)),
    Entry("requests-proxy", "proxy-unknown", "python/members.py", 160, Servers({
        "web": Asyncio({"": {"delay_ms": 20}}), "proxy": Proxy(settings={"delay_ms": 150})}), environment={"HTTP_PROXY": "http://{proxy}"}, put_right=(
        ("session = requests.Session()\n", "session = requests.Session()\nsession.trust_env = False\n"),)),
    Entry("requests-session-each", "client-each-request", "python/photos.py", 160, FAR, r"requests\.Session\(\)", environment=TRUSTED),
    Entry("urllib3-maxsize-1", "pool-limit", "python/versions.py", 160, FAR_PLAIN, r"PoolManager\(", put_right=(("num_pools=10", "maxsize=32"),)),
    Entry("urllib3-manager-each", "client-each-request", "python/licences.py", 160, FAR_PLAIN, r"PoolManager\(", put_right=(
        ("    http = urllib3.PoolManager(retries=RETRIES)\n", ""),
        ("RETRIES = urllib3.Retry(total=2, backoff_factor=0.1)\n", "RETRIES = urllib3.Retry(total=2, backoff_factor=0.1)\nhttp = urllib3.PoolManager(retries=RETRIES, maxsize=12)\n"))),
    Entry("urllib3-unread", "unread-bodies", "python/heads.py", 120, FAR, r"preload_content=False|response\.close\(\)", environment=TRUSTED, put_right=(
        ("        response.close()\n", "        response.drain_conn()\n        response.release_conn()\n"),)),
    Entry("requests-to-thread", "semaphore-small", "python/tasks.py", 240, Lab("--delay 100ms"), r"asyncio\.to_thread\(", likewise=("pool-limit",), put_right=(
        ("    tasks = Tasks(sys.argv[1])\n",
         "    tasks = Tasks(sys.argv[1])\n    from concurrent.futures import ThreadPoolExecutor\n    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor({proposed}))\n"),)),
]
