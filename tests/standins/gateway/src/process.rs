//! What the kernel knows of the processes of an instance.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a killed process may take to end, on a machine that is busy.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// Kills a process and everything that it started, and waits until what it started has ended.
///
/// The emulator starts functions in process groups of their own, so its group is not enough.
pub(crate) fn kill_tree(root: u32) {
    // Stopped first, so that it starts nothing while its descendants are listed.
    signal(root, Signal::STOP);
    let descendants = descendants(root);
    signal(root, Signal::KILL);
    for process in &descendants {
        signal(*process, Signal::KILL);
    }
    let started = Instant::now();
    while descendants.iter().any(|process| is_running(*process)) && started.elapsed() < END_TIMEOUT {
        sleep(Duration::from_millis(1));
    }
}

/// Returns the largest peak of resident memory among the descendants of `root`.
pub(crate) fn peak_memory_mb(root: u32) -> Option<f64> {
    descendants(root).into_iter().filter_map(peak_of).max_by(f64::total_cmp)
}

fn peak_of(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / 1024.0)
}

fn descendants(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        next += 1;
    }
    found.split_off(1)
}

/// Returns every process with its parent; empty where there is no `/proc`.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let processes = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.filter_map(|process| Some((process, parent_of(process)?))).collect()
}

fn parent_of(process: u32) -> Option<u32> {
    stat(process)?.split_whitespace().nth(1)?.parse().ok()
}

/// A process that has ended and that nobody has collected yet is not running.
fn is_running(process: u32) -> bool {
    stat(process).is_some_and(|fields| !fields.trim_start().starts_with(['Z', 'X']))
}

/// Returns the fields from the state on; the name before them may hold anything.
fn stat(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.to_owned())
}

fn signal(process: u32, signal: Signal) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    // A process that has ended needs no signal.
    let _unneeded = pid.map(|pid| kill_process(pid, signal));
}
