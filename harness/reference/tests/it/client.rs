//! A client that knows how to ask, and nothing of what to expect.

use std::time::Duration;

use crevasse_core::payload::{Content, Payload};
use crevasse_core::wire::{Body, Framing, Headers, Request, Response};
use crevasse_reference::{Clock, Options, Service};
use serde_json::Value;

/// A server in process, its clock, and the vault `v`.
pub(crate) struct Client {
    pub(crate) service: Service,
    pub(crate) clock: Clock,
    pub(crate) region: Option<&'static str>,
}

/// A request in the making.
pub(crate) struct Call<'a> {
    client: &'a Client,
    request: Request,
}

impl Client {
    pub(crate) fn new(options: Options) -> Self {
        let client = Self::started(options);
        assert_eq!(client.call("PUT", "/-/vaults/v").send().status, 201);
        client
    }

    /// A client of a server that may be faulty, and has no vault yet.
    pub(crate) fn started(options: Options) -> Self {
        let service = Service::new(Options {
            seed: Some(1),
            time_scale: 0.0,
            job_delay: Duration::from_secs(3600),
            ..options
        });
        let clock = service.clock();
        Self {
            service,
            clock,
            region: None,
        }
    }

    pub(crate) fn call(&self, method: &str, target: &str) -> Call<'_> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Headers::default();
        headers.push("x-amz-glacier-version", "2012-06-01");
        if let Some(region) = self.region {
            let value = format!(
                "AWS4-HMAC-SHA256 Credential=AKID/20120525/{region}/glacier/aws4_request, SignedHeaders=host, Signature=0"
            );
            headers.push("Authorization", value);
        }
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Body::Empty,
            framing: Framing::Plain,
        };
        Call {
            client: self,
            request,
        }
    }

    /// Uploads to the vault `v` and returns the archive id.
    pub(crate) fn upload(&self, payload: Payload, description: Option<&str>) -> String {
        let call = self
            .call("POST", "/-/vaults/v/archives")
            .content(Content::from(payload));
        let call = match description {
            Some(text) => call.header("x-amz-archive-description", text),
            None => call,
        };
        header(&call.send(), "x-amz-archive-id")
    }

    /// Starts a job in the vault `v` and returns its id.
    pub(crate) fn job(&self, parameters: Value) -> String {
        let reply = self
            .call("POST", "/-/vaults/v/jobs")
            .json(&parameters)
            .send();
        assert_eq!(reply.status, 202, "{:?}", reply.body.text());
        header(&reply, "x-amz-job-id")
    }

    /// Lets an hour pass, so that jobs are done.
    pub(crate) fn wait(&self) {
        self.clock.advance(Duration::from_secs(3600));
    }

    pub(crate) fn output(&self, job: &str) -> Call<'_> {
        self.call("GET", &format!("/-/vaults/v/jobs/{job}/output"))
    }

    pub(crate) fn document(&self, target: &str) -> Value {
        let reply = self.call("GET", target).send();
        assert_eq!(reply.status, 200, "{target}: {:?}", reply.body.text());
        reply.body.json().unwrap()
    }
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.set(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.request.headers.remove(name);
        self
    }

    pub(crate) fn json(mut self, document: &Value) -> Self {
        self.request.body = Body::Text(document.to_string());
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.request.body = Body::Text(text.to_owned());
        self
    }

    /// A body with its two checksums.
    pub(crate) fn content(mut self, content: Content) -> Self {
        let (linear, tree) = (
            content.sha256().to_string(),
            content.tree_hash().to_string(),
        );
        self.request.headers.set("x-amz-content-sha256", linear);
        self.request.headers.set("x-amz-sha256-tree-hash", tree);
        self.request
            .headers
            .set("Content-Length", content.length().to_string());
        self.request.body = Body::Content(content);
        self
    }

    pub(crate) fn request(self) -> Request {
        self.request
    }

    pub(crate) fn send(self) -> Response {
        let reply = self.client.service.exchange(&self.request);
        reply.response().expect("a whole answer").clone()
    }

    /// Sends what must be refused, and returns status, code and message.
    pub(crate) fn refused(self) -> (u16, String, String) {
        let reply = self.send();
        let body = reply.body.json().expect("a JSON error");
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        assert_eq!(text("type"), "Client");
        (reply.status, text("code"), text("message"))
    }
}

pub(crate) fn header(reply: &Response, name: &str) -> String {
    let value = reply.headers.value(name);
    value
        .unwrap_or_else(|| panic!("no {name} in {reply:?}"))
        .to_owned()
}
