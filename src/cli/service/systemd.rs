//! Units of systemd's user manager.

use super::unit::{Call, Unit};

pub(super) fn text(unit: &Unit) -> String {
    let command: Vec<String> = unit.command.iter().map(|word| quoted(word)).collect();
    let environment: String = unit
        .environment
        .iter()
        .map(|(name, value)| format!("Environment={}\n", quoted(&format!("{name}={value}"))))
        .collect();
    format!(
        "[Unit]\nDescription=retune serves {}\n\n[Service]\nExecStart={}\n{environment}Restart=on-failure\n\
         RestartSec=5\nNoNewPrivileges=yes\n\n[Install]\nWantedBy=default.target\n",
        unit.index.display().to_string().replace('%', "%%"),
        command.join(" "),
    )
}

pub(super) fn start(unit: &Unit) -> Vec<Call> {
    let name = format!("{}.service", unit.name);
    vec![
        Call::new("systemctl", &["--user", "daemon-reload"]),
        Call::new("systemctl", &["--user", "enable", "--now", &name]),
    ]
}

pub(super) fn stop(unit: &Unit) -> Vec<Call> {
    vec![Call::new("systemctl", &["--user", "disable", "--now", &format!("{}.service", unit.name)])]
}

/// A word as systemd reads it: `%` and `$` stand for themselves, too.
fn quoted(word: &str) -> String {
    let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!("\"{word}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_themselves() {
        let unit = Unit {
            name: "retune-notes-0123ab".into(),
            index: "/home/u/100% my $notes/.retune".into(),
            command: vec!["/bin/re\"tune".into(), "/home/u/100% my $notes/.retune".into()],
            environment: vec![("RETUNE_MODEL", "/m\\1".into())],
        };
        let text = text(&unit);
        assert!(
            text.contains("ExecStart=\"/bin/re\\\"tune\" \"/home/u/100%% my $$notes/.retune\"\n"),
            "{text}"
        );
        assert!(text.contains("Environment=\"RETUNE_MODEL=/m\\\\1\"\n"), "{text}");
        assert_eq!(start(&unit)[1].to_string(), "systemctl --user enable --now retune-notes-0123ab.service");
    }
}
