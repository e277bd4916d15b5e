//! How things look. Nothing is told by colour alone: what is selected is reversed and has a mark, what matches is bold
//! and underlined.

use ratatui::style::{Color, Modifier, Style};

/// Whether there are colours. Those of the terminal's own sixteen, which suit its background.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    pub(super) is_coloured: bool,
}

impl Theme {
    fn coloured(self, color: Color) -> Style {
        if self.is_coloured { Style::new().fg(color) } else { Style::new() }
    }

    pub(super) fn prompt(self) -> Style {
        self.coloured(Color::Blue).add_modifier(Modifier::BOLD)
    }

    pub(super) fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn place(self) -> Style {
        self.coloured(Color::Cyan)
    }

    pub(super) fn aside(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn matching(self) -> Style {
        match self.is_coloured {
            true => Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
            false => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        }
    }

    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What was said of a document.
    pub(super) fn said(self) -> Style {
        self.coloured(Color::Magenta).add_modifier(Modifier::BOLD)
    }

    pub(super) fn rule(self) -> Style {
        self.coloured(Color::Cyan)
    }

    /// Beside the passage that was found.
    pub(super) fn bar(self) -> Style {
        self.coloured(Color::Yellow)
    }

    pub(super) fn note(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn key(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}
