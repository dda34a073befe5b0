//! The walls of the design, as tests that fail when one is broken.
//!
//! Each rule is a function from a tree of files to its violations. Here it reads the checkout; at
//! the bottom of its own file it is shown failing on a few broken lines.
#![allow(clippy::panic, clippy::expect_used, reason = "helpers of tests")]

mod documents;
mod edges;
mod errors;
mod hosts;
mod manifest;
mod once;
mod runtimes;
mod sizes;
mod supply;
mod targets;
mod tree;
mod unsafety;

use std::sync::LazyLock;

use tree::{Tree, none};

static CHECKOUT: LazyLock<Tree> = LazyLock::new(|| Tree::load(&trireme_tests::repo_root()));

#[test]
fn arrows_between_crates_go_down() {
    none(&edges::violations(&CHECKOUT));
    none(&edges::misnamed(&CHECKOUT));
}

#[test]
fn inner_crates_name_no_runtime() {
    none(&runtimes::named(&CHECKOUT));
}

#[test]
fn pure_crates_reach_the_machine_through_ports() {
    none(&runtimes::machine(&CHECKOUT));
}

#[test]
fn target_cfgs_stay_in_their_rooms() {
    none(&targets::violations(&CHECKOUT));
}

#[test]
fn unsafe_stays_in_its_rooms_with_its_reason() {
    none(&unsafety::violations(&CHECKOUT));
}

#[test]
fn errors_below_the_hosts_are_typed() {
    none(&errors::untyped(&CHECKOUT));
}

#[test]
fn request_paths_do_not_panic() {
    none(&errors::panics(&CHECKOUT));
}

#[test]
fn hosts_are_thin() {
    none(&hosts::thick(&CHECKOUT));
}

#[test]
fn no_host_ships_a_drill() {
    none(&hosts::drills(&CHECKOUT));
}

#[test]
fn files_stay_short() {
    none(&sizes::violations(&CHECKOUT));
}

#[test]
fn each_idea_is_written_once() {
    none(&once::violations(&CHECKOUT));
}

#[test]
fn the_map_names_every_crate() {
    none(&documents::crates(&CHECKOUT));
}

#[test]
fn decisions_are_numbered_and_listed() {
    none(&documents::decisions(&CHECKOUT));
}

#[test]
fn every_invariant_names_its_test() {
    none(&documents::invariants(&CHECKOUT));
}

#[test]
fn banned_packages_are_absent() {
    none(&supply::banned(&CHECKOUT));
}

#[test]
fn metadata_is_the_workspaces() {
    none(&supply::inherited(&CHECKOUT));
}

#[test]
fn no_file_names_a_machines_folder() {
    none(&supply::machine_paths(&CHECKOUT));
}
