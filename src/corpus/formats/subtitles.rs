//! Reads subtitles: SubRip and WebVTT. What is said is the text; each cue stands at its time.

use crate::place::Place;

use super::builder::Builder;
use crate::corpus::lines::{Line, lines};
use crate::corpus::outline::Extracted;

pub(super) fn extract(source: &str) -> Extracted<'static> {
    let mut builder = Builder::new(source);
    let lines: Vec<Line<'_>> = lines(source).collect();
    let mut in_cue = false;
    // Captions that roll repeat each line in the next cue.
    let mut said = "";
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.trim();
        let is_name = lines.get(index + 1).is_some_and(|next| begins(next.text).is_some())
            && index.checked_sub(1).is_none_or(|before| lines[before].text.trim().is_empty());
        if let Some(seconds) = begins(text) {
            in_cue = true;
            builder.end_line();
            builder.begin_block();
            builder.mark(Place { seconds: Some(seconds), ..Place::default() });
        } else if is_name || !in_cue || text.is_empty() || text == said {
            in_cue &= !is_comment(text);
        } else if is_comment(text) && lines[index - 1].text.trim().is_empty() {
            in_cue = false;
        } else {
            builder.end_line();
            say(&mut builder, line);
            said = text;
        }
    }
    builder.finish()
}

fn is_comment(line: &str) -> bool {
    ["NOTE", "STYLE", "REGION"].iter().any(|word| line.split_whitespace().next() == Some(word))
}

/// The second at which a cue begins, if the line says when.
fn begins(line: &str) -> Option<u32> {
    let (start, _) = line.split_once("-->")?;
    let (clock, _) = start.trim().split_once(['.', ',']).unwrap_or((start.trim(), ""));
    clock.split(':').try_fold(0_u32, |all, part| {
        let part: u32 = part.trim().parse().ok()?;
        all.checked_mul(60)?.checked_add(part)
    })
}

/// Adds a line without its tags: `<i>`, `<00:01.000>`, `{\an8}`.
fn say(builder: &mut Builder<'_>, line: &Line<'_>) {
    const LONGEST_TAG: usize = 200;
    let mut at = 0;
    while at < line.text.len() {
        let rest = &line.text[at..];
        let near = &rest[..rest.floor_char_boundary(LONGEST_TAG)];
        let tag = [("<", '>'), ("{\\", '}')].iter().find_map(|&(open, close)| {
            near.starts_with(open).then(|| near.find(close)).flatten().map(|end| &rest[..=end])
        });
        match tag {
            Some(tag) => {
                if let Some(voice) = tag.strip_prefix("<v ").and_then(|voice| voice.strip_suffix('>')) {
                    let start = line.start + at + "<v ".len();
                    builder.push(start..start + voice.len());
                    builder.push_for(": ", start + voice.len()..start + voice.len() + 1);
                }
                at += tag.len();
            }
            None => {
                let first = rest.chars().next().map_or(1, char::len_utf8);
                let length = rest[first..].find(['<', '{']).map_or(rest.len(), |next| first + next);
                builder.push(line.start + at..line.start + at + length);
                at += length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_stands_at_its_time() {
        let srt = "1\r\n00:00:01,500 --> 00:00:04,000\r\n<i>Hold</i> the button\r\nfor ten seconds.\r\n\r\n2\r\n\
            01:02:03,000 \
                   --> 01:02:05,000\r\n{\\an8}The lamp goes out.\r\n";
        let extracted = extract(srt);
        assert_eq!(extracted.text, "Hold the button\nfor ten seconds.\nThe lamp goes out.");
        let lamp = extracted.text.find("The lamp").unwrap();
        assert_eq!(extracted.place(0).seconds, Some(1));
        assert_eq!(extracted.place(lamp).seconds, Some(3723));
        let range = extracted.positions.in_file(lamp..extracted.text.len());
        assert_eq!(&srt[range.start as usize..range.end as usize], "The lamp goes out.");
    }

    #[test]
    fn notes_styles_names_and_repeated_lines_are_left_out() {
        let vtt = "WEBVTT - a talk\n\nNOTE by me\nand you\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> \
            00:02.000 \
                   line:0\n<v Ada>Hello 1 < 2\n\n00:02.000 --> 00:03.000\n<v Ada>Hello 1 < 2\nand you\n\nNOTE x\n";
        assert_eq!(extract(vtt).text, "Ada: Hello 1 < 2\nand you");
        assert_eq!(extract("no cue at all").text, "");
    }
}
