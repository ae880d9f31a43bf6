//! What was used, as AWS meters it.

/// The step in which HTTP APIs are metered.
const API_UNIT_BYTES: usize = 512 * 1024;

/// What one push, pull or scheduled run used. Everything is counted, nothing estimated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Requests that came through the edge.
    pub(crate) edge_requests: u32,
    /// Bytes that the edge passed on to an origin.
    pub(crate) edge_upload_bytes: usize,
    /// Requests to the API that the read function answered.
    pub(crate) api_reads: u32,
    /// Requests to the API that the write function answered.
    pub(crate) api_writes: u32,
    /// Requests to the API as they are metered.
    pub(crate) api_units: usize,
    /// Bytes of bodies that passed the write function.
    pub(crate) function_bytes: usize,
    /// Bytes that passed the relay.
    pub(crate) relay_bytes: usize,
    /// Direct uploads that the events function took over.
    pub(crate) adoptions: u32,
    /// Bytes that S3 copied for it.
    pub(crate) copied_bytes: usize,
    /// Events that it told the bus.
    pub(crate) deliveries: u32,
    /// Runs of the scheduled function.
    pub(crate) scheduled_runs: u32,
    /// Calls of DynamoDB.
    pub(crate) item_calls: u64,
    /// Write request units.
    pub(crate) write_units: f64,
    /// Read request units.
    pub(crate) read_units: f64,
    /// S3 requests of the dear class: PUT, COPY, POST, LIST.
    pub(crate) s3_writes: u32,
    /// S3 requests of the cheap class: GET and all others.
    pub(crate) s3_reads: u32,
    /// Bytes left below `uploads/`, where they expire.
    pub(crate) upload_bytes: u64,
    /// Bytes left below `tails/`, where they expire.
    pub(crate) tail_bytes: u64,
    /// Bytes that a client fetched from S3.
    pub(crate) downloaded_bytes: usize,
}

impl Usage {
    /// Counts a request to the API with the bytes of its body and its answer.
    pub(crate) fn add_api_request(&mut self, is_read: bool, body_bytes: usize, answer_bytes: usize) {
        match is_read {
            true => self.api_reads += 1,
            false => self.api_writes += 1,
        }
        self.function_bytes += body_bytes;
        self.api_units += (body_bytes + answer_bytes).div_ceil(API_UNIT_BYTES).max(1);
    }

    /// Counts calls of an S3 operation; `false` if its price is not known.
    pub(crate) fn add_s3(&mut self, operation: &str, calls: u32) -> bool {
        match operation {
            "PutObject"
            | "CopyObject"
            | "CreateMultipartUpload"
            | "UploadPart"
            | "UploadPartCopy"
            | "CompleteMultipartUpload"
            | "ListObjectsV2" => self.s3_writes += calls,
            "GetObject" | "HeadObject" => self.s3_reads += calls,
            // These cost nothing.
            "DeleteObject" | "AbortMultipartUpload" => {}
            _ => return false,
        }
        true
    }

    /// Adds what the stores were asked beyond what they are asked when nobody comes.
    pub(crate) fn add_beyond(&mut self, asked: &Self, idle: &Self) {
        self.item_calls += asked.item_calls.saturating_sub(idle.item_calls);
        self.write_units += asked.write_units - idle.write_units;
        self.read_units += asked.read_units - idle.read_units;
        self.s3_writes += asked.s3_writes.saturating_sub(idle.s3_writes);
        self.s3_reads += asked.s3_reads.saturating_sub(idle.s3_reads);
    }

    /// Returns the requests to the API.
    pub(crate) fn api_requests(&self) -> u32 {
        self.api_reads + self.api_writes
    }

    /// Returns the calls of functions.
    pub(crate) fn function_calls(&self) -> u32 {
        self.api_requests() + self.adoptions + self.deliveries + self.scheduled_runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_request_is_metered_in_steps_of_512_kib() {
        let units = |body_bytes, answer_bytes| {
            let mut usage = Usage::default();
            usage.add_api_request(false, body_bytes, answer_bytes);
            usage.api_units
        };
        assert_eq!((units(0, 0), units(524_288, 0), units(524_288, 1)), (1, 1, 2));
        assert_eq!(units(4 << 20, 0), 8);
    }

    #[test]
    fn an_unknown_operation_of_s3_is_not_counted_in_silence() {
        assert!(!Usage::default().add_s3("SelectObjectContent", 1));
    }
}
