//! A stand-in with an SDK client, presigned requests, and requests written by hand.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Config, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use reqwest::{Response, StatusCode};
use s3_standin::{Options, S3Standin};
use sha2::Digest as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const BUCKET: &str = "standin";
pub(crate) const PART_BYTES: usize = 5 << 20;

/// A stand-in and a client of it that repeats nothing.
pub(crate) struct Bench {
    pub(crate) standin: S3Standin,
    pub(crate) client: Client,
    pub(crate) options: Options,
    pub(crate) http: reqwest::Client,
}

pub(crate) async fn start() -> Bench {
    start_with(Options::default()).await
}

pub(crate) async fn start_with(options: Options) -> Bench {
    let standin = S3Standin::start(options.clone()).await.unwrap();
    let client = client(&standin.endpoint(), &options);
    Bench { standin, client, options, http: reqwest::Client::new() }
}

/// A client with the credentials of `options`, which may be wrong ones.
pub(crate) fn client(endpoint: &str, options: &Options) -> Client {
    Client::from_conf(config(endpoint, options).build())
}

pub(crate) fn config(endpoint: &str, options: &Options) -> aws_sdk_s3::config::Builder {
    let token = options.session_token.clone();
    Config::builder()
        .region(Region::new("eu-central-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(Credentials::new(&options.access_key, &options.secret_key, token, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
}

impl Bench {
    pub(crate) async fn put(&self, key: &str, bytes: Vec<u8>) {
        self.client.put_object().bucket(BUCKET).key(key).body(bytes.into()).send().await.unwrap();
    }

    pub(crate) async fn read(&self, key: &str) -> Vec<u8> {
        let object = self.client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        object.body.collect().await.unwrap().to_vec()
    }

    pub(crate) async fn exists(&self, key: &str) -> bool {
        self.client.head_object().bucket(BUCKET).key(key).send().await.is_ok()
    }

    pub(crate) async fn presigned_put(&self, key: &str) -> PresignedRequest {
        self.client.put_object().bucket(BUCKET).key(key).presigned(minute()).await.unwrap()
    }

    pub(crate) async fn presigned_get(&self, key: &str) -> PresignedRequest {
        self.client.get_object().bucket(BUCKET).key(key).presigned(minute()).await.unwrap()
    }

    /// Sends a presigned request as it is, with a body.
    pub(crate) async fn send(&self, request: &PresignedRequest, body: Vec<u8>) -> Response {
        self.builder(request).body(body).send().await.unwrap()
    }

    /// A presigned request, for a test to spoil.
    pub(crate) fn builder(&self, request: &PresignedRequest) -> reqwest::RequestBuilder {
        let method = request.method().parse().unwrap();
        let builder = self.http.request(method, request.uri());
        request.headers().fold(builder, |builder, (name, value)| builder.header(name, value))
    }

    /// The headers of a request, signed for this stand-in; `payload` stands for the body in the signature.
    pub(crate) fn signed(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        payload: &str,
    ) -> Vec<(String, String)> {
        let host = self.standin.address().to_string();
        let mut all: Vec<_> =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        all.push(("host".to_owned(), host));
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity =
            Credentials::new(&self.options.access_key, &self.options.secret_key, None, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-central-1")
            .name("s3")
            .time(SystemTime::now())
            .settings(settings);
        let params = params.build().unwrap().into();
        let pairs = all.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let uri = format!("{}{path}", self.standin.endpoint());
        let body = SignableBody::Precomputed(payload.to_owned());
        let request = SignableRequest::new(method, uri, pairs, body).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        let (signed, _) = instructions.into_parts();
        all.extend(signed.iter().map(|header| (header.name().to_owned(), header.value().to_owned())));
        all
    }

    /// Writes a request byte by byte and reads all that comes back until the connection closes.
    pub(crate) async fn raw(&self, line: &str, headers: &[(String, String)], body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.standin.address()).await.unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{line} HTTP/1.1\r\n{headers}connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // The stand-in may refuse and close before it has read everything.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Uploads `parts` under `key` without any checksum of the object's own, and completes.
    pub(crate) async fn multipart(&self, key: &str, parts: &[Vec<u8>]) {
        use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
        let upload = self.client.create_multipart_upload().bucket(BUCKET).key(key).send().await.unwrap();
        let upload_id = upload.upload_id().unwrap();
        let mut completed = CompletedMultipartUpload::builder();
        for (number, bytes) in (1..).zip(parts) {
            let part =
                self.client.upload_part().bucket(BUCKET).key(key).upload_id(upload_id).part_number(number);
            let part = part.body(bytes.clone().into()).send().await.unwrap();
            let etag = part.e_tag().unwrap();
            completed = completed.parts(CompletedPart::builder().part_number(number).e_tag(etag).build());
        }
        let complete = self.client.complete_multipart_upload().bucket(BUCKET).key(key).upload_id(upload_id);
        complete.multipart_upload(completed.build()).send().await.unwrap();
    }
}

pub(crate) fn minute() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()
}

/// Bytes that no other `seed` makes.
pub(crate) fn bytes(count: usize, seed: u8) -> Vec<u8> {
    (0..count).map(|at| (at % 251) as u8 ^ (at / 251 % 256) as u8 ^ seed).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(sha2::Sha256::digest(bytes))
}

/// The error code that S3 answered with; panics where it did not refuse.
pub(crate) fn code<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    match result {
        Ok(_) => panic!("done, although it should have been refused"),
        Err(error) => {
            error.as_service_error().and_then(|error| error.code()).unwrap_or("no answer").to_owned()
        }
    }
}

/// The status and the error code of an answer.
pub(crate) async fn refusal(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let body = response.text().await.unwrap();
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    (status, code.map_or(body.clone(), |(code, _)| code.to_owned()))
}

/// A body that the SDK cannot know beforehand, so that its checksum comes in the trailer.
pub(crate) fn streaming(bytes: Vec<u8>) -> ByteStream {
    struct Known(Option<bytes::Bytes>, u64);

    impl http_body::Body for Known {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
            std::task::Poll::Ready(self.0.take().map(|data| Ok(http_body::Frame::data(data))))
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(self.1)
        }
    }

    let size_bytes = bytes.len() as u64;
    ByteStream::from_body_1_x(Known(Some(bytes.into()), size_bytes))
}
