//! Colours of the pages and plots, on light screens and on dark ones.
//!
//! Plots are drawn in the light colours. The page gets each as a CSS variable, which a dark screen sets to another.

use plotters::style::RGBColor;

/// Before a round, and after it. They differ in lightness too, so they can be told apart without colour.
pub(super) const BEFORE: RGBColor = RGBColor(150, 170, 190);
pub(super) const AFTER: RGBColor = RGBColor(20, 80, 150);

/// The modes of search.
pub(super) const WORDS: RGBColor = RGBColor(200, 90, 10);
pub(super) const MEANING: RGBColor = RGBColor(90, 160, 120);
pub(super) const BOTH: RGBColor = AFTER;

/// A query that gained, one that lost and one that did neither.
pub(super) const GAINED: RGBColor = AFTER;
pub(super) const LOST: RGBColor = WORDS;
pub(super) const EQUAL: RGBColor = BEFORE;

/// Curves of a training besides its loss.
pub(super) const GRADIENT: RGBColor = RGBColor(130, 70, 20);
pub(super) const RATE: RGBColor = RGBColor(60, 100, 50);

/// Sources of hard negatives.
pub(super) const CONFUSABLE: RGBColor = RGBColor(170, 30, 40);
pub(super) const SEMANTIC: RGBColor = RGBColor(40, 120, 190);
pub(super) const ADVERSARIAL: RGBColor = RGBColor(70, 50, 110);

/// Text and its background.
pub(super) const INK: RGBColor = RGBColor(26, 26, 26);
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Axes, and the lines of the grid.
pub(super) const GREY: RGBColor = RGBColor(110, 110, 110);
pub(super) const PALE: RGBColor = RGBColor(225, 225, 225);

/// A colour on light and on dark screens.
struct Shade {
    variable: &'static str,
    light: RGBColor,
    dark: RGBColor,
}

const SHADES: [Shade; 13] = [
    shade("ink", INK, RGBColor(228, 230, 234)),
    shade("paper", PAPER, RGBColor(22, 24, 28)),
    shade("grey", GREY, RGBColor(150, 154, 160)),
    shade("pale", PALE, RGBColor(56, 60, 66)),
    shade("before", BEFORE, RGBColor(92, 110, 130)),
    shade("after", AFTER, RGBColor(120, 180, 250)),
    shade("words", WORDS, RGBColor(240, 150, 80)),
    shade("meaning", MEANING, RGBColor(115, 200, 150)),
    shade("gradient", GRADIENT, RGBColor(215, 165, 115)),
    shade("rate", RATE, RGBColor(150, 200, 130)),
    shade("confusable", CONFUSABLE, RGBColor(245, 125, 125)),
    shade("semantic", SEMANTIC, RGBColor(110, 180, 240)),
    shade("adversarial", ADVERSARIAL, RGBColor(190, 165, 245)),
];

const fn shade(variable: &'static str, light: RGBColor, dark: RGBColor) -> Shade {
    Shade { variable, light, dark }
}

/// The colour in CSS.
pub(super) fn css(colour: RGBColor) -> String {
    let shade = SHADES.iter().find(|shade| shade.light == colour);
    shade.map_or_else(|| hex(colour), |shade| format!("var(--{})", shade.variable))
}

/// A drawing with variables in the place of its colours.
pub(super) fn with_variables(svg: &str) -> String {
    SHADES.iter().fold(svg.to_string(), |svg, shade| {
        svg.replace(&format!("\"{}\"", hex(shade.light)), &format!("\"{}\"", css(shade.light)))
    })
}

/// The rules that set the variables. Paper is always light.
pub(super) fn variables() -> String {
    let set = |of: fn(&Shade) -> RGBColor| -> String {
        SHADES.iter().map(|shade| format!(" --{}: {};", shade.variable, hex(of(shade)))).collect()
    };
    format!(
        ":root {{ color-scheme: light;{} }}\n\
         @media screen and (prefers-color-scheme: dark) {{\n  :root {{ color-scheme: dark;{} }}\n}}\n",
        set(|shade| shade.light),
        set(|shade| shade.dark)
    )
}

/// As plotters writes it.
fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance by WCAG 2.
    fn luminance(colour: RGBColor) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
    }

    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn what_is_drawn_stands_out_on_light_and_on_dark() {
        for side in [|shade: &Shade| shade.light, |shade: &Shade| shade.dark] {
            let of = |name: &str| side(SHADES.iter().find(|shade| shade.variable == name).unwrap());
            assert!(contrast(of("ink"), of("paper")) > 12.0);
            assert!(contrast(of("grey"), of("paper")) > 4.5);
            for name in ["after", "words", "gradient", "rate", "confusable", "semantic", "adversarial"] {
                assert!(contrast(of(name), of("paper")) > 4.0, "{name}");
            }
            assert!(contrast(of("meaning"), of("paper")) > 2.5 && contrast(of("before"), of("paper")) > 2.0);
            assert!(contrast(of("before"), of("after")) > 2.0, "told apart without colour");
        }
    }

    #[test]
    fn a_drawing_gets_variables_for_its_colours() {
        let found = with_variables("<rect fill=\"#145096\" stroke=\"#123456\"/>");
        assert_eq!(found, "<rect fill=\"var(--after)\" stroke=\"#123456\"/>");
        let variables = variables();
        assert!(variables.contains("--after: #145096;") && variables.contains("--after: #78B4FA;"));
    }
}
