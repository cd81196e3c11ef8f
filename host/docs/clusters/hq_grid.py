"""A grid in parts as HyperQueue's tasks: python hq_grid.py PARTS sweep --set width=64,128,256 --out results

Without HQ_SERVER_DIR a server and two workers are started on this machine; with it the server there gets the tasks.
"""

import os
import subprocess
import sys

from hyperqueue import Client, Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

parts, grid = int(sys.argv[1]), sys.argv[2:]


def submit(client):
    job = Job(max_fails=0)
    for part in range(1, parts + 1):
        job.program(["ntkscope", *grid, "--shard", f"{part}/{parts}", "--threads", "1", "--quiet"],
                    cwd=os.getcwd(), env=dict(os.environ), name=f"part {part}")
    client.wait_for_jobs([client.submit(job)])


if "HQ_SERVER_DIR" in os.environ:
    submit(Client(os.environ["HQ_SERVER_DIR"]))
else:
    with LocalCluster() as cluster:
        for _ in range(2):
            cluster.start_worker(WorkerConfig(cores=1))
        submit(cluster.client())
sys.exit(subprocess.call(["ntkscope", *grid, "--collect"]))
