//! How much memory can be had, where the system tells: on Linux.

use std::fs;
use std::path::Path;

/// Returns the bytes that this process can take at most, beyond what it has; `None` where that is not known.
pub fn bytes() -> Option<u64> {
    [of_the_machine(), of_the_groups(), of_the_process()].into_iter().flatten().min()
}

fn of_the_machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kilobytes = field(&text, "MemAvailable:")? + field(&text, "SwapFree:").unwrap_or(0);
    kilobytes.checked_mul(1024)
}

/// The limits that a shell sets (`ulimit`).
fn of_the_process() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let limit = ["Max address space", "Max data size"].into_iter().filter_map(|name| field(&limits, name)).min()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    // Not the address space in use: an allocator reserves more than it has given away.
    let resident = field(&status, "VmRSS:")?.checked_mul(1024)?;
    Some(limit.saturating_sub(resident))
}

/// The limits of the control groups, such as a container's: the process's own and those around it.
fn of_the_groups() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let left = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let files = match controllers {
            "" => &SECOND_VERSION,
            _ if controllers.split(',').any(|name| name == "memory") => &FIRST_VERSION,
            _ => return None,
        };
        let ancestors = Path::new(path.trim_start_matches('/')).ancestors();
        ancestors.filter_map(|group| files.left_in(group)).min()
    });
    left.min()
}

/// What the files of a control group are called.
struct GroupFiles {
    root: &'static str,
    limit: &'static str,
    used: &'static str,
    /// In `memory.stat`: what is used for files, and given up when it is needed.
    cached: [&'static str; 2],
}

const SECOND_VERSION: GroupFiles = GroupFiles {
    root: "/sys/fs/cgroup",
    limit: "memory.max",
    used: "memory.current",
    cached: ["inactive_file ", "active_file "],
};

const FIRST_VERSION: GroupFiles = GroupFiles {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cached: ["total_inactive_file ", "total_active_file "],
};

impl GroupFiles {
    fn left_in(&self, group: &Path) -> Option<u64> {
        let read = |name| fs::read_to_string(Path::new(self.root).join(group).join(name)).ok();
        let limit = field(&read(self.limit)?, "")?; // "max" is no number: no limit
        let statistics = read("memory.stat").unwrap_or_default();
        let cached: u64 = self.cached.iter().filter_map(|name| field(&statistics, name)).sum();
        Some(limit.saturating_sub(field(&read(self.used)?, "")?.saturating_sub(cached)))
    }
}

/// Returns the first number behind a line's beginning.
fn field(text: &str, beginning: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(beginning)?.split_whitespace().next()?.parse().ok())
}
