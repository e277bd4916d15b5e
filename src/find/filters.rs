//! Which documents are asked for, and how: the type, the folder, the date, words or meaning.

use time::{Date, Duration};

use crate::access::api::SearchRequest;
use crate::search::Mode;

/// Extensions that people think of as one type, as on the page.
const TYPES: &[(&str, &str)] = &[
    ("PDF", "pdf"),
    ("Text", "md,markdown,rst,org,adoc,txt"),
    ("Office", "docx,doc,odt,rtf,xlsx,xls,ods,pptx,ppt,odp"),
    ("Mail", "eml,mbox,msg"),
    ("Web pages", "html,htm,xhtml"),
    ("Books", "epub"),
    ("Tables", "csv,tsv,xlsx,xls,ods"),
    ("Code", "rs,py,js,mjs,ts,tsx,jsx,c,h,cc,cpp,hpp,go,java,kt,rb,php,sh,sql,lua,pl,swift,scala,ipynb"),
];
const DATES: &[(&str, i64)] = &[("Past week", 7), ("Past month", 31), ("Past year", 366)];
const MODES: &[(&str, Mode)] = &[("Words only", Mode::Lexical), ("Meaning only", Mode::Dense)];

/// One of the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chip {
    Type,
    Folder,
    Date,
    Mode,
}

const CHIPS: [Chip; 4] = [Chip::Type, Chip::Folder, Chip::Date, Chip::Mode];

/// What is chosen of each filter. 0 is no filter; the others count from 1.
#[derive(Debug)]
pub(super) struct Filters {
    chosen: [usize; CHIPS.len()],
    /// The names of the followed folders, where there are several.
    folders: Vec<String>,
    /// The filter that keys act on.
    pub(super) focus: Option<Chip>,
    today: Date,
}

impl Filters {
    /// No filter. `today` is what dates are counted from.
    pub(super) fn new(today: Date) -> Filters {
        Filters { chosen: [0; CHIPS.len()], folders: Vec::new(), focus: None, today }
    }

    /// The folders that the index follows. One alone is no choice; that without a name can't be asked for by it.
    pub(super) fn set_folders(&mut self, names: Vec<String>) {
        self.folders = if names.len() > 1 { names } else { Vec::new() };
        self.folders.retain(|name| !name.is_empty());
    }

    /// The filters that there are.
    pub(super) fn chips(&self) -> impl Iterator<Item = Chip> + '_ {
        CHIPS.into_iter().filter(|&chip| self.options(chip).len() > 1)
    }

    /// What is chosen.
    pub(super) fn chosen(&self, chip: Chip) -> usize {
        self.chosen[chip as usize]
    }

    /// What can be chosen; no filter first.
    pub(super) fn options(&self, chip: Chip) -> Vec<&str> {
        let all = match chip {
            Chip::Type => "Any type",
            Chip::Folder => "All folders",
            Chip::Date => "Any time",
            Chip::Mode => "Words and meaning",
        };
        let mut options = vec![all];
        match chip {
            Chip::Type => options.extend(TYPES.iter().map(|(label, _)| *label)),
            Chip::Folder => options.extend(self.folders.iter().map(String::as_str)),
            Chip::Date => options.extend(DATES.iter().map(|(label, _)| *label)),
            Chip::Mode => options.extend(MODES.iter().map(|(label, _)| *label)),
        }
        options
    }

    /// What is chosen of the filters that leave something out.
    pub(super) fn active(&self) -> Vec<&str> {
        let set = self.chips().filter(|&chip| self.chosen(chip) > 0);
        set.filter_map(|chip| self.options(chip).get(self.chosen(chip)).copied()).collect()
    }

    /// Puts the focus on the next filter; behind the last one on none.
    pub(super) fn next(&mut self) {
        let chips: Vec<Chip> = self.chips().collect();
        self.focus = following(&chips, self.focus);
    }

    /// Puts the focus on the filter before; before the first one on none.
    pub(super) fn previous(&mut self) {
        let mut chips: Vec<Chip> = self.chips().collect();
        chips.reverse();
        self.focus = following(&chips, self.focus);
    }

    /// Chooses another value of the filter that has the focus. Returns whether it is another.
    pub(super) fn choose(&mut self, step: isize) -> bool {
        let Some(chip) = self.focus else { return false };
        let last = self.options(chip).len() - 1;
        let chosen = &mut self.chosen[chip as usize];
        let before = std::mem::replace(chosen, chosen.saturating_add_signed(step).min(last));
        *chosen != before
    }

    /// Adds the filters to a request.
    pub(super) fn apply(&self, request: &mut SearchRequest) {
        let of = |chip| self.chosen(chip).checked_sub(1);
        request.ext = of(Chip::Type).map(|at| TYPES[at].1.to_string());
        request.folder = of(Chip::Folder).and_then(|at| self.folders.get(at).cloned());
        request.after = of(Chip::Date).map(|at| self.days_ago(DATES[at].1));
        request.mode = of(Chip::Mode).map_or(Mode::Hybrid, |at| MODES[at].1);
    }

    fn days_ago(&self, days: i64) -> String {
        let date = self.today.saturating_sub(Duration::days(days));
        format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
    }
}

fn following(chips: &[Chip], focus: Option<Chip>) -> Option<Chip> {
    match focus.and_then(|focus| chips.iter().position(|&chip| chip == focus)) {
        None => chips.first().copied(),
        Some(at) => chips.get(at + 1).copied(),
    }
}

#[cfg(test)]
mod tests {
    use time::Month;

    use super::*;

    fn filters() -> Filters {
        Filters::new(Date::from_calendar_date(2024, Month::March, 5).unwrap())
    }

    #[test]
    fn a_choice_becomes_a_part_of_the_request() {
        let mut filters = filters();
        filters.set_folders(vec![String::new(), "notes".into(), "work".into()]);
        for steps in [1, 2, 1, 1] {
            filters.next();
            (0..steps).for_each(|_| assert!(filters.choose(1)));
        }
        let mut request = SearchRequest::new("fog");
        filters.apply(&mut request);
        assert_eq!(request.ext.as_deref(), Some("pdf"));
        assert_eq!(request.folder.as_deref(), Some("work"));
        assert_eq!(request.after.as_deref(), Some("2024-02-27"));
        assert_eq!(request.mode, Mode::Lexical);
        assert_eq!(filters.active(), ["PDF", "work", "Past week", "Words only"]);
    }

    #[test]
    fn the_focus_goes_round_by_none() {
        let mut filters = filters();
        let mut seen = Vec::new();
        for _ in 0..4 {
            filters.next();
            seen.push(filters.focus);
        }
        // One folder is no choice.
        assert_eq!(seen, [Some(Chip::Type), Some(Chip::Date), Some(Chip::Mode), None]);
        filters.previous();
        assert_eq!(filters.focus, Some(Chip::Mode));
        assert!(!filters.choose(-1) && filters.choose(5) && !filters.choose(1));
    }
}
