//! What Lambda reports of an invocation.

/// What Lambda's log tells at the end of each invocation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// How long the function took to start, if this invocation started it.
    pub init_ms: Option<f64>,
    /// How long the function took to answer, without its start.
    pub duration_ms: f64,
    /// The peak of the function's resident memory so far; `None` where the kernel does not tell.
    pub max_memory_mb: Option<f64>,
}

/// Gathers reports from the lines that one emulator writes.
///
/// Its `REPORT` line ends an invocation but is not to be believed: its init duration is next to nothing, its duration
/// includes the start, its memory is the configured size. Two earlier lines of its log have the real times.
#[derive(Default)]
pub(crate) struct ReportReader {
    init_ms: Option<f64>,
    duration_ms: Option<f64>,
}

impl ReportReader {
    /// Reads the next line, and returns the report that it completes.
    pub(crate) fn read(&mut self, line: &str) -> Option<Report> {
        if let Some((_, rest)) = line.split_once("(rapid) INIT REPORT(") {
            self.init_ms = number(rest, "durationMs: ", ")");
        } else if let Some((_, rest)) = line.split_once("(rapid) INVOKE RTDONE(") {
            self.duration_ms = number(rest, "duration: ", "ms)");
        } else if line.starts_with("REPORT RequestId: ") {
            let Self { init_ms, duration_ms } = std::mem::take(self);
            return Some(Report { init_ms, duration_ms: duration_ms?, max_memory_mb: None });
        }
        None
    }
}

fn number(text: &str, before: &str, after: &str) -> Option<f64> {
    text.split_once(before)?.1.split_once(after)?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
START RequestId: 84ad Version: $LATEST
21 Nov 2026 07:34:48,768 [INFO] (rapid) INIT START(type: on-demand, phase: init)
21 Nov 2026 07:34:48,774 [INFO] (rapid) INIT RTDONE(status: success)
21 Nov 2026 07:34:48,774 [INFO] (rapid) INIT REPORT(durationMs: 5.856000)
21 Nov 2026 07:34:48,774 [INFO] (rapid) INVOKE START(requestId: 84ad)
21 Nov 2026 07:34:48,775 [INFO] (rapid) INVOKE RTDONE(status: success, produced bytes: 0, duration: 1.559000ms)
END RequestId: 84ad
REPORT RequestId: 84ad\tInit Duration: 0.03 ms\tDuration: 7.66 ms\tBilled Duration: 8 ms\tMemory Size: 3008 MB\t
START RequestId: fe94 Version: $LATEST
21 Nov 2026 07:34:48,788 [INFO] (rapid) INVOKE RTDONE(status: success, produced bytes: 0, duration: 1.662000ms)
END RequestId: fe94
REPORT RequestId: fe94\tDuration: 1.84 ms\tBilled Duration: 2 ms\tMemory Size: 3008 MB\t";

    #[test]
    fn only_the_first_invocation_has_an_init() {
        let mut reader = ReportReader::default();
        let reports: Vec<Report> = LOG.lines().filter_map(|line| reader.read(line)).collect();
        let cold = Report { init_ms: Some(5.856), duration_ms: 1.559, max_memory_mb: None };
        let warm = Report { init_ms: None, duration_ms: 1.662, max_memory_mb: None };
        assert_eq!(reports, [cold, warm]);
    }

    #[test]
    fn a_report_without_times_is_none() {
        let mut reader = ReportReader::default();
        assert_eq!(reader.read("REPORT RequestId: 84ad\tDuration: 7.66 ms"), None);
    }
}
