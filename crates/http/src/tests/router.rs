//! The router and the document are of one table, and a host that lacks a path says so in both.

use serde_json::Value;

use super::document::document;
use crate::docs;
use crate::routes::table;

#[test]
fn a_host_that_lacks_a_path_has_no_such_path_in_its_document() {
    let paths = |absent: &[&str]| {
        let document: Value = serde_json::from_slice(&docs::document(absent)).unwrap();
        document["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let (whole, less) = (paths(&[]), paths(&["/encode", "/v1/models/{id}"]));
    assert_eq!(whole.len(), less.len() + 2);
    assert!(!less.iter().any(|path| path == "/encode" || path == "/v1/models/{id}"));
    let less = paths(&["/v2/models/{model}"]);
    assert!(!less.iter().any(|path| path.starts_with("/v2/models")), "{less:?}");
    assert!(less.iter().any(|path| path == "/v2"));
}

#[test]
fn every_route_is_described() {
    let document = document();
    for route in table(axum::body::Bytes::new()) {
        let method = route.method.as_str().to_lowercase();
        for said in &route.said {
            let operation = &document["paths"][&said.path][&method];
            let said = operation["summary"].as_str().is_some_and(|summary| !summary.is_empty());
            assert!(said, "{} {}", route.method, route.path);
        }
    }
}
