//! The glyphs of a page, in the order in which they are drawn.

use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::kurbo::{BezPath, Point, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, TransformExt, interpret_page,
};

/// A glyph, in points, as seen by a reader of its line: `x` along the line, `y` upwards.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    pub(super) text: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) size: f64,
    /// The line's direction in quarter turns. Glyphs of two directions share no line.
    pub(super) turned: i8,
}

/// More glyphs than a page has room for are no text.
const MOST_GLYPHS: usize = 200_000;

/// What stands on a page as text.
pub(super) fn glyphs_of<'a>(
    page: &Page<'a>,
    cache: &InterpreterCache<'a>,
    settings: &InterpreterSettings,
) -> Vec<Glyph> {
    let transform = page.initial_transform(false).to_kurbo();
    let (width, height) = page.render_dimensions();
    let bounds = hayro_interpret::kurbo::Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let mut context = Context::new(transform, bounds, cache, page.xref(), settings.clone());
    let mut found = Found::default();
    interpret_page(page, &mut context, &mut found);
    found.glyphs
}

#[derive(Default)]
struct Found {
    glyphs: Vec<Glyph>,
    /// Where the run before the last glyphs begins: bold type is often drawn twice.
    before: usize,
}

impl<'a> Device<'a> for Found {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let start = self.glyphs.len();
        if start >= MOST_GLYPHS {
            return;
        }
        for glyph in run.glyphs() {
            let placed = props.transform * glyph.transform();
            let at = |x: f64, y: f64| placed * Point::new(x, y);
            let advance = match &**glyph {
                Drawn::Outline(outline) => outline.advance_width(),
                Drawn::Type3(drawn) => drawn.advance_width(),
            };
            let origin = at(0.0, 0.0);
            let along = at(1000.0, 0.0) - origin;
            let up = at(0.0, 1000.0) - origin;
            let size = up.hypot();
            let text = match glyph.as_unicode() {
                Some(BfString::Char(one)) => one.to_string(),
                Some(BfString::String(several)) => several,
                None => continue,
            };
            if !(size.is_finite() && size > 0.1 && origin.is_finite()) {
                continue;
            }
            let turned = quarter_turns(along);
            let (x, y) = match turned {
                1 => (origin.y, -origin.x),
                2 => (-origin.x, -origin.y),
                3 => (-origin.y, origin.x),
                _ => (origin.x, origin.y),
            };
            let width = along.hypot() * f64::from(advance.unwrap_or(500.0)) / 1000.0;
            self.glyphs.push(Glyph { text, x, y, width, size, turned });
        }
        self.forget_if_drawn_twice(start);
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

impl Found {
    fn forget_if_drawn_twice(&mut self, start: usize) {
        let (before, last) = (&self.glyphs[self.before..start], &self.glyphs[start..]);
        let same = |(a, b): (&Glyph, &Glyph)| {
            a.text == b.text && (a.x - b.x).abs() < a.size * 0.1 && (a.y - b.y).abs() < a.size * 0.1
        };
        if !last.is_empty() && before.len() == last.len() && before.iter().zip(last).all(same) {
            self.glyphs.truncate(start);
        } else {
            self.before = start;
        }
    }
}

fn quarter_turns(along: Vec2) -> i8 {
    match (along.x.abs() >= along.y.abs(), along.x >= 0.0, along.y >= 0.0) {
        (true, true, _) => 0,
        (true, false, _) => 2,
        (false, _, true) => 1,
        (false, _, false) => 3,
    }
}
