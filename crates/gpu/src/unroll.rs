//! Loops that are written out before a shader is compiled.
//!
//! A value that a loop's counter picks from an array does not live in a register unless the loop is
//! unrolled, and the checks that wgpu adds to every loop keep drivers from that. Between
//! `// each NAME of COUNT` and `// end` stands what is written COUNT times, with `#NAME` as the number.

/// What loops count to, by name.
pub(crate) type Counts<'a> = &'a [(&'static str, u32)];

/// The text with its loops written out. A number is as good as a name that counts.
pub(crate) fn unrolled(text: &str, counts: Counts<'_>) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::with_capacity(2 * text.len());
    write_out(&lines, counts, &mut out);
    out
}

fn write_out(lines: &[&str], counts: Counts<'_>, out: &mut String) {
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let Some((name, count)) = begins(line, counts) else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let body = &lines[at..];
        let end = closing(body);
        let mut inner = String::new();
        write_out(&body[..end], counts, &mut inner);
        let placeholder = format!("#{name}");
        for number in 0..count {
            out.push_str(&inner.replace(&placeholder, &number.to_string()));
        }
        at += end + 1;
    }
}

/// The loop that a line begins: its name, and what it counts to.
fn begins<'a>(line: &'a str, counts: Counts<'_>) -> Option<(&'a str, u32)> {
    let (name, count) = line.trim().strip_prefix("// each ")?.split_once(" of ")?;
    let known = counts.iter().find(|(known, _)| *known == count).map(|(_, count)| *count);
    Some((name, known.or_else(|| count.parse().ok())?))
}

/// The line that ends a loop whose body these lines begin with.
fn closing(lines: &[&str]) -> usize {
    let mut open = 1;
    for (at, line) in lines.iter().enumerate() {
        match line.trim() {
            "// end" => open -= 1,
            line if line.starts_with("// each ") => open += 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_written_out_also_within_each_other() {
        let text =
            "a\n// each r of ROWS\n  r#r\n  // each f of 2\n  s_#r_#f\n  // end\n// end\nb\n";
        let expected = "a\n  r0\n  s_0_0\n  s_0_1\n  r1\n  s_1_0\n  s_1_1\nb\n";
        assert_eq!(unrolled(text, &[("ROWS", 2)]), expected);
        assert_eq!(unrolled(text, &[("ROWS", 0)]), "a\nb\n");
    }

    #[test]
    fn what_counts_to_nothing_known_is_a_comment() {
        let text = "// each of us, of COURSE\n// each r of ROWS\n";
        assert_eq!(unrolled(text, &[]), text);
    }
}
