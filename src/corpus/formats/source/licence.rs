//! Notes of copyright and licence at the top of source code: the same in each file, and about none of them.

use std::ops::Range;

/// How the paragraphs of such notes begin, in lower case, or what only they say.
const BEGIN: [&str; 14] = [
    "all rights reserved",
    "copyright",
    "distributed under",
    "licensed to the",
    "licensed under",
    "permission is hereby granted",
    "permission to use, copy",
    "redistribution and use",
    "spdx-",
    "the above copyright notice",
    "this file is part of",
    "this software is provided",
    "unless required by applicable law",
    "you should have received a copy",
];
const SAY: [&str; 12] = [
    "apache.org/licenses",
    "can be found in the license file",
    "free software foundation",
    "governed by a bsd-style",
    "gcc runtime library exception",
    "gnu general public license",
    "redistributions in binary form",
    "redistributions of source code must",
    "the software is provided \"as is\"",
    "this software without specific prior written",
    "under the terms of the",
    "without warranties or conditions of any kind",
];
const SIGNS: &[char] = &['/', '*', '#', '-', ';', '!', '%', '"', '\'', '{', '}', '<', '>', '=', ' ', '\t'];

/// The note in the first comment of a file, if there is one.
///
/// What the comment says besides is no part of it: a note goes from the beginning, behind `#!` and coding lines, up to
/// the first paragraph about something else.
pub(super) fn in_source(text: &str) -> Option<Range<usize>> {
    const MOST_BYTES: usize = 16 << 10;
    let text = &text[..text.floor_char_boundary(MOST_BYTES)];
    let mut note: Option<Range<usize>> = None;
    let mut open: Option<Paragraph> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim().trim_matches(SIGNS);
        let is_code = !line.trim().is_empty() && !is_comment(line);
        let is_setting = at == 0 && line.starts_with("#!") || words.contains("coding:");
        if is_code || is_setting || words.is_empty() {
            match open.take() {
                Some(ended) if ended.is_note() => {
                    note = Some(note.map_or(ended.range.start, |note| note.start)..ended.range.end);
                }
                Some(_) => break,
                None => {}
            }
            if is_code {
                break;
            }
        } else {
            let end = at + line.trim_end().len();
            let open = open.get_or_insert_with(|| Paragraph { range: at..end, words: String::new() });
            open.range.end = end;
            open.words.push_str(words);
            open.words.push(' ');
        }
        at += line.len();
    }
    match open.filter(Paragraph::is_note) {
        Some(last) => Some(note.map_or(last.range.start, |note| note.start)..last.range.end),
        None => note,
    }
}

/// Lines of a comment, up to an empty one.
struct Paragraph {
    range: Range<usize>,
    words: String,
}

impl Paragraph {
    fn is_note(&self) -> bool {
        let words = self.words.to_lowercase();
        BEGIN.iter().any(|begin| words.starts_with(begin)) || SAY.iter().any(|said| words.contains(said))
    }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "/*", "*", "#", "--", ";", "%", "<!--", "\"\"\""].iter().any(|sign| line.starts_with(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(text: &str) -> String {
        let note = in_source(text).unwrap_or(0..0);
        format!("{}{}", &text[..note.start], &text[note.end..])
    }

    #[test]
    fn notes_end_where_the_comment_speaks_of_the_code() {
        let go = "// Copyright 2009 The Go Authors. All rights reserved.\n// Use of this source code is governed by a \
                  BSD-style\n// license.\n\n// Package bufio implements buffers.\npackage bufio\n";
        assert_eq!(rest(go), "\n\n// Package bufio implements buffers.\npackage bufio\n");
        let apache = "#!/bin/sh\n#\n# Licensed to the ASF under one\n# or more agreements.\n#\n# Unless required by \
                      applicable law or agreed\n# to in writing.\n\n# Starts the panel.\nstart\n";
        assert_eq!(rest(apache), "#!/bin/sh\n#\n\n\n# Starts the panel.\nstart\n");
        let c = "/*\n * panel.c: resets the panel\n *\n * Copyright (C) 2020 A\n */\nint x;\n";
        assert_eq!(in_source(c), None, "what comes first is about the code");
        let spdx = "// SPDX-License-Identifier: GPL-2.0\n/*\n * Resets the panel.\n */\n";
        assert_eq!(rest(spdx), "\n/*\n * Resets the panel.\n */\n");
    }

    #[test]
    fn code_has_no_note() {
        for text in [
            "",
            "x = 1\n# Copyright 2020 A\n",
            "#include <a.h>\n",
            "// Resets the panel.\nint x;",
            "\"\"\"Text.\"\"\"",
        ] {
            assert_eq!(in_source(text), None, "{text}");
        }
    }
}
