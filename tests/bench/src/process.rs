//! What Linux says about a process, from `/proc/<pid>`.

use std::fs;

use crate::Result;

/// Resident memory of a process in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Now (`VmRSS`).
    pub resident_bytes: u64,
    /// The most it ever was (`VmHWM`).
    pub peak_bytes: u64,
}

/// Returns the resident memory of `pid`.
pub fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib * 1024)
    };
    Ok(Memory {
        resident_bytes: bytes("VmRSS:").ok_or("no VmRSS")?,
        peak_bytes: bytes("VmHWM:").ok_or("no VmHWM")?,
    })
}

/// Returns the processor time that `pid` has used so far, user and system, in seconds.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in brackets and may hold spaces.
    let after_name = stat.rsplit_once(") ").ok_or("odd /proc/<pid>/stat")?.1;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
