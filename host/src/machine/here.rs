//! The computer by its name.

use std::fs;

use super::cores;

/// The processor and how many threads it runs at once: `AMD EPYC 7B13, 2 threads`. Where the system does not name it in
/// /proc/cpuinfo, the architecture stands in its place.
pub fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = known.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name));
    let name = named.map_or(std::env::consts::ARCH, str::trim);
    let threads = cores();
    format!("{name}, {threads} thread{}", if threads == 1 { "" } else { "s" })
}
