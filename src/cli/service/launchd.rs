//! Agents of macOS's launchd.

use std::path::Path;

use super::unit::{Call, Unit};

pub(super) fn text(unit: &Unit) -> String {
    let words: String =
        unit.command.iter().map(|word| format!("    <string>{}</string>\n", escaped(word))).collect();
    let environment: String = unit
        .environment
        .iter()
        .map(|(name, value)| format!("    <key>{name}</key>\n    <string>{}</string>\n", escaped(value)))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n  \
         <string>{}</string>\n  <key>ProgramArguments</key>\n  <array>\n{words}  </array>\n  \
         <key>EnvironmentVariables</key>\n  <dict>\n{environment}  </dict>\n  <key>RunAtLoad</key>\n  <true/>\n  \
         <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n  \
         <key>ProcessType</key>\n  <string>Background</string>\n</dict>\n</plist>\n",
        escaped(&unit.name),
    )
}

pub(super) fn start(path: &Path) -> Vec<Call> {
    vec![Call::new("launchctl", &["bootstrap", &domain(), &path.display().to_string()])]
}

pub(super) fn stop(unit: &Unit) -> Vec<Call> {
    vec![Call::new("launchctl", &["bootout", &format!("{}/{}", domain(), unit.name)])]
}

/// The user's own services.
fn domain() -> String {
    #[cfg(unix)]
    let user = rustix::process::getuid().as_raw();
    #[cfg(not(unix))]
    let user = 0;
    format!("gui/{user}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plist_is_well_formed_whatever_the_folder_is_called() {
        let unit = Unit {
            name: "retune-notes-0123ab".into(),
            index: "/Users/u/a<b>&c/.retune".into(),
            command: vec!["/bin/retune".into(), "/Users/u/a<b>&c/.retune".into()],
            environment: vec![("RETUNE_MODEL", "/m&m".into())],
        };
        let text = text(&unit);
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
        let plist = roxmltree::Document::parse_with_options(&text, options).unwrap();
        let strings: Vec<_> = plist
            .descendants()
            .filter(|node| node.has_tag_name("string"))
            .filter_map(|node| node.text())
            .collect();
        assert_eq!(strings[..3], ["retune-notes-0123ab", "/bin/retune", "/Users/u/a<b>&c/.retune"]);
        assert!(strings.contains(&"/m&m"));
    }
}
