//! The lexer under the architecture rules: whatever a file holds, lines stay where they are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trireme_tests::rust_source::{code, line_of, without_tests, words};

fuzz_target!(|source: &str| {
    let lines = source.matches('\n').count();
    let code = code(source);
    assert_eq!(code.chars().count(), source.chars().count());
    assert_eq!(code.matches('\n').count(), lines);

    let rest = without_tests(&code);
    assert_eq!(rest.chars().count(), code.chars().count());
    assert_eq!(rest.matches('\n').count(), lines);

    for at in words(&rest, "unsafe") {
        assert!(line_of(&rest, at) <= lines + 1);
    }
});
