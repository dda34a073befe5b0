//! The project's own HTTP client, as the library of object stores wants one: no second one is
//! linked for it.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::poll_fn;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions};
use tokio::sync::{mpsc, oneshot};
use ureq::http::Request;
use ureq::http::response::Parts;

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that are read at once.
const PIECE: usize = 128 << 10;

/// Makes clients.
#[derive(Debug)]
pub struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp);
        let config = ureq::Agent::config_builder()
            .https_only(plain.as_deref() != Some("true"))
            .user_agent(concat!("trireme/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(PATIENCE / 4))
            .timeout_send_body(Some(5 * PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .build();
        Ok(HttpClient::new(Client(config.into())))
    }
}

#[derive(Debug)]
struct Client(ureq::Agent);

/// What comes of a body, piece by piece.
type Piece = Result<Frame<Bytes>, HttpError>;

#[async_trait::async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = Request::from_parts(parts, body);
        let agent = self.0.clone();
        let (answer, answered) = oneshot::channel();
        let (pieces, mut come) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || exchange(&agent, &request, answer, &pieces));
        let gone = |e| HttpError::new(HttpErrorKind::Interrupted, e);
        let parts = answered.await.map_err(gone)??;
        let body = StreamBody::new(poll_fn(move |context| come.poll_recv(context)));
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

/// Sends a request, and hands on what comes back for as long as somebody takes it.
fn exchange(
    agent: &ureq::Agent,
    request: &Request<Bytes>,
    answer: oneshot::Sender<Result<Parts, HttpError>>,
    pieces: &mpsc::Sender<Piece>,
) {
    let (parts, body) = request.clone().into_parts();
    let response = match agent.run(Request::from_parts(parts, &body[..])) {
        Ok(response) => response,
        Err(error) => {
            // Whoever asked may have left, here and below.
            drop(answer.send(Err(broken(error))));
            return;
        }
    };
    let (parts, body) = response.into_parts();
    if answer.send(Ok(parts)).is_err() {
        return;
    }
    let mut reader = body.into_reader();
    loop {
        let mut piece = vec![0; PIECE];
        let read = match reader.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) => {
                let error = HttpError::new(HttpErrorKind::Interrupted, error);
                drop(pieces.blocking_send(Err(error)));
                return;
            }
        };
        piece.truncate(read);
        if pieces.blocking_send(Ok(Frame::data(piece.into()))).is_err() {
            return;
        }
    }
}

/// What may be tried again is told by its kind.
fn broken(error: ureq::Error) -> HttpError {
    let kind = match &error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Io(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
