//! What is expected and what is found, line by line.

use std::fmt::{Debug, Write as _};

/// So many lines are always shown whole.
const WHOLE_LINES_MAX: usize = 30;

/// Of more, how many that are the same are shown around those that are not.
const CONTEXT_LINES: usize = 5;

/// Above this many pairs of lines the common ones aren't looked for any more.
const PAIRS_MAX: usize = 4_000_000;

/// The difference between the two pretty debug forms: lines with `-` are expected only, those with `+` found only.
pub(super) fn diff(expected: &dyn Debug, found: &dyn Debug) -> String {
    lines(&format!("{expected:#?}"), &format!("{found:#?}"))
}

fn lines(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let marked = mark(&expected, &found);
    let mut text = String::from("(- expected, + found)");
    let context = if marked.len() <= WHOLE_LINES_MAX { WHOLE_LINES_MAX } else { CONTEXT_LINES };
    let mut skipped = false;
    for (i, (mark, line)) in marked.iter().enumerate() {
        let around = &marked[i.saturating_sub(context)..marked.len().min(i + context + 1)];
        if around.iter().any(|(mark, _)| *mark != ' ') {
            // Writing to a string can't fail.
            let _ = write!(text, "\n{mark} {line}");
            skipped = false;
        } else if !skipped {
            text.push_str("\n  ..");
            skipped = true;
        }
    }
    text
}

/// Each line with `-`, `+`, or a space where it is in both.
fn mark<'a>(expected: &[&'a str], found: &[&'a str]) -> Vec<(char, &'a str)> {
    let same_start = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
    let (start, expected) = expected.split_at(same_start);
    let found = &found[same_start..];
    let same_end = expected.iter().rev().zip(found.iter().rev()).take_while(|(a, b)| a == b).count();
    let (expected, end) = expected.split_at(expected.len() - same_end);
    let found = &found[..found.len() - same_end];

    let mut marked: Vec<_> = start.iter().map(|line| (' ', *line)).collect();
    mark_middle(expected, found, &mut marked);
    marked.extend(end.iter().map(|line| (' ', *line)));
    marked
}

/// By the longest common subsequence, from its table of lengths.
fn mark_middle<'a>(expected: &[&'a str], found: &[&'a str], marked: &mut Vec<(char, &'a str)>) {
    let width = found.len() + 1;
    let too_many = expected.len().saturating_mul(found.len()) > PAIRS_MAX;
    // common[i * width + j]: how many lines `expected[i..]` and `found[j..]` have in common.
    let mut common = if too_many { Vec::new() } else { vec![0_u32; (expected.len() + 1) * width] };
    if !too_many {
        for i in (0..expected.len()).rev() {
            for j in (0..found.len()).rev() {
                common[i * width + j] = if expected[i] == found[j] {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < expected.len() && j < found.len() {
        if expected[i] == found[j] {
            marked.push((' ', expected[i]));
            (i, j) = (i + 1, j + 1);
        } else if too_many || common[(i + 1) * width + j] >= common[i * width + j + 1] {
            marked.push(('-', expected[i]));
            i += 1;
        } else {
            marked.push(('+', found[j]));
            j += 1;
        }
    }
    marked.extend(expected[i..].iter().map(|line| ('-', *line)));
    marked.extend(found[j..].iter().map(|line| ('+', *line)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_stand_among_those_that_are_the_same() {
        assert_eq!(lines("a\nb\nc\nd", "a\nx\nc\nd"), "(- expected, + found)\n  a\n- b\n+ x\n  c\n  d");
        assert_eq!(lines("a\nb\nc", "b\nc\nd"), "(- expected, + found)\n- a\n  b\n  c\n+ d");
        assert_eq!(lines("", "a"), "(- expected, + found)\n+ a");
    }

    #[test]
    fn of_many_lines_those_far_from_a_change_are_left_out() {
        let numbers = |count: u32| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        let shown = lines(&numbers(60), &numbers(60).replace("30", "thirty"));
        let expected = "\n  ..\n  25\n  26\n  27\n  28\n  29\n- 30\n+ thirty\n  31\n  32\n  33\n  34\n  35\n  ..";
        assert_eq!(shown.strip_prefix("(- expected, + found)"), Some(expected));
        assert_eq!(lines(&numbers(20), &numbers(19)).lines().count(), 21);
    }

    #[test]
    fn every_line_of_both_texts_is_in_the_marks() {
        // All pairs of short texts over two letters.
        let texts = (0..32_u32).map(|bits| (0..5).map(|n| if bits >> n & 1 == 1 { "a" } else { "b" }).collect());
        let texts: Vec<_> = texts.flat_map(|text: Vec<&str>| (0..=5).map(move |n| text[..n].to_vec())).collect();
        for expected in &texts {
            for found in &texts {
                let marked = mark(expected, found);
                let of = |other| marked.iter().filter(|(mark, _)| *mark != other).map(|(_, line)| *line).collect::<Vec<_>>();
                assert_eq!((&of('+'), &of('-')), (expected, found));
            }
        }
    }

    #[test]
    fn very_long_texts_are_not_compared_pair_by_pair() {
        let numbers = |from: u32| (from..from + 3_000).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(lines(&numbers(0), &numbers(10_000)).lines().count(), 6_001);
    }
}
