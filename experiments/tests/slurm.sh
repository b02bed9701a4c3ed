#!/usr/bin/env bash
# Runs slurm.sbatch on a Slurm of one node that this script starts and stops: every part, one of them killed while it
# computes and requeued. The reports must be those of one process, byte for byte.
#
# Needs root, and Debian's slurmctld, slurmd, slurm-client and munge. Usage: slurm.sh REPRODUCE
set -euo pipefail

reproduce=$(realpath "$1")
project=$(realpath "$(dirname "$0")/..")
scratch=$(mktemp -d)
host=$(hostname -s)
export SLURM_CONF=$scratch/slurm.conf

mkdir -p "$scratch/state" "$scratch/spool" /run/munge
chown munge: /run/munge
cat > "$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
KillWait=1
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
SlurmctldLogFile=$scratch/slurmctld.log
SlurmdLogFile=$scratch/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=3000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF

has_munge() { munge -n 2>/dev/null | unmunge >/dev/null 2>&1; }
started_munge=
stop() {
  scontrol shutdown >/dev/null 2>&1 || true
  [ -z "$started_munge" ] || kill "$(cat /run/munge/munged.pid)" || true
  rm -rf "$scratch"
}
trap stop EXIT
has_munge || { runuser -u munge -- munged --force; started_munge=yes; }
slurmctld
slurmd
wait_for() { # wait_for SECONDS COMMAND...
  local seconds=$1; shift
  for _ in $(seq $((seconds * 10))); do if "$@"; then return 0; fi; sleep 0.1; done
  echo "waited $seconds seconds in vain for: $*" >&2
  tail -5 "$scratch"/*.log >&2
  return 1
}
is_idle() { [ "$(sinfo -h -o %t)" = idle ]; }
wait_for 30 is_idle

out=$scratch/out
seeds=12 # enough for a part to be killed while it computes
arguments=(variants tuning --quick --seeds "$seeds")
job=$(REPRODUCE=$reproduce sbatch --parsable --array=1-4 --cpus-per-task=1 --mem-per-cpu=500 \
  --chdir="$scratch" --output="$scratch/part-%a.log" "$project/slurm.sbatch" "${arguments[@]}" --out "$out")
has_begun() { [ "$(find "$out" -name '*.json' 2>/dev/null | wc -l)" -ge 4 ]; }
wait_for 60 has_begun
scontrol requeue "${job}_1"
has_ended() { [ -z "$(squeue -h -j "$job")" ]; }
wait_for 300 has_ended
grep -q 'restarts: 1' "$scratch/part-1.log" || { echo "part 1 was not requeued" >&2; cat "$scratch"/part-*.log >&2; exit 1; }

"$reproduce" --collect "${arguments[@]}" --out "$out" >/dev/null
"$reproduce" "${arguments[@]}" --out "$scratch/alone" >/dev/null 2>&1
for name in variants variants/digits tuning; do
  cmp "$out/$name/results.json" "$scratch/alone/$name/results.json"
done
"$reproduce" --check "${arguments[@]}" --out "$out"
echo "four parts on Slurm, one of them killed and requeued: the same reports as of one process"
