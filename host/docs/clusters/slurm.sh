#!/bin/bash
#SBATCH --job-name=ntkscope
#SBATCH --cpus-per-task=2
#SBATCH --time=02:00:00
#SBATCH --requeue
# A task of an array runs its part of the grid; without --array the same script collects:
#   grid="sweep --set width=64,128,256 --set seed=0..4 --out results"
#   job=$(sbatch --parsable --array=1-8 slurm.sh $grid)
#   sbatch --dependency=afterok:$job slurm.sh $grid --collect
set -euo pipefail
exec ntkscope "$@" --threads "${SLURM_CPUS_PER_TASK:-1}" --quiet
