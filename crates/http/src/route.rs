//! A route: who answers it, and what the document says of it.
//!
//! What only the document needs is kept in test builds, where the document is written; elsewhere
//! the words that the table says are dropped while it is compiled.

use std::sync::Arc;

use axum::extract::State;
use axum::handler::Handler;
use axum::http::{Method, Uri};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::de::DeserializeOwned;
use trireme_domain::{Code, Fault};
use trireme_service::Service;

use crate::answer::Refused;
#[cfg(test)]
use crate::routes::documented;
use crate::style::{Convention, said};
#[cfg(test)]
use crate::tests::Said;

/// One service for all requests.
pub(crate) type Shared = Arc<Service>;

/// Who answers a request.
pub(crate) type Host = State<Shared>;

/// A method of a path.
pub(crate) struct Route {
    pub path: &'static str,
    pub method: Method,
    pub convention: Convention,
    answer: MethodRouter<Shared>,
    /// What the document says, of each path that it writes for this one.
    #[cfg(test)]
    pub said: Vec<Said>,
}

#[cfg(test)]
pub(crate) use schemars::JsonSchema as Shaped;

/// What the document can say the shape of.
#[cfg(not(test))]
pub(crate) trait Shaped {}
#[cfg(not(test))]
impl<T> Shaped for T {}

/// A path that is read.
pub(crate) fn get<H: Handler<T, Shared>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(path, Method::GET, on(MethodFilter::GET, handler))
}

/// A path that is asked.
pub(crate) fn post<H: Handler<T, Shared>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(path, Method::POST, on(MethodFilter::POST, handler))
}

/// A thing that is taken back.
pub(crate) fn delete<H: Handler<T, Shared>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route::new(path, Method::DELETE, on(MethodFilter::DELETE, handler))
}

#[cfg_attr(not(test), expect(unused_variables, reason = "the document is written by a test"))]
#[cfg_attr(not(test), allow(unused_mut, reason = "as above"))]
impl Route {
    fn new(path: &'static str, method: Method, answer: MethodRouter<Shared>) -> Self {
        Self {
            path,
            method,
            convention: Convention::Own,
            answer,
            #[cfg(test)]
            said: vec![Said::at(documented(path))],
        }
    }

    /// The part of the document that is being written.
    #[cfg(test)]
    fn last(&mut self) -> &mut Said {
        self.said.last_mut().expect("a route is said at one path at least")
    }

    /// A path of the document of its own, for a route whose names span slashes: what stands behind
    /// a name is then part of the router's one parameter.
    pub fn written(mut self, path: &'static str) -> Self {
        #[cfg(test)]
        {
            self.said.retain(|said| !said.summary.is_empty());
            self.said.push(Said::at(path.to_owned()));
        }
        self
    }

    /// What it does, in a sentence.
    pub fn says(mut self, summary: &'static str) -> Self {
        #[cfg(test)]
        self.last().summary(summary);
        self
    }

    /// A body that it takes, with an example; said more than once, any of them.
    pub fn takes<R: Shaped + DeserializeOwned>(mut self, example: &'static str) -> Self {
        #[cfg(test)]
        self.last().takes::<R>(example);
        self
    }

    /// No body at all is taken too.
    pub fn or_nothing(mut self) -> Self {
        #[cfg(test)]
        self.last().or_nothing();
        self
    }

    /// A body that it answers with; said more than once, one of them.
    pub fn gives<A: Shaped>(mut self) -> Self {
        #[cfg(test)]
        self.last().gives::<A>();
        self
    }

    /// It answers with 202 and is done later; a key says which requests are the same.
    pub fn later(mut self) -> Self {
        #[cfg(test)]
        self.last().later();
        self
    }

    /// An answer that is no JSON.
    pub fn serves(mut self, media: &'static str) -> Self {
        #[cfg(test)]
        self.last().serves(media);
        self
    }

    /// A parameter of the path or the query, with an example.
    pub fn asks(mut self, name: &'static str, example: &'static str, why: &'static str) -> Self {
        #[cfg(test)]
        self.last().asks(name, example, why);
        self
    }

    /// Another convention, which some bodies speak here; its faults are said its own way.
    pub fn also(mut self, convention: Convention) -> Self {
        #[cfg(test)]
        self.last().also(convention);
        self
    }

    /// What it answers with, or 501 where its host can't.
    pub fn answering(
        self,
        absent: bool,
        around: impl Fn(MethodRouter<Shared>) -> MethodRouter<Shared>,
    ) -> MethodRouter<Shared> {
        let convention = self.convention;
        let answer = match (absent, &self.method) {
            (false, _) => self.answer,
            (true, &Method::GET) => on(MethodFilter::GET, lacking),
            (true, &Method::DELETE) => on(MethodFilter::DELETE, lacking),
            (true, _) => on(MethodFilter::POST, lacking),
        };
        let answer = around(answer);
        let shape = move |response: Response| async move { said(response, convention) };
        match convention {
            Convention::Own => answer,
            _ => answer.layer(map_response(shape)),
        }
    }
}

/// Routes of one convention, under one heading of the document.
pub(crate) fn group<const N: usize>(
    heading: &'static str,
    convention: Convention,
    routes: [Route; N],
) -> Vec<Route> {
    #[cfg(not(test))]
    let _of_the_document = heading;
    let grouped = |mut route: Route| {
        route.convention = convention;
        #[cfg(test)]
        route.said.iter_mut().for_each(|said| said.under(heading, convention));
        route
    };
    routes.into_iter().map(grouped).collect()
}

async fn lacking(uri: Uri) -> Refused {
    Fault::new(Code::UnsupportedHere, format!("this host does not answer {}", uri.path())).into()
}
