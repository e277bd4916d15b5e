//! Values as a sheet shows them.

use std::fmt::Write;

use calamine::{Data, ExcelDateTime};

/// More decimal places than a number has.
const MOST_DECIMALS: usize = 15;

/// The text of a cell. `format` is the code of its number format, as `#,##0.00 "€"`.
pub(super) fn value(value: &Data, format: &str) -> String {
    match value {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::Int(number) => self::number(*number as f64, format),
        Data::Float(number) => self::number(*number, format),
        Data::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        Data::DateTime(time) => self::time(time),
        Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Error(error) => error.to_string(),
    }
}

/// `2024-03-01`, `2024-03-01 14:30:00`, or `14:30:00` of what has no day.
fn time(time: &ExcelDateTime) -> String {
    let seconds = (time.as_f64().fract().abs() * 86_400.0).round() as u32;
    if time.is_duration() {
        let hours = time.as_f64().abs() * 24.0;
        return format!("{}:{:02}:{:02}", hours as u64, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    match (time.as_f64() < 1.0, seconds) {
        (true, _) => clock,
        (false, 0) => format!("{year:04}-{month:02}-{day:02}"),
        (false, _) => format!("{year:04}-{month:02}-{day:02} {clock}"),
    }
}

/// A number with the decimal places, the grouping, the percent sign and the currency of its format.
fn number(number: f64, format: &str) -> String {
    let section = format.split(';').next().unwrap_or_default();
    let parts = Parts::of(section);
    if !number.is_finite() || !parts.digits.contains('0') && !parts.digits.contains('#') {
        // 15 digits are what a sheet knows: .1 + .2 is .3.
        return format!("{:.*}", MOST_DECIMALS, number).parse::<f64>().map_or_else(
            |_| number.to_string(),
            |rounded| {
                if rounded == 0.0 { number.to_string() } else { rounded.to_string() }
            },
        );
    }
    if parts.digits.contains(['E', '/']) {
        return number.to_string();
    }
    let percent = section.contains('%');
    let decimals = parts.digits.split_once('.').map_or("", |(_, decimals)| decimals);
    let decimals = decimals.chars().filter(|c| matches!(c, '0' | '#' | '?')).count().min(MOST_DECIMALS);
    let scaled = if percent { number * 100.0 } else { number };
    let mut shown = format!("{:.*}", decimals, scaled.abs());
    if parts.digits.contains(",#") || parts.digits.contains(",0") {
        shown = grouped(&shown);
    }
    let sign = if scaled < 0.0 && shown.contains(|c| matches!(c, '1'..='9')) { "-" } else { "" };
    let mut out = String::new();
    let _ = write!(out, "{sign}{}{shown}{}", parts.before, parts.after);
    out.trim().to_owned()
}

/// What a number format says: `"about "#,##0.00 [$€-407]`.
#[derive(Default)]
struct Parts {
    before: String,
    digits: String,
    after: String,
}

impl Parts {
    fn of(section: &str) -> Self {
        let mut parts = Self::default();
        let mut rest = section.chars();
        while let Some(c) = rest.next() {
            let literal = match c {
                '0' | '#' | '?' | '.' | ',' | 'E' | '/' => {
                    parts.digits.push(c);
                    continue;
                }
                '"' => rest.by_ref().take_while(|&c| c != '"').collect(),
                '\\' => rest.next().into_iter().collect(),
                // The width of the next character, or that character over and over.
                '_' | '*' => {
                    rest.next();
                    " ".into()
                }
                '[' => {
                    let inside: String = rest.by_ref().take_while(|&c| c != ']').collect();
                    let currency = inside.strip_prefix('$').and_then(|currency| currency.split('-').next());
                    currency.unwrap_or_default().to_owned()
                }
                '%' | '$' | '€' | '£' | '¥' | ' ' | '(' | ')' | '-' | '+' => c.to_string(),
                _ => continue,
            };
            let side = if parts.digits.is_empty() { &mut parts.before } else { &mut parts.after };
            side.push_str(&literal);
        }
        parts
    }
}

fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn numbers_read_as_their_format_shows_them() {
        for (value, format, expected) in [
            (12.5, "General", "12.5"),
            (0.1 + 0.2, "General", "0.3"),
            (1e-20, "General", "0.00000000000000000001"),
            (3.0, "General", "3"),
            (12.5, "0.00", "12.50"),
            (0.256, "0%", "26%"),
            (1_234_567.891, "#,##0.00", "1,234,567.89"),
            (-1234.5, "#,##0.00 \"€\"", "-1,234.50 €"),
            (99.0, "[$£-809]#,##0", "£99"),
            (5.0, "_(* #,##0.00_);_(* \\(#,##0.00\\)", "5.00"),
            (-0.001, "0.0", "0.0"),
            (12.0, "@", "12"),
            (2.5, "# ?/?", "2.5"),
        ] {
            assert_eq!(number(value, format), expected, "{value} as {format}");
        }
    }

    #[test]
    fn times_have_a_day_only_if_they_mean_one() {
        let shown = |days, kind| time(&ExcelDateTime::new(days, kind, false));
        assert_eq!(shown(45_352.0, ExcelDateTimeType::DateTime), "2024-03-01");
        assert_eq!(shown(45_352.5, ExcelDateTimeType::DateTime), "2024-03-01 12:00:00");
        assert_eq!(shown(0.25, ExcelDateTimeType::DateTime), "06:00:00");
        assert_eq!(shown(1.5, ExcelDateTimeType::TimeDelta), "36:00:00");
    }
}
